"""Native histograms: the same buckets in both twins, bounded, and read back from the protobuf format."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podmates_metrics.documents import parse
from podmates_metrics.exposition.negotiation import Format
from podmates_metrics.exposition.page import page
from podmates_metrics.statsd.mapping import decode
from podmates_metrics.statsd.sparse import COARSEST, FINEST, Sparse, bucket, schema_of
from podmates_metrics.tree import Fault
from tests.unit.metrics.engines import TWINS, engine, twin
from tests.unit.metrics.messages import Fields, delimited, fields, signed

RULE = "mappings: [{{match: size, name: size, observer_type: histogram, histogram_options: {{{options}}}}}]"
SCHEMAS = range(COARSEST, FINEST + 1)
VALUES = st.one_of(
    st.floats(), st.integers(-20, 20).map(float), st.integers(-1074, 1023).map(lambda e: 2.0**e)
)


def buckets(side: list[Fields], deltas: list[int]) -> dict[int, int]:
    """Return buckets by index from spans and deltas, empty ones left out."""
    found, at, count = {}, 0, 0
    rest = iter(deltas)
    for span in side:
        at += signed(span[1][0])
        for _ in range(span[2][0]):
            count += signed(next(rest))
            found[at] = count
            at += 1
    assert next(rest, None) is None
    return {key: count for key, count in found.items() if count}


def histogram(which: str, lines: bytes, options: str = "") -> Fields:
    """Return the message of histogram ``size`` after *lines*."""
    subject = engine(which, RULE.format(options=options))
    for line in lines.split(b"\n"):  # one by one: the first is slow, the others fast
        subject.feed(line, 0.0)
    data = b"".join(page(Format.PROTOBUF, list(subject.store.families.values()), {}, {}))
    return fields(fields(delimited(data)[0][4][0])[7][0])


def sparse(message: Fields) -> Sparse:
    def side(span: int, delta: int) -> dict[int, int]:
        return buckets([fields(one) for one in message.get(span, [])], message.get(delta, []))

    return Sparse(signed(message[5][0]), 0, message[7][0], side(12, 13), side(9, 10))


@pytest.mark.parametrize(
    ("factor", "schema"),
    [(1.1, 3), (2, 0), (4, -1), (65536, -4), (1e308, -4), (math.inf, -4), (1.002, 8), (1 + 2**-52, 8)],
)
def test_buckets_are_as_coarse_as_the_factor_allows(factor: float, schema: int) -> None:
    assert schema_of(factor) == schema


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_power_of_two_is_the_upper_bound_of_its_bucket(schema: int) -> None:
    for exponent in (-1021, -300, -1, 0, 1, 16, 1023):
        value = 2.0**exponent
        key = bucket(value, schema)
        assert key == math.ceil(exponent * 2.0**schema)
        assert bucket(math.nextafter(value, math.inf), schema) == math.floor(exponent * 2.0**schema) + 1
    assert bucket(math.inf, schema) == bucket(1.7976931348623157e308, schema) + 1


@given(st.sampled_from(SCHEMAS), st.floats(1e-300, 1e300))
def test_a_value_lies_within_the_bounds_of_its_bucket(schema: int, value: float) -> None:
    place = math.log2(value) * 2.0**schema

    assert bucket(value, schema) - 1 - 1e-6 <= place <= bucket(value, schema) + 1e-6


@pytest.mark.skipif(len(TWINS) < 2, reason="there is no compiler")
@given(st.sampled_from(SCHEMAS), st.integers(1, 40), st.lists(st.tuples(VALUES, st.integers(1, 5))))
def test_both_twins_have_the_same_buckets(schema: int, most: int, values: list[tuple[float, int]]) -> None:
    cells = [twin(which).Cell(2, (1.0,), None, (schema, most)) for which in TWINS]
    for value, weight in values:
        for cell in cells:
            cell.update(value, weight, False)
    (count, total, pure), compiled = cells[0].native(), cells[1].native()

    assert (count, repr(total), pure) == (compiled[0], repr(compiled[1]), compiled[2])
    assert pure.count == sum(weight for value, weight in values if value == value)
    assert len(pure.positive) + len(pure.negative) <= max(most, 280)


@pytest.mark.parametrize("which", TWINS)
def test_it_stands_in_the_protobuf_format_beside_the_classic_one(which: str) -> None:
    lines = b"size:1|h\nsize:1.5|h\nsize:100|h|@0.1\nsize:-3|h\nsize:0|h\nsize:1e300|h"
    message = histogram(which, lines, "buckets: [1, 10], native_histogram_bucket_factor: 2")

    found = sparse(message)
    assert (found.schema, found.zero) == (0, 1)
    assert found.positive == {0: 1, 1: 1, 7: 10, 997: 1}
    assert found.negative == {2: 1}
    assert message[1] == [found.count] == [15]
    assert [fields(one)[1][0] for one in message[3]] == [3, 4, 15]


@pytest.mark.parametrize("which", TWINS)
def test_too_many_buckets_become_coarser_ones(which: str) -> None:
    lines = b"\n".join(b"size:%d|h" % 2**number for number in range(60))
    found = sparse(histogram(which, lines, "native_histogram_max_buckets: 10"))

    assert found.count == 60
    assert len(found.positive) <= 10
    assert found.schema == -3


@pytest.mark.parametrize("which", TWINS)
def test_a_factor_that_does_not_grow_switches_it_off(which: str) -> None:
    message = histogram(which, b"size:1|h", "native_histogram_bucket_factor: 1")

    assert set(message) == {1, 2, 3}


@pytest.mark.parametrize("which", TWINS)
def test_one_with_nothing_but_nonsense_in_it_is_still_one(which: str) -> None:
    message = histogram(which, b"size:NaN|h")

    assert sparse(message) == Sparse(3, 0)
    assert [fields(span) for span in message[12]] == [{1: [0], 2: [0]}]
    assert message[1] == [1]
    assert math.isnan(message[2][0])


def test_defaults_are_the_originals_and_a_rule_may_differ() -> None:
    text = """
defaults: {observer_type: histogram, histogram_options: {native_histogram_max_buckets: 100}}
mappings:
- {match: a, name: a}
- {match: b, name: b, histogram_options: {native_histogram_bucket_factor: 1.5}}
- {match: c, name: c, histogram_options: {native_histogram_max_buckets: 4000000000}}
"""
    made = decode(parse(text))

    assert decode(None).shape.native == (3, 256)
    assert [rule.shape.native for rule in made.rules] == [(3, 100), (1, 100), (3, 10_000)]


def test_a_factor_that_is_no_number_is_refused() -> None:
    with pytest.raises(Fault, match="native_histogram_bucket_factor"):
        decode(parse(RULE.format(options="native_histogram_bucket_factor: much")))
