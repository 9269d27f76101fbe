"""Random templates and documents: every one gives a text or its one kind of error."""

from __future__ import annotations

import contextlib
import random

import pytest

from podmates_metrics.json_exporter.core import bodies, documents
from podmates_metrics.json_exporter.core.bodyfunctions import Failed
from podmates_metrics.json_exporter.core.paths import Template
from podmates_metrics.json_exporter.core.steps import PathError
from tests.support.fuzzing import often

_PARTS = ["{", "}", ".", "..", "[", "*", "]", "0", "-1", ":", ",", "'", '"', "a", "b", "?(", "@", "==", ">"]
_PARTS += ["1.5", ")", "range ", "end", " ", "$", "\\", "\n", "é", "\ud800", "[*]", ".a", "{range ", "{end}"]
_PARTS += ["[?(@.a", "true"]
_BODY = ["{{", "}}", "-", ".x", " ", "|", "first", "upper", "(", ")", '"', "`", "7", "/*", "*/", "\\", "join"]
_DOCUMENTS = [
    b"null",
    b'{"a": [1, {"b": "x", "a": null}, [true, "a"]]}',
    b'"text"',
    b"[[[]]]",
    b'{"a": {"a": 1}}',
]


@pytest.mark.parametrize("seed", range(often(5)))
def test_no_template_breaks_anything(seed: int) -> None:
    chance = random.Random(seed)
    read = [documents.parse(document) for document in _DOCUMENTS]
    for _ in range(2000):
        template = Template("".join(chance.choices(_PARTS, k=chance.randint(1, 12))))
        for document in read:
            with contextlib.suppress(PathError):
                assert isinstance(template.show(document, lenient=chance.random() < 0.5), str)


@pytest.mark.parametrize("seed", range(often(3)))
def test_no_body_breaks_anything(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(3000):
        text = "".join(chance.choices(_BODY, k=chance.randint(1, 12)))
        with contextlib.suppress(bodies.Refused, Failed):
            assert isinstance(bodies.parse(text, templated=True).render({"x": ["a", "b"]}), str)


@pytest.mark.parametrize("seed", range(often(3)))
def test_no_bytes_break_the_reader_of_documents(seed: int) -> None:
    chance = random.Random(seed)
    whole = _DOCUMENTS[1]
    for _ in range(3000):
        cut = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            cut[chance.randrange(len(cut))] = chance.randrange(256)
        with contextlib.suppress(documents.NotJson):
            documents.parse(bytes(cut))
