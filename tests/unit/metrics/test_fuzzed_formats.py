"""Texts of every format: what a writer wrote is read back, and whatever comes costs records and counts only.

SOAK=1 plays TIMES as much.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podmates_metrics.exposition.text import given as text_of
from podmates_metrics.formats.base import MAX_LINE, Format, FormatProblem, Misses
from podmates_metrics.formats.reading import feed, records
from podmates_metrics.formats.rows import line_record
from podmates_metrics.regexes import compiled
from podmates_metrics.rules.apply import Applied, as_text
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.rules.paths import Json
from tests.support.fuzzing import often, refusal

PATTERNS = tuple(map(compiled, [r"^(?P<key>\w+)=(?P<value>\S+)", r"(?P<a>.)(?P<b>\d)?", "(?P<e>)"]))
FORMATS = {
    "json": Format(),
    "keyvalue": Format("keyvalue"),
    "keyvalue, own separator": Format("keyvalue", separator="::"),
    "csv": Format("csv"),
    "csv, cells": Format("csv", separator=";", columns=("a", "value", "a"), cells="both"),
    "logfmt": Format("logfmt"),
    "logfmt, cells": Format("logfmt", cells="cells"),
    "jsonl": Format("jsonl", cells="cells"),
    "line": Format("line"),
    "regex": Format("regex", patterns=PATTERNS[:2], cells="both"),
    "regex, whole": Format("regex", patterns=PATTERNS, whole=True),
    "prometheus": Format("prometheus"),
}
PIECES = st.sampled_from(
    [
        *"\"'\\{}[]=:,;# \t\r\n\x000-9.aé€",
        "\u2028",
        "\u0085",
        "STAT ",
        "[s]",
        "value",
        "$9",
        "+OK",
        "::",
        "a=1,",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3) | st.floats().map(repr), max_size=30).map("".join)
BYTES = TEXTS.map(lambda text: text.encode(errors="surrogatepass")) | st.binary(max_size=80)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=often(60))
@given(body=BYTES)
def test_whatever_comes_is_read_or_counted(name: str, body: bytes) -> None:
    applied = Applied(Ruleset([], "app", expose=True))

    told = refusal(lambda: feed(body, FORMATS[name], applied), FormatProblem)

    assert len(told) < 300
    for family in applied.families.values():
        text_of(family).encode()


@pytest.mark.parametrize("kind", ["logfmt", "jsonl", "line", "regex"])
@settings(max_examples=often(60))
@given(line=TEXTS | st.text(max_size=40))
def test_a_line_of_a_log_is_a_record_or_none(kind: str, line: str) -> None:
    record = line_record(Format(kind, patterns=PATTERNS))(line, "/a")

    assert record is None or record.fields["@file"] == "/a"


PLAIN = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
KEYS = st.from_regex(r"[a-z@._-][A-Za-z0-9._-]{0,7}", fullmatch=True)
ROWS = st.dictionaries(KEYS.filter(lambda key: key != "text"), PLAIN, min_size=1, max_size=5)


def as_csv(row: dict[str, str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([row.keys(), row.values()])
    return out.getvalue()


def as_logfmt(row: dict[str, str]) -> str:
    def said(value: str) -> str:
        told = value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
        return f'"{told}"'

    return " ".join(f"{key}={said(value)}" for key, value in row.items())


WRITERS: dict[str, Callable[[dict[str, str]], str]] = {
    "csv": as_csv,
    "logfmt": as_logfmt,
    "jsonl": json.dumps,
}


@pytest.mark.parametrize("kind", WRITERS)
@settings(max_examples=often(100))
@given(row=ROWS)
def test_what_a_writer_wrote_is_read_back(kind: str, row: dict[str, str]) -> None:
    misses = Misses()
    read = [dict(record.fields) for record in records(WRITERS[kind](row), Format(kind), misses)]
    for fields in read:
        del fields["text"]

    assert (read, misses.lines) == ([row], 0)


JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=15,
)


def leaves(value: Json, path: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return what a document tells, by dotted path."""
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [found for at, inner in enumerate(value) for found in leaves(inner, (*path, str(at)))]
    text = as_text(value)
    return [] if text is None else [(".".join(path), text)]


@settings(max_examples=often(100))
@given(document=st.dictionaries(st.text("ab", min_size=1, max_size=3), JSON, max_size=4))
def test_a_json_line_tells_every_leaf(document: dict[str, Json]) -> None:
    line = json.dumps(document)
    if len(line) > MAX_LINE:
        return
    [record] = records(line, Format("jsonl"), Misses())
    told = dict(leaves(document))

    assert {key: record.fields[key] for key in told if key != "text"} == {
        key: text for key, text in told.items() if key != "text"
    }
