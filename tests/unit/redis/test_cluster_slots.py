"""Keys to slots, and slots to servers, by tables."""

from __future__ import annotations

from typing import Any

import pytest

from podmates_redis.cluster.hashing import SLOTS, slot_of
from podmates_redis.cluster.slotmap import agreed, matched, moved, shards, view

A, B, C, D = ("a", 1), ("b", 2), ("c", 3), ("d", 4)


@pytest.mark.parametrize(
    ("key", "slot"),
    [
        (b"123456789", 0x31C3),  # the check value of this CRC
        (b"", 0),
        (b"foo", 12182),
        (b"bar", 5061),
        (b"hello", 866),
        (b"{foo}bar", 12182),
        (b"a{foo}{bar}", 12182),
        (b"{foo", slot_of(b"x{{foo}y")),
        (b"\x00\xff", slot_of(b"{\x00\xff}")),
    ],
)
def test_a_key_or_its_tag_has_the_slot_that_servers_give_it(key: bytes, slot: int) -> None:
    assert slot_of(key) == slot < SLOTS


def test_an_empty_tag_is_none() -> None:
    assert slot_of(b"{}foo") not in (slot_of(b"foo"), 0)
    assert slot_of(b"foo}{") != slot_of(b"foo")


def node(host: object, port: object, *more: object) -> list[object]:
    return [host, port, b"0123456789abcdef", *more]


def test_a_map_is_read_in_order_with_masters_first() -> None:
    reply = [[5461, 16383, node(b"b", 2)], [0, 5460, node(b"a", 1), node(b"c", 3)]]
    found = view(reply, "seed")
    assert [(part.first, part.last, part.nodes) for part in found] == [
        (0, 5460, (A, C)),
        (5461, 16383, (B,)),
    ]
    assert shards(found) == [(A, C), (B,)]


@pytest.mark.parametrize("host", [b"", None, b"?"])
def test_a_node_without_a_host_is_where_it_was_asked(host: object) -> None:
    assert view([[0, 1, node(host, 7)]], "seed")[0].nodes == (("seed", 7),)


@pytest.mark.parametrize(
    "reply",
    [
        b"nonsense",
        [b"x"],
        [[0, 1]],
        [[0, SLOTS, node(b"a", 1)]],
        [[2, 1, node(b"a", 1)]],
        [[-1, 1, node(b"a", 1)]],
        [[b"0", 1, node(b"a", 1)]],
        [[0, 1, b"a"]],
        [[0, 1, [b"a"]]],
        [[0, 1, node(b"a", 0)]],
        [[0, 1, node(b"a", 65536)]],
        [[0, 1, node(b"a", b"1")]],
        [[0, 0, node(b"a", 1)]] * (SLOTS + 1),
    ],
)
def test_what_makes_no_sense_is_refused(reply: Any) -> None:
    with pytest.raises(ValueError, match=r"answers|names"):
        view(reply, "seed")


def test_most_nodes_are_believed_and_then_who_knows_more() -> None:
    old, new = view([[0, 9, node(b"a", 1)]], ""), view([[0, 9, node(b"b", 2)]], "")
    assert agreed([old, new, new]) == new
    assert agreed([old, old, new]) == old
    assert agreed([(), old]) == old


def test_a_shard_stays_the_same_when_its_replica_takes_over() -> None:
    known = {1: frozenset([A, C]), 2: frozenset([B, D])}
    assert matched([(C,), (B, D)], known) == {0: 1, 1: 2}
    assert matched([(D, B), (A, C)], known) == {0: 2, 1: 1}


def test_a_shard_that_gets_the_replica_of_another_is_not_taken_for_it() -> None:
    known = {1: frozenset([A, C, D]), 2: frozenset([B])}
    assert matched([(A, C), (B, D)], known) == {0: 1, 1: 2}


def test_a_shard_is_found_once_and_new_ones_are_left_out() -> None:
    known = {1: frozenset([A, C])}
    assert matched([(A,), (C,)], known) == {0: 1}
    assert matched([(B,)], known) == {}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"-MOVED 3999 127.0.0.1:6381\r\n", (3999, ("127.0.0.1", 6381))),
        (b"-ASK 0 redis-0.example:6379\r\n", (0, ("redis-0.example", 6379))),
        (b"-MOVED 1 ::1:7\r\n", (1, ("::1", 7))),
        (b"-MOVED 1 [::1]:7\r\n", (1, ("::1", 7))),
        (b"-MOVED 1 :7\r\n", (1, ("", 7))),
        (b"-MOVED 16384 a:7\r\n", None),
        (b"-MOVED x a:7\r\n", None),
        (b"-MOVED 1 a\r\n", None),
        (b"-MOVED 1 a:0\r\n", None),
        (b"-MOVED\r\n", None),
    ],
)
def test_where_a_redirect_leads(line: bytes, found: object) -> None:
    assert moved(line) == found
