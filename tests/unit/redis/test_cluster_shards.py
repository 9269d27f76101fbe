"""Who serves which slot, as servers and the cluster say it, without any server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from podmates_common.health import Health
from podmates_common.parse import Address
from podmates_redis.cluster.shards import Shards
from podmates_redis.cluster.slotmap import Place, Range, View
from podmates_redis.session.shared import Shared

A, B, C = ("a", 1), ("b", 2), ("c", 3)


class Idle:
    """Watches nobody."""

    def watch(self, addresses: Iterable[Address], *, gently: bool) -> None: ...


class Known:
    """Shards of a cluster of which the test knows all."""

    def __init__(self) -> None:
        self.now = 0.0
        idle: Any = Idle()
        shared = Shared(clock=lambda: self.now)
        self.shards = Shards(shared, Health(), lambda shared, health: idle)

    def owner(self, slot: int) -> set[Place]:
        return set(self.shards.owner(slot).nodes)


def halves(low: Place, high: Place) -> View:
    return (Range(0, 8191, (low,)), Range(8192, 16383, (high,)))


def test_the_cluster_says_who_serves_what() -> None:
    known = Known()
    known.shards.take(halves(A, B))
    assert (known.owner(0), known.owner(16383)) == ({A}, {B})
    known.shards.take((Range(0, 0, (B,)), Range(1, 8191, (A,)), Range(8192, 16383, (B,))))
    assert (known.owner(0), known.owner(1)) == ({B}, {A})


def test_a_server_that_has_sent_us_elsewhere_is_believed_while_others_may_not_have_heard_of_it() -> None:
    known = Known()
    known.shards.take(halves(A, B))
    known.shards.moved(5, B)
    known.shards.take(halves(A, B))
    assert (known.owner(5), known.owner(6)) == ({B}, {A})
    known.now = 10.0
    known.shards.take(halves(A, B))
    assert known.owner(5) == {A}


def test_a_server_that_nobody_knew_is_kept_although_it_serves_nothing_yet() -> None:
    known = Known()
    known.shards.take(halves(A, B))
    known.shards.moved(5, C)
    assert known.owner(5) == {C}
    assert known.shards.at(C) is known.shards.owner(5)
    known.shards.take(halves(A, B))
    assert len(known.shards.every()) == 3
