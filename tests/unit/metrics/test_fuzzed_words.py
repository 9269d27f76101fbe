"""Short texts that operators and strangers write: paths, patterns, flags, addresses, headers, numbers.

Where there is another reader of the same, both must be of one mind. SOAK=1 plays TIMES as much.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podmates_metrics import regexes
from podmates_metrics.command import Refused, load, words
from podmates_metrics.detecting.fingerprints import QUESTIONS, listening
from podmates_metrics.exposition.negotiation import Format, accepts_gzip, choose, patience
from podmates_metrics.golang import parse_duration, parse_float
from podmates_metrics.rules import paths
from podmates_metrics.rules.paths import Json
from podmates_metrics.rules.patterns import Pattern, Template
from podmates_metrics.statsd.framing import Either, Frames, Newlines
from tests.support.fuzzing import often, refusal

STEPS = st.one_of(
    st.sampled_from("ab"),
    st.integers(-2, 2),
    st.just(paths.ANY),
    st.text(max_size=3).filter(lambda t: "'" not in t),
)
DOCUMENTS: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["", "a", "é"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", ""]), inner, max_size=3)
    ),
    max_leaves=12,
)


def written(step: object) -> str:
    return "[*]" if step is paths.ANY else f"[{step}]" if isinstance(step, int) else f"['{step}']"


def reached(value: Json, steps: list[object]) -> list[Json]:
    """Return what *steps* lead to, in the plainest way."""
    if not steps:
        return [value]
    step, rest = steps[0], steps[1:]
    inner: list[Json] = []
    if step is paths.ANY:
        inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    elif isinstance(step, str) and isinstance(value, dict):
        inner = [value[step]] if step in value else []
    elif isinstance(step, int) and isinstance(value, list):
        inner = [value[step]] if -len(value) <= step < len(value) else []
    return [found for one in inner for found in reached(one, rest)]


@settings(max_examples=often(150))
@given(document=DOCUMENTS, steps=st.lists(STEPS, max_size=4))
def test_a_path_leads_where_its_steps_lead(document: Json, steps: list[object]) -> None:
    path = paths.parse("$" + "".join(map(written, steps)))

    assert [node.value for node in path.find(document)] == reached(document, steps)


NOISE = st.lists(st.sampled_from([*"$.[]*'\"@^{}0-9abé ~?", "[*]", "{a}", "**", "['a']"]), max_size=12).map(
    "".join
)


@settings(max_examples=often(150))
@given(text=NOISE, document=DOCUMENTS, name=NOISE)
def test_any_text_is_a_path_or_none(text: str, document: Json, name: str) -> None:
    with contextlib.suppress(ValueError):
        for node in paths.parse(text).find(document):
            json.dumps(node.value)
            with contextlib.suppress(LookupError):
                paths.look(node, name)
    with contextlib.suppress(ValueError):
        assert isinstance(Template(text).fill(lambda told: told), str)


@settings(max_examples=often(150))
@given(
    pattern=st.lists(
        st.sampled_from(["a", "b.", ".", "*", "**", "?", "{x}", "{y}", "é", "[", "\n"]), max_size=6
    ),
    text=st.text("ab.é[\n", max_size=8),
    dotted=st.booleans(),
)
def test_a_glob_matches_as_a_plain_expression_does(pattern: list[str], text: str, dotted: bool) -> None:
    unit = "[^.]" if dotted else "."
    meaning = {"*": f"{unit}*", "**": ".*", "?": unit, "{x}": f"({unit}+?)", "{y}": f"({unit}+?)"}
    written = re.sub(r"\*{2,}", "**", "".join(pattern))  # longer runs are read from the left
    parts = re.findall(r"\*\*|\*|\?|\{[xy]\}|[^*?{]", written)
    if max(parts.count("{x}"), parts.count("{y}")) > 1:
        with pytest.raises(ValueError, match="want a new name"):
            Pattern(written, dotted=dotted)
        return
    plain = re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.DOTALL)
    found, expected = Pattern(written, dotted=dotted).match(text), plain.fullmatch(text)

    names = [part[1] for part in parts if part in ("{x}", "{y}")]
    assert found == (None if expected is None else dict(zip(names, expected.groups(), strict=True)))


@settings(max_examples=often(150))
@given(
    text=st.lists(
        st.sampled_from([*"()[]{}?*+|\\^$.:<>PQECdna1,-é\n\x00", "(?P<a>", "\\Q", "[[:"]), max_size=12
    ),
    subject=st.text(max_size=8) | st.just("\ud800"),
)
def test_an_expression_is_refused_or_searched(text: list[str], subject: str) -> None:
    with contextlib.suppress(ValueError):
        found = regexes.compiled("".join(text)).search(subject)
        assert found is None or isinstance(found.groups(), tuple)


@settings(max_examples=often(200))
@given(text=st.text("0123456789+-.eExXpP_infanNIty １²", max_size=10))
def test_a_number_is_pythons_wherever_both_know_it(text: str) -> None:
    try:
        number = parse_float(text)
    except ValueError:
        return
    with contextlib.suppress(ValueError):
        assert float(text) == number or math.isnan(number)


PARTS = st.tuples(
    st.integers(0, 999), st.sampled_from([("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)])
)


@settings(max_examples=often(150))
@given(parts=st.lists(PARTS, min_size=1, max_size=4), noise=st.text("0123456789hmsuµn.+-", max_size=8))
def test_a_duration_is_the_sum_of_its_parts(parts: list[tuple[int, tuple[str, int]]], noise: str) -> None:
    text = "".join(f"{count}{unit}" for count, (unit, _) in parts)
    exact = Fraction(sum(count * size for count, (_, size) in parts), 1000)

    assert parse_duration(text) == pytest.approx(float(exact))
    with contextlib.suppress(ValueError):
        assert abs(parse_duration(noise)) < 2**63


FLAGS = ["--statsd.cache-size", "--web.telemetry-path", "--web.enable-lifecycle", "--no-web.enable-lifecycle"]
FLAGS += [
    "--statsd.listen-udp",
    "--web.listen-address",
    "--config.file",
    "--jmx.target",
    "--statsd.max-series",
]
FLAGS += ["--statsd.unixsocket-mode", "--statsd.cache-type", "--log.level", "--help", "--version", "-x", "--"]
SAID = st.sampled_from(
    ["", "=", "1", "-1", "9" * 30, "/m", "[::]:9", ":0", "a:b:c", "755", "\x00", "\ud800", "²"]
)
WORDS = (
    st.sampled_from(FLAGS)
    | SAID
    | st.builds("{}={}".format, st.sampled_from(FLAGS), SAID)
    | st.text(max_size=5)
)


@settings(max_examples=often(150))
@given(argv=st.lists(WORDS, max_size=5).filter(lambda argv: not any(word.startswith("@") for word in argv)))
def test_a_command_line_is_refused_with_a_reason_or_understood(argv: list[str]) -> None:
    told = refusal(lambda: load(words(argv), {}), Refused)

    assert len(told) < 2000


KINDS = [
    "text/plain",
    "application/openmetrics-text",
    "application/vnd.google.protobuf",
    "*/*",
    "text/*",
    "x/y",
    "",
]
ENDS = [
    "",
    ";q=0.5",
    ";q=nan",
    ";q=1e999",
    ";q=-1",
    "; Q = 1",
    ";version=1.0.0",
    ";version=0.0.4",
    ';q="1"',
    ";;=;",
]
ENDS += [
    ";proto=io.prometheus.client.MetricFamily;encoding=delimited",
    ";escaping=allow-utf-8",
    ";escaping=\u20ac",
]
ALTERNATIVES = st.builds(
    "{}{}{}".format, st.sampled_from(KINDS), st.sampled_from(ENDS), st.sampled_from(ENDS)
)


@settings(max_examples=often(150))
@given(accept=st.lists(ALTERNATIVES | st.text(max_size=6), max_size=6).map(",".join), offered=st.booleans())
def test_any_accept_is_answered_in_a_format_with_a_type_that_may_stand_in_a_header(
    accept: str, offered: bool
) -> None:
    choice = choose(accept, openmetrics=offered)

    assert offered or choice.format is not Format.OPENMETRICS
    assert choice.content_type.isprintable() and choice.content_type.isascii()
    assert not accepts_gzip(accept) or "gzip" in accept.lower()


SECONDS = st.floats(0, 4000).map(repr) | st.floats().map(repr) | st.text("019.e-+nafi_ ", max_size=6)


@settings(max_examples=often(150))
@given(text=SECONDS)
def test_a_scraper_gets_its_page_before_it_gives_up_whatever_time_it_says(text: str) -> None:
    limit = patience({"X-Prometheus-Scrape-Timeout-Seconds": text})

    assert limit is None or 0 <= limit < float(text) < 3600


@settings(max_examples=often(100))
@given(
    body=st.binary(max_size=60)
    | st.sampled_from([b"[" * 9000, b'{"a":' * 9000, b"9" * 5000, b'{"a": 1e999}'])
)
def test_an_answer_of_anything_tells_a_source_or_none(body: bytes) -> None:
    for question in QUESTIONS:
        told = question.tell(body)
        assert told is None or len(told) == 2
    with contextlib.suppress(ValueError):
        listening([body.decode(errors="replace")])


@pytest.mark.parametrize("make", [Newlines, Frames, Either])
@settings(max_examples=often(150))
@given(
    data=st.binary(max_size=60) | st.text("ab\r\n\x00\x01\x02", max_size=40).map(str.encode), cuts=st.data()
)
def test_a_stream_is_the_same_however_it_is_cut(
    make: type[Newlines] | type[Frames] | type[Either], data: bytes, cuts: st.DataObject
) -> None:
    def lines(*pieces: bytes) -> tuple[list[bytes], bool]:
        subject = make()
        taken = [got for piece in pieces if (got := subject.take(piece)) is not None]
        return [
            line for part in (*taken, subject.rest()) for line in part.split(b"\n") if line
        ], subject.broken

    at = sorted(cuts.draw(st.lists(st.integers(0, len(data)), max_size=5)))
    pieces = [data[low:high] for low, high in zip([0, *at], [*at, len(data)], strict=True)]

    assert lines(*pieces) == lines(data)
