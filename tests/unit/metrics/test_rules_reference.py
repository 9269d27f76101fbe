"""The reference of the rule language does what it says: every example is tried, every key has one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.native.rules import NativeRule
from podmates_metrics.trial.run import run

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference" / "rules.md"
TUTORIAL = ROOT / "docs" / "tutorial-rules.md"
_EXAMPLE = re.compile(
    r"```yaml\n(.*?)```\n(?:```mapping.yaml\n(.*?)```\n)?```sample\n(.*?)```\n```page\n(.*?)```", re.DOTALL
)
# Fields of the class that no key of the same name gives, and what gives them.
_KEYS = {"source": "from", "kind": "type"}


class Example(NamedTuple):
    where: str
    rules: str
    mapping: str  # the file mapping.yaml beside it; empty: there is none
    sample: str
    page: str


def examples(path: Path) -> list[Example]:
    """Return the examples of a page, each with the heading that it stands below."""
    found = []
    for part in re.split(r"^##+ ", path.read_text(), flags=re.MULTILINE):
        found += [Example(part.split("\n", 1)[0], *blocks) for blocks in _EXAMPLE.findall(part)]
    return found


PAGES = [REFERENCE, TUTORIAL]


@pytest.mark.parametrize("example", [e for page in PAGES for e in examples(page)], ids=lambda e: e.where)
def test_an_example_gives_the_page_that_it_shows(example: Example) -> None:
    beside = {"mapping.yaml": parse(example.mapping)}
    trial = run(parse(example.rules), example.sample.encode(), "", load=beside.__getitem__)

    shown = trial.page.splitlines() if example.page.startswith("#") else trial.series
    assert sorted(shown) == sorted(example.page.splitlines())
    assert trial.good, trial.notes


def test_every_key_of_a_rule_has_its_chapter() -> None:
    keys = {_KEYS.get(name, name) for name in NativeRule.__dataclass_fields__} - {"index", "typed", "utf8"}
    chapters = set(re.findall(r"^### (\w+)$", REFERENCE.read_text(), re.MULTILINE))

    assert keys - chapters == set()


def test_every_block_of_rules_belongs_to_an_example() -> None:
    for page in PAGES:
        assert page.read_text().count("```yaml") == len(examples(page)), page
