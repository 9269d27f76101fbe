"""Damaged files: convert refuses them with a reason, or what it prints can be loaded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from podmates_metrics.converting import jmx, modules, statsd
from podmates_metrics.documents import parse
from podmates_metrics.native.file import decode
from podmates_metrics.tree import Fault, Tree

SUPPORT = Path(__file__).parents[2] / "support"
BITS = [
    *"[]{}'\":,-()*\\|^%#~\n é\u2028\x85",
    "null",
    "1",
    "true",
    "$1",
    "${a}",
    "{.a}",
    "{range}",
    "[*]",
    "..",
]
BITS += ["a.b", "rules", "name", "__x", "1e9"]
TIMES = 1500
Convert = Callable[[Tree | None], str]


def files(kind: str, key: str) -> list[str]:
    lines = (SUPPORT / f"{kind}_cases.jsonl").read_text().splitlines()
    found = [json.loads(line).get(key) for line in lines]
    return [text if isinstance(text, str) else json.dumps(text) for text in found if text]


KINDS: dict[str, tuple[list[str], Convert]] = {
    "statsd": (files("statsd", "config_yaml"), statsd.convert),
    "jmx": (files("jmx", "file"), lambda tree: jmx.convert(tree, {"": "localhost:9999"})),
    "json": (files("json", "config_yaml"), lambda tree: modules.convert(tree, {"": "http://localhost/"})),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_refused_or_its_native_form_loads(kind: str) -> None:
    random, (texts, convert) = Random(kind), KINDS[kind]
    outcomes: Counter[str] = Counter()
    for _ in range(TIMES):
        text = random.choice(texts)
        for _ in range(random.randint(1, 3)):
            start = random.randrange(len(text) + 1)
            text = text[:start] + random.choice(BITS) + text[start + random.randint(0, 6) :]
        try:
            made = convert(parse(text))
        except Fault:
            outcomes["refused"] += 1
            continue
        tree = parse(made)
        assert tree is not None, text
        decode(tree)
        outcomes["loads"] += 1

    print(kind, dict(outcomes))
    assert min(outcomes["refused"], outcomes["loads"]) >= 5
