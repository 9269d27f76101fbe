"""The hot paths change nothing: whatever comes, both twins and the slow path alone tell the same."""

from __future__ import annotations

import gc
import struct
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podmates_metrics.golang import parse_float
from podmates_metrics.statsd import hot
from podmates_metrics.statsd.line import Styles, parse
from tests.support.fuzzing import often
from tests.unit.metrics.engines import TWINS, engine, page, total, twin

MAPPING = """
mappings:
- match: m.*.ms
  name: "timer_$1"
  observer_type: histogram
  histogram_options: {buckets: [0.001, 0.01, 1]}
- match: s.*
  name: scaled
  labels: {part: "$1"}
  scale: -2
"""
NAMES = ["a", "a.b", "m.x.ms", "m.y.ms", "s.x", "t[k=v]", "q,a=b", "", "é", "r#"]
VALUES = [
    "1",
    "-1",
    "+2",
    "0",
    "1.5",
    "-0",
    "nan",
    "Inf",
    "1e3",
    "1_0",
    " 1",
    "x",
    "1:2",
    "1e400",
    "0.1234567890123456789",
]
TAILS = [
    "c",
    "g",
    "ms",
    "h",
    "d",
    "s",
    "c|@0.1",
    "ms|@0.5",
    "h|@0.3|#x:y",
    "c|#x:y",
    "g|#x:1,y:2",
    "c|c:id",
    "c:2|c",
    "",
]

LINES = st.builds("{}:{}|{}".format, st.sampled_from(NAMES), st.sampled_from(VALUES), st.sampled_from(TAILS))


@pytest.mark.parametrize("which", TWINS)
@settings(max_examples=often(150))
@given(st.lists(LINES, max_size=40))
def test_a_known_line_does_what_an_unknown_one_does(which: str, lines: list[str]) -> None:
    quick = engine(which, MAPPING)
    slow = engine("pure", MAPPING)
    packet = "\n".join(lines).encode()

    quick.feed(packet, 0.0)
    for line in packet.split(b"\n"):
        slow.use(slow.mapper)  # forgets every line: the next one is unknown
        slow.feed(line, 0.0)

    assert page(quick) == page(slow)
    skip = {"podmates_statsd_remembered_lines"} | {
        f"statsd_metric_mapper_cache_{n}" for n in ("gets_total", "hits_total")
    }
    assert {k: v for k, v in quick.totals().items() if k not in skip} == {
        k: v for k, v in slow.totals().items() if k not in skip
    }


@settings(max_examples=often(300))
@given(st.binary(max_size=80) | st.text(alphabet="a:|#@,=[].1c-mshTe\r\n \x00é", max_size=60).map(str.encode))
def test_no_bytes_break_the_engine(data: bytes) -> None:
    subjects = [engine(which) for which in TWINS]

    for subject in subjects:
        subject.feed(data, 0.0)
        subject.feed(data + b"\nok:1|c", 0.0)

        assert total(subject, "statsd_exporter_lines_total") == 2 * (data.count(b"\n") + 1) + 1
    assert len({page(subject) for subject in subjects}) == 1


@settings(max_examples=often(100))
@given(st.binary(max_size=60))
def test_the_grammar_never_raises_and_every_sample_ends_somewhere(line: bytes) -> None:
    parsed = parse(line, Styles())

    assert len(parsed.events) <= parsed.samples
    assert parsed.samples <= len(parsed.events) + len(parsed.errors)


@pytest.mark.parametrize("which", TWINS)
def test_remembered_lines_are_bounded(which: str) -> None:
    subject = engine(which, remembered=100)

    for number in range(1000):
        subject.feed(b"a%d:1|c\na%d:1|c" % (number, number), 0.0)

        assert total(subject, "podmates_statsd_remembered_lines") <= 100
    assert total(subject, "statsd_exporter_events_total", "counter") == 2000


@pytest.mark.parametrize("which", TWINS)
def test_ten_thousand_lines_are_told_apart(which: str) -> None:
    subject = engine(which, remembered=1 << 16)
    packet = b"\n".join(b"a%d:%d|c|#k:%d" % (n, n, n % 7) for n in range(10_000))

    subject.feed(packet, 0.0)
    subject.feed(packet, 0.0)

    values = {
        family.name: next(iter(family.series.values())).cell.value
        for family in subject.store.families.values()
    }
    assert values == {f"a{n}": 2.0 * n for n in range(10_000)}


NUMBERS = st.from_regex(r"[+-]?[0-9]{0,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{0,4})?", fullmatch=True)
FLOATS = st.floats(allow_nan=False, allow_infinity=False).map(repr)


@pytest.mark.parametrize("which", TWINS)
@settings(max_examples=often(200))
@given(st.lists(NUMBERS | FLOATS, max_size=5))
def test_a_number_is_read_to_the_last_bit(which: str, numbers: list[str]) -> None:
    subject = engine(which)
    expected = 1.0

    subject.feed("\n".join(["x:1|g", *(f"x:{number}|g" for number in numbers)]).encode(), 0.0)

    for number in numbers:
        try:
            value = parse_float(number)
        except ValueError:
            continue
        expected = expected + value if number[0] in "+-" else value
    assert next(iter(subject.store.families["x"].series.values())).cell.value == expected


@pytest.mark.parametrize("which", TWINS)
@settings(max_examples=often(20))
@given(st.lists(st.tuples(st.integers(0, 700), st.sampled_from(["", "|@0.5"]), st.booleans()), max_size=8))
def test_windows_fold_and_turn_alike(which: str, rounds: list[tuple[int, str, bool]]) -> None:
    """Numbers are given to a window late, yet as if each had been given at once."""
    subject, plain = engine(which), engine("pure")
    for step, (count, rate, looks) in enumerate(rounds):
        lines = b"\n".join(f"t:{(n * 7919 + step) % 1009}|ms{rate}".encode() for n in range(count))
        for one in (subject, plain):
            one.feed(lines, step * 100.0)
            one.sweep(step * 100.0)
        if looks:
            assert page(subject) == page(plain)
    assert page(subject) == page(plain)


def test_a_counter_has_no_room_for_what_only_observers_need() -> None:
    counter, observer = hot.Cell(hot.COUNTER), hot.Cell(hot.HISTOGRAM, (1.0,))

    assert sys.getsizeof(observer) - sys.getsizeof(counter) == 6 * struct.calcsize("P")
    assert (counter.count, counter.bounds, counter.window, counter.read()) == (0, (), None, (0, 0.0, []))


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize("kind", [hot.COUNTER, hot.GAUGE, hot.HISTOGRAM])
def test_a_series_whose_time_is_over_takes_a_late_value_without_harm(which: str, kind: int) -> None:
    cell = twin(which).Cell(kind)
    assert cell.expire(1.0)

    cell.update(2.0, 1, False)

    assert cell.kind == hot.DEAD


def test_a_name_that_comes_with_many_suffixes_is_kept_once() -> None:
    intake = hot.Intake(lambda line, now: None, 10_000)
    for number in range(5):
        for name in ("one", "two"):
            line = f"{name}:1|c|#n:{number}".encode()
            intake.bind(line, hot.Cell(hot.COUNTER), (1.0, 1.0, 1), hot.Tally())
    routes = [part for part in gc.get_referents(intake) if isinstance(part, dict)]
    names = [
        name
        for route in routes
        for several in route.values()
        if isinstance(several, dict)
        for name in several
    ]

    assert len(names) == 10
    assert len({id(name) for name in names}) == 2
