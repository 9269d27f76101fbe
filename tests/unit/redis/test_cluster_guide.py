"""A client led through a cluster of two shards, without sockets."""

from __future__ import annotations

from itertools import count

import pytest

from podmates_redis.cluster.hashing import SLOTS, slot_of
from tests.unit.redis.led import Led
from tests.unit.redis.rig import OK, QUEUED


def key(*, high: bool, more: int = 0) -> str:
    """Return a key of one of the shards; *more* counts through them, each of another slot."""
    keys = (f"k{number}" for number in count())
    found = (name for name in keys if (slot_of(name.encode()) >= SLOTS // 2) is high)
    return next(name for number, name in enumerate(found) if number == more)


A, B = key(high=False), key(high=True)


def test_a_key_decides_and_what_names_none_is_at_home() -> None:
    led = Led()
    led.send(f"SET {B} 1")
    led.says(2, OK)
    led.send("TIME")
    assert (led.asked(1), led.asked(2)) == (["TIME"], [f"SET {B} 1"])
    assert led.told() == OK


def test_a_change_waits_for_what_is_on_its_way_to_another_shard() -> None:
    led = Led()
    led.send(f"SET {A} 1", f"SET {B} 2", f"GET {A}")
    assert (led.asked(1), led.asked(2)) == ([f"SET {A} 1"], [])
    led.says(1, OK)
    assert (led.asked(1), led.asked(2)) == ([], [f"SET {B} 2"])
    led.says(2, OK)
    assert led.asked(1) == [f"GET {A}"]


def test_reads_go_to_all_shards_at_once_and_are_answered_in_order() -> None:
    led = Led()
    led.send(f"GET {A}", f"GET {B}")
    assert (led.asked(1), led.asked(2)) == ([f"GET {A}"], [f"GET {B}"])
    led.says(2, b"$1\r\nb\r\n")
    assert led.told() == b""
    led.says(1, b"$1\r\na\r\n")
    assert led.told() == b"$1\r\na\r\n$1\r\nb\r\n"


def test_moved_is_followed_and_remembered() -> None:
    led = Led()
    led.send(f"INCR {A}")
    led.says(1, b"-MOVED %d high:2\r\n" % slot_of(A.encode()))
    assert led.asked(2) == [f"INCR {A}"]
    led.says(2, b":1\r\n")
    led.send(f"INCR {A}")
    assert led.asked(2) == [f"INCR {A}"]
    assert led.told() == b":1\r\n"


def test_ask_is_followed_once() -> None:
    led = Led()
    led.send(f"INCR {A}")
    led.asked(1)
    led.says(1, b"-ASK %d high:2\r\n" % slot_of(A.encode()))
    assert led.asked(2) == ["ASKING", f"INCR {A}"]
    led.says(2, OK + b":1\r\n")
    led.send(f"INCR {A}")
    assert led.asked(1) == [f"INCR {A}"]
    assert led.told() == b":1\r\n"


@pytest.mark.parametrize(
    "line", [b"-TRYAGAIN Multiple keys\r\n", b"-CLUSTERDOWN down\r\n", b"-MOVED 1 unknown:9\r\n"]
)
def test_what_cannot_run_now_is_tried_again_later_and_nothing_overtakes_it(line: bytes) -> None:
    led = Led()
    led.send(f"INCR {A}")
    led.asked(1)
    led.says(1, line)
    led.send(f"SET {A} 7")
    assert (led.asked(1), led.asked(2), led.told()) == ([], [], b"")
    assert led.guide.due > 0
    led.guide.go_on()
    assert led.asked(1) == [f"INCR {A}", f"SET {A} 7"]


def test_nothing_overtakes_a_command_that_may_have_to_wait_for_one_of_its_keys() -> None:
    led = Led()
    led.send(f"MSET {A} 1 {A} 2", f"SET {A} 3")
    assert led.asked(1) == [f"MSET {A} 1 {A} 2"]
    led.says(1, b"-TRYAGAIN Multiple keys\r\n")
    led.guide.go_on()
    assert led.asked(1) == [f"MSET {A} 1 {A} 2"]
    led.says(1, OK)
    assert led.asked(1) == [f"SET {A} 3"]


def test_a_redirect_is_never_shown_however_long_it_lasts() -> None:
    led = Led()
    led.send(f"INCR {A}")
    for _ in range(20):
        led.says(1, b"-MOVED %d high:2\r\n" % slot_of(A.encode()))
        led.map.owners[slot_of(A.encode())] = led.map.shards[0]
        if led.guide.due:
            led.guide.go_on()
        else:
            led.says(2, b"-MOVED %d low:1\r\n" % slot_of(A.encode()))
        if led.guide.due:
            led.guide.go_on()
        led.now += 1
        if told := led.told():
            break
    assert told == b"-CLUSTERDOWN Hash slot not served\r\n"


def test_a_read_behind_a_refused_command_does_not_see_the_write_behind_it() -> None:
    led = Led()
    other = key(high=False, more=1)
    led.send(f"INCR {A}", f"GET {other}", f"SET {other} new")
    led.asked(1)
    led.says(1, b"-ASK %d high:2\r\n$3\r\nold\r\n+OK\r\n" % slot_of(A.encode()))
    led.says(2, OK + b":1\r\n")
    assert led.told() == b":1\r\n$3\r\nold\r\n+OK\r\n"


def test_what_a_replica_does_not_find_is_asked_of_its_master() -> None:
    led = Led(replica=True)
    led.send(f"GET {B}", f"HGET {B} f")
    assert led.asked(2, replica=True) == [f"GET {B}", f"HGET {B} f"]
    led.says(2, b"$-1\r\n$1\r\nv\r\n", replica=True)
    assert led.asked(2) == [f"GET {B}"]
    led.says(2, b"$3\r\nnew\r\n")
    assert led.told() == b"$3\r\nnew\r\n$1\r\nv\r\n"


def test_a_whole_transaction_begins_at_the_shard_of_its_keys() -> None:
    led = Led()
    led.send("MULTI", f"SET {B} 1", "EXEC")
    assert (led.asked(1), led.asked(2)) == ([], ["MULTI", f"SET {B} 1", "EXEC"])


def test_a_transaction_that_has_begun_elsewhere_is_taken_to_its_first_key() -> None:
    led = Led()
    led.send("MULTI")
    led.says(1, OK)
    led.send("PING")
    led.says(1, QUEUED)
    led.send(f"SET {B} 1")
    assert led.asked(1) == ["MULTI", "PING", "DISCARD"]
    assert led.asked(2) == ["MULTI", "PING", f"SET {B} 1"]
    led.says(1, OK)
    led.says(2, OK + QUEUED + QUEUED)
    led.send("EXEC")
    led.says(2, b"*2\r\n+PONG\r\n+OK\r\n")
    assert led.told() == OK + QUEUED + QUEUED + b"*2\r\n+PONG\r\n+OK\r\n"
    led.send("TIME")
    assert led.asked(1) == ["TIME"]


def test_another_slot_in_a_transaction_spoils_it_and_a_wrong_command_is_the_servers_to_judge() -> None:
    led = Led()
    led.send("MULTI", f"SET {A} 1", f"SET {B} 1", f"GET {A} {B}", "EXEC")
    assert led.asked(1) == ["MULTI", f"SET {A} 1", "PODMATES.REFUSED", f"GET {A} {B}", "EXEC"]


def test_a_transaction_whose_slot_has_moved_is_sent_again_whole() -> None:
    led = Led()
    led.send("MULTI", f"SET {A} 1", "EXEC")
    led.asked(1)
    line = b"-MOVED %d high:2\r\n" % slot_of(A.encode())
    led.says(1, OK + line + b"-EXECABORT Transaction discarded because of previous errors.\r\n")
    assert led.asked(2) == ["MULTI", f"SET {A} 1", "EXEC"]
    led.says(2, OK + QUEUED + b"*1\r\n+OK\r\n")
    assert led.told() == OK + QUEUED + b"*1\r\n+OK\r\n"


def test_a_watch_that_is_sent_elsewhere_takes_the_transaction_with_it() -> None:
    led = Led()
    led.send(f"WATCH {A}")
    led.says(1, b"-MOVED %d high:2\r\n" % slot_of(A.encode()))
    led.says(2, OK)
    led.asked(1), led.asked(2)
    led.send("MULTI", f"SET {A} 1", "EXEC")
    assert (led.asked(1), led.asked(2)) == ([], ["MULTI", f"SET {A} 1", f"EXISTS {A}", "EXEC"])
    led.says(2, OK + QUEUED + QUEUED + b"*2\r\n+OK\r\n:0\r\n")
    assert led.told() == OK + OK + QUEUED + b"*1\r\n+OK\r\n"


def test_a_watched_key_whose_slot_has_moved_counts_as_changed() -> None:
    led = Led()
    led.send(f"WATCH {A}")
    led.says(1, OK)
    led.map.owners[slot_of(A.encode())] = led.map.shards[1]
    led.send("MULTI")
    led.says(1, OK)
    led.send(f"SET {A} 1", "EXEC")
    assert led.asked(1) == [f"WATCH {A}", "MULTI", f"SET {A} 1", f"EXISTS {A}", "EXEC"]
    moved = b"-MOVED %d high:2\r\n" % slot_of(A.encode())
    led.says(1, moved + moved + b"-EXECABORT Transaction discarded because of previous errors.\r\n")
    assert led.told() == OK + OK + QUEUED + b"*-1\r\n"


def test_a_watched_key_of_which_only_the_map_says_that_it_has_moved_is_where_it_was() -> None:
    """Most nodes may not have heard yet of a slot that has just come to the one that watches."""
    led = Led()
    led.send(f"WATCH {A}")
    led.says(1, OK)
    led.map.owners[slot_of(A.encode())] = led.map.shards[1]
    led.send("MULTI", f"SET {A} 1", "EXEC")
    led.says(1, OK + QUEUED + QUEUED + b"*2\r\n+OK\r\n:1\r\n")
    assert led.told() == OK + OK + QUEUED + b"*1\r\n+OK\r\n"


def test_commands_about_all_keys_hop_from_shard_to_shard() -> None:
    led = Led()
    led.send("DBSIZE", f"SET {B} 1")
    assert (led.asked(1), led.asked(2)) == (["DBSIZE"], [])
    led.says(1, b":3\r\n")
    assert (led.asked(1), led.asked(2)) == ([], ["DBSIZE", f"SET {B} 1"])
    led.says(2, b":4\r\n" + OK)
    assert led.told() == b":7\r\n" + OK


def test_one_shard_that_cannot_fails_a_command_about_all() -> None:
    led = Led()
    led.send("FLUSHALL")
    led.says(1, b"-NOPERM no\r\n")
    assert led.told() == b"-NOPERM no\r\n"
    assert led.asked(2) == []


def test_an_exec_that_a_server_sends_elsewhere_ends_the_watch() -> None:
    led = Led()
    moved = b"-MOVED %d high:2\r\n" % slot_of(A.encode())
    led.send(f"WATCH {A}")
    led.says(1, OK)
    led.send("MULTI", f"SET {A} 1", "EXEC")
    led.says(1, OK + QUEUED + QUEUED + moved)
    assert led.told() == OK + OK + QUEUED + b"*-1\r\n"
    led.asked(1)

    led.send(f"WATCH {A}")
    led.says(1, moved)
    led.says(2, OK)
    assert (led.asked(1), led.asked(2)) == ([f"WATCH {A}"], [f"WATCH {A}"])
    led.send("MULTI", f"SET {A} 1", "EXEC")
    led.says(2, OK + QUEUED + QUEUED + b"*2\r\n+OK\r\n:0\r\n")
    assert led.told() == OK + OK + QUEUED + b"*1\r\n+OK\r\n"
