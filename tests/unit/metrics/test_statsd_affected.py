"""What a reload moves to other series is said by name."""

from __future__ import annotations

from podmates_metrics.documents import parse
from podmates_metrics.statsd.affected import MOST, affected
from podmates_metrics.statsd.mapper import Mapper
from podmates_metrics.statsd.mapping import decode

OLD = """
mappings:
- {match: a.*, name: one, labels: {route: "$1"}}
- {match: b.*, name: bee}
- {match: c, name: sea, help: old}
"""
NEW = """
mappings:
- {match: a.*, name: two, labels: {route: "$1"}}
- {match: b.*, name: gone, action: drop}
- {match: c, name: sea, help: new}
"""


def mapper(text: str, size: int = 1000) -> Mapper:
    return Mapper(decode(parse(text)), size)


def test_only_metrics_that_move_are_named() -> None:
    old, new = mapper(OLD), mapper(NEW)
    for kind, name in (("counter", "a.x"), ("gauge", "b.y"), ("counter", "c"), ("counter", "d.e")):
        old.decide(kind, name)

    assert affected(old, new) == ["a.x: one{route='x'} -> two{route='x'}", "b.y: bee -> dropped"]
    assert affected(old, mapper(OLD)) == []
    assert (new.gets, new.hits, len(new)) == (0, 0, 0)


def test_long_names_and_many_of_them_are_cut_short() -> None:
    old = mapper(OLD, MOST * 2)
    for number in range(MOST * 2):
        old.decide("counter", f"a.{'x' * 5000}{number}")

    found = affected(old, mapper(NEW))

    assert len(found) == MOST
    assert all(len(line) < 300 for line in found)


def test_without_a_cache_nothing_is_known() -> None:
    old = mapper(OLD, 0)
    old.decide("counter", "a.x")

    assert affected(old, mapper(NEW)) == []
