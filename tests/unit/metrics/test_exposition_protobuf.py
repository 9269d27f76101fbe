"""The protobuf exposition, read back field by field."""

from __future__ import annotations

import math
from typing import Any

import pytest

from podmates_metrics.exposition import wire
from podmates_metrics.exposition.negotiation import Format
from podmates_metrics.exposition.page import page
from podmates_metrics.sources.base import Exemplar, Family, Kind, Sample
from podmates_metrics.statsd.engine import Engine
from tests.unit.metrics import messages
from tests.unit.metrics.engines import TWINS, engine, samples
from tests.unit.metrics.messages import Fields, delimited, fields, labels

TYPES = ["counter", "gauge", "summary", "untyped", "histogram"]
NUMBER = {"counter": 3, "gauge": 2, "untyped": 5}
HISTOGRAM = "mappings: [{match: size, name: size, observer_type: histogram}]"


def families(subject: Engine | None = None, *others: Family) -> dict[str, Fields]:
    subject = subject or engine()
    subject.sweep(0.0)
    stored = list(subject.store.families.values())
    named = {family.name: family for family in others}
    found = delimited(b"".join(page(Format.PROTOBUF, stored, named, {})))
    return {family[1][0].decode(): family for family in found}


def kind(family: Fields) -> str:
    return TYPES[family[3][0]]


def lines(found: dict[str, Fields]) -> dict[str, float]:
    """Return what the text format would say of the same families."""
    made: dict[str, float] = {}
    for name, family in found.items():
        for metric in map(fields, family[4]):
            for suffix, extra, value in _values(kind(family), metric):
                pairs = [f'{k}="{v}"' for k, v in labels(metric).items()] + extra
                made[name + suffix + (f"{{{','.join(pairs)}}}" if pairs else "")] = value
    return made


def _values(kind: str, metric: Fields) -> list[tuple[str, list[str], float]]:
    if kind in NUMBER:
        return [("", [], fields(metric[NUMBER[kind]][0])[1][0])]
    inner = fields(metric[4 if kind == "summary" else 7][0])
    made: list[tuple[str, list[str], float]] = [("_count", [], inner[1][0]), ("_sum", [], inner[2][0])]
    for part in map(fields, inner.get(3, [])):
        if kind == "summary":
            made.append(("", [f'quantile="{part[1][0]:g}"'], part[2][0]))
        else:
            bound = "+Inf" if part[2][0] == math.inf else f"{part[2][0]:g}"
            made.append(("_bucket", [f'le="{bound}"'], part[1][0]))
    return made


@pytest.mark.parametrize("which", TWINS)
def test_it_says_the_same_as_the_text(which: str) -> None:
    subject = engine(which, HISTOGRAM)
    subject.feed(
        b"hits:3|c|#a:b\nhits:1|c\nload:-1.5|g\ntimer:5|ms|#a:b\ntimer:7|ms\nsize:3|h\nsize:0.2|h", 0.0
    )

    found = families(subject)

    assert lines(found) == samples(subject)
    assert {name: kind(family) for name, family in found.items()} == {
        "hits": "counter",
        "load": "gauge",
        "size": "histogram",
        "timer": "summary",
    }


def test_values_and_labels_that_are_odd() -> None:
    subject = engine()
    subject.feed(b'infinite:-Inf|g\nnan:NaN|g\nquoted:1|g|#text:a"b\\c \xc3\xa9', 0.0)
    found = families(subject)

    assert lines(found)["infinite"] == -math.inf
    assert math.isnan(lines(found)["nan"])
    assert labels(fields(found["quoted"][4][0])) == {"text": 'a"b\\c é'}


@pytest.mark.parametrize(
    ("given", "shown"),
    [("counter", "counter"), ("info", "gauge"), ("stateset", "gauge"), ("untyped", "untyped")],
)
def test_sources_families_have_the_kind_that_the_format_knows(given: Kind, shown: str) -> None:
    found = families(None, Family("x_bytes", given, "Help.", [Sample((), 2, timestamp=-1.5)], "bytes"))

    family = found["x_bytes"]
    assert (kind(family), family[2], family[5]) == (shown, [b"Help."], [b"bytes"])
    assert fields(family[4][0])[6] == [2**64 - 1500]


def bucket(le: str, value: float, *more: tuple[str, str], exemplar: Exemplar | None = None) -> Sample:
    return Sample((*more, ("le", le)), value, "_bucket", exemplar=exemplar)


def test_a_sources_histogram_and_summary_are_put_together() -> None:
    exemplar = Exemplar((("trace", "x"),), 3.0, 2.25)
    histogram = [
        bucket("+Inf", 3, ("a", "b")),
        bucket("5", 2, ("a", "b"), exemplar=exemplar),
        Sample((("a", "b"),), 3, "_count"),
        Sample((("a", "b"),), 9.5, "_sum"),
    ]
    summary = [Sample((("quantile", "0.5"),), 4), Sample((), 2, "_count"), Sample((), 8, "_sum")]
    found = families(None, Family("h", "histogram", "", histogram), Family("s", "summary", "", summary))

    assert lines(found) == {
        'h_bucket{a="b",le="5"}': 2,
        'h_bucket{a="b",le="+Inf"}': 3,
        'h_count{a="b"}': 3,
        'h_sum{a="b"}': 9.5,
        's{quantile="0.5"}': 4,
        "s_count": 2,
        "s_sum": 8,
    }
    inner = fields(fields(fields(found["h"][4][0])[7][0])[3][0])
    told = fields(inner[3][0])
    assert (labels(told), told[2], fields(told[3][0])) == (
        {"trace": "x"},
        [3.0],
        {1: [2], 2: [250_000_000]},
    )


WHOLE = [bucket("5", 2), bucket("+Inf", 3), Sample((), 3, "_count"), Sample((), 9.5, "_sum")]


@pytest.mark.parametrize(
    "samples",
    [
        WHOLE[:3],
        [*WHOLE[:2], WHOLE[3]],
        [*WHOLE, Sample((), 1, "_created")],
        [bucket("5", 2.5), *WHOLE[1:]],
        [bucket("5", 4), *WHOLE[1:]],
        [bucket("5", math.nan), *WHOLE[1:]],
        [bucket("five", 1), *WHOLE[1:]],
        [*WHOLE[:2], Sample((), math.inf, "_count"), WHOLE[3]],
        [*WHOLE[:2], Sample((), 7, "_count"), WHOLE[3]],
    ],
    ids=["no sum", "no count", "strange", "fraction", "falls", "nan", "no bound", "infinite", "two counts"],
)
def test_what_is_no_whole_histogram_loses_its_type_and_nothing_else(samples: list[Sample]) -> None:
    found = families(None, Family("h", "histogram", "", samples))

    assert {kind(family) for family in found.values()} == {"untyped"}
    read: list[Any] = list(lines(found).values())
    assert [repr(v) for v in sorted(read, key=repr)] == sorted(repr(float(s.value)) for s in samples)


def test_a_family_that_both_have_is_one_message() -> None:
    subject = engine()
    subject.feed(b"hits:3|c\nhits:1|c|#a:b", 0.0)
    more = [Sample((), 99), Sample((("c", "d"),), 5)]

    found = families(subject, Family("hits", "counter", "", more))

    assert lines(found) == {"hits": 3, 'hits{a="b"}': 1, 'hits{c="d"}': 5}


def test_a_large_family_gives_the_receivers_their_turns() -> None:
    subject = engine()
    subject.feed(b"\n".join(b"many:1|c|#n:%d" % number for number in range(3500)), 0.0)

    pieces = list(page(Format.PROTOBUF, list(subject.store.families.values()), {}, {}))

    assert pieces.count(b"") >= 3
    assert len(delimited(b"".join(pieces))[0][4]) == 3500


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**32, 2**63 - 1, 2**64 - 1])
def test_a_whole_number_is_read_back(number: int) -> None:
    assert fields(wire.whole(1, number)) == {1: [number]}


@pytest.mark.parametrize("number", [0, -1, 1, -64, 63, -(2**31), 2**31 - 1, -(2**62)])
def test_a_signed_number_is_read_back(number: int) -> None:
    assert messages.signed(fields(wire.signed(1, number))[1][0]) == number
