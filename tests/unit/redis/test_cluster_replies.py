"""Replies of servers of a cluster: what they may mean, and how one is made of several."""

from __future__ import annotations

import pytest

from podmates_redis.cluster.blocks import without_last
from podmates_redis.cluster.gathering import COMBINE, scanned, taken_apart, told
from podmates_redis.cluster.hashing import SLOTS
from podmates_redis.cluster.slotmap import inherited, view
from podmates_redis.wire.replies import absent
from tests.unit.redis.rig import OK


@pytest.mark.parametrize(
    "reply",
    [
        *(
            b"$-1\r\n",
            b"_\r\n",
            b":0\r\n",
            b":-2\r\n",
            b"*0\r\n",
            b"%0\r\n",
            b"~0\r\n",
            b"$0\r\n\r\n",
            b"+none\r\n",
        ),
        *(b"#f\r\n", b"*2\r\n$-1\r\n$-1\r\n", b"*1\r\n", b"*1\r\n*-1\r\n", b"*1\r\n:0\r\n"),
    ],
)
def test_which_replies_a_missing_key_may_give(reply: bytes) -> None:
    assert absent(reply)


@pytest.mark.parametrize(
    "reply",
    [
        *(b"$1\r\n0\r\n", b":1\r\n", b"*1\r\n$1\r\na\r\n", b"%1\r\n", b",1.5\r\n", b"+string\r\n"),
        b"~1\r\n$1\r\na\r\n",
    ],
)
def test_which_replies_it_does_not_give(reply: bytes) -> None:
    assert not absent(reply)


def test_a_scan_goes_through_the_shards() -> None:
    assert taken_apart(b"0") == (0, 0)
    first = scanned(b"*2\r\n$2\r\n17\r\n*1\r\n$1\r\na\r\n", 1, 2)
    cursor = first.split(b"\r\n")[2]
    assert taken_apart(cursor) == (1, 17)
    ended = scanned(b"*2\r\n$1\r\n0\r\n*0\r\n", 1, 2)
    assert taken_apart(ended.split(b"\r\n")[2]) == (2, 0)
    assert scanned(b"*2\r\n$1\r\n0\r\n*0\r\n", 2, 0) == b"*2\r\n$1\r\n0\r\n*0\r\n"
    assert scanned(b"-ERR syntax error\r\n", 1, 2) == b"-ERR syntax error\r\n"
    assert [taken_apart(word) for word in (b"x", b"", b"-1", b"1" * 21)] == [None] * 4


def test_replies_of_shards_become_one() -> None:
    assert (
        COMBINE["keys"]([b"*1\r\n$1\r\na\r\n", b"*0\r\n", b"*1\r\n$1\r\nb\r\n"])
        == b"*2\r\n$1\r\na\r\n$1\r\nb\r\n"
    )
    assert COMBINE["script|exists"]([b"*2\r\n:0\r\n:1\r\n", b"*2\r\n:0\r\n:0\r\n"]) == b"*2\r\n:0\r\n:1\r\n"
    assert COMBINE["script|kill"]([b"-NOTBUSY\r\n", OK]) == OK
    assert COMBINE["wait"]([b":2\r\n", b":1\r\n"]) == b":1\r\n"
    form = b"redis_mode:cluster\r\n# Keyspace\r\ndb0:keys=%d,expires=1,avg_ttl=%d\r\n"
    bulks = [b"$%d\r\n%b\r\n" % (len(text), text) for text in (form % (2, 10), form % (3, 20))]
    body = b"redis_mode:standalone\r\n# Keyspace\r\ndb0:keys=5,expires=2,avg_ttl=15\r\n"
    assert told(bulks, 2) == b"$%d\r\n%b\r\n" % (len(body), body)


def test_the_last_element_is_taken_off() -> None:
    assert without_last(b"*2\r\n$3\r\n:1\r\n\r\n:0\r\n") == b"*1\r\n$3\r\n:1\r\n\r\n"
    assert without_last(b"*-1\r\n") == b"*-1\r\n"
    assert without_last(b"_\r\n") == b"_\r\n"
    assert without_last(b"-EXECABORT x\r\n") == b"-EXECABORT x\r\n"


def test_a_shard_is_known_by_its_slots_when_all_its_servers_are_new() -> None:
    found = view([[0, 9, [b"new", 1]], [10, 19, [b"other", 1]]], "")
    owners = [1] * 10 + [2] * 10 + [0] * (SLOTS - 20)
    assert inherited(found, owners, [1, 2]) == {("new", 1): 1, ("other", 1): 2}
    assert inherited(found, owners, [2]) == {("other", 1): 2}
