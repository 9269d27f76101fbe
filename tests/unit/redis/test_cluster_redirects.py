"""What servers of a cluster have not run goes on elsewhere, again and again: without sockets."""

from __future__ import annotations

from podmates_redis.cluster.hashing import SLOTS, slot_of
from podmates_redis.session import losing
from tests.unit.redis.led import Led
from tests.unit.redis.rig import OK, QUEUED
from tests.unit.redis.test_cluster_guide import A, B, key

TO_HIGH = b"-MOVED %d high:2\r\n" % slot_of(A.encode())
TO_LOW = b"-MOVED %d low:1\r\n" % slot_of(A.encode())
ASK_HIGH = b"-ASK %d high:2\r\n" % slot_of(A.encode())
ABORTED = b"-EXECABORT Transaction discarded because of previous errors.\r\n"
WHOLE = ["MULTI", f"SET {A} 1", "EXEC"]


def test_a_transaction_follows_a_slot_that_moves_more_than_once() -> None:
    led = Led()
    led.send(*WHOLE)
    led.asked(1)
    for place, line in ((1, TO_HIGH), (2, TO_LOW), (1, TO_HIGH)):
        led.says(place, OK + line + ABORTED)
        assert led.asked(3 - place) == WHOLE
    led.says(2, OK + QUEUED + b"*1\r\n+OK\r\n")
    assert led.told() == OK + QUEUED + b"*1\r\n+OK\r\n"


def test_a_transaction_that_finds_its_slot_nowhere_ends() -> None:
    led = Led()
    led.send(*WHOLE)
    told, asked, place = b"", 0, 1
    while not told.endswith(ABORTED):
        asked += led.asked(place).count("EXEC")
        led.says(place, OK + (TO_HIGH if place == 1 else TO_LOW) + ABORTED)
        place = 3 - place
        if led.guide.due:
            led.guide.go_on()
        told += led.told()
        assert asked < 100
    assert told == OK + QUEUED + ABORTED


def test_a_transaction_that_comes_bit_by_bit_follows_its_slot() -> None:
    led = Led()
    led.send("MULTI", f"SET {A} 1")
    led.says(1, OK + QUEUED)
    led.send(f"SET {A} 2")
    led.says(1, TO_HIGH)
    assert led.told() == OK + QUEUED + QUEUED
    led.send("EXEC")
    led.says(1, ABORTED)
    assert led.asked(2) == ["MULTI", f"SET {A} 1", f"SET {A} 2", "EXEC"]
    led.says(2, OK + QUEUED + QUEUED + b"*2\r\n+OK\r\n+OK\r\n")
    assert led.told() == b"*2\r\n+OK\r\n+OK\r\n"


def test_the_errors_of_a_transaction_are_no_reason_to_send_it_again() -> None:
    led = Led()
    led.send("MULTI", "NOSUCH", f"SET {A} 1", "EXEC")
    led.says(1, OK + b"-ERR unknown\r\n" + QUEUED + ABORTED)
    assert led.told() == OK + b"-ERR unknown\r\n" + QUEUED + ABORTED
    assert led.asked(2) == []


def test_what_has_been_sent_to_and_fro_is_asked_for_in_the_end() -> None:
    led = Led()
    led.send(f"INCR {A}")
    for _ in range(4):
        led.says(1, ASK_HIGH)
        led.says(2, OK + TO_LOW)
    led.asked(1), led.asked(2)
    led.guide.go_on()
    led.asked(1)
    led.says(1, ASK_HIGH)
    assert led.asked(2) == ["ASKING", f"INCR {A}"]


def test_a_wait_whose_slot_moves_goes_on_for_the_rest_of_its_time() -> None:
    led = Led()
    led.send(f"BLPOP {A} 100")
    led.asked(1)
    led.now = 60.0
    led.says(1, TO_HIGH)
    assert led.asked(2) == [f"BLPOP {A} 40.000"]
    led.now = 61.0
    led.says(2, b"*2\r\n$1\r\na\r\n$1\r\nx\r\n")
    assert led.told() == b"*2\r\n$1\r\na\r\n$1\r\nx\r\n"


def test_a_wait_that_comes_to_the_wrong_server_is_sent_on_as_it_is() -> None:
    led = Led()
    led.send(f"BLPOP {A} 100")
    led.says(1, TO_HIGH)
    assert led.asked(2) == [f"BLPOP {A} 100"]


def test_no_write_overtakes_any_of_the_reads_of_several_keys() -> None:
    led = Led()
    other = key(high=False, more=1)
    led.send(f"MGET {A} {A}", f"MGET {other} {other}", f"SET {A} new")
    assert led.asked(1) == [f"MGET {A} {A}", f"MGET {other} {other}"]
    led.says(1, b"-TRYAGAIN Multiple keys\r\n*2\r\n$-1\r\n$-1\r\n")
    led.guide.go_on()
    assert led.asked(1) == [f"MGET {A} {A}"]
    led.says(1, b"*2\r\n$-1\r\n$-1\r\n")
    assert led.asked(1) == [f"SET {A} new"]


def test_what_was_for_a_shard_that_is_gone_goes_elsewhere() -> None:
    led = Led()
    led.send("DBSIZE")
    led.asked(1)
    gone = led.guide.legs.pop(2)
    led.guide.leave(gone)
    led.says(1, b":3\r\n")
    assert led.asked(1) == ["DBSIZE"]


def test_what_waits_is_led_on_by_key_and_nobody_is_asked_in_vain() -> None:
    led = Led()
    led.send(f"INCR {B}")
    led.asked(2)
    gone = led.guide.legs.pop(2)
    led.map.owners[slot_of(B.encode())] = led.map.shards[0]
    led.guide.leave(gone)
    led.guide.go_on()
    assert led.asked(1) == [f"INCR {B}"]
    led.says(1, b":1\r\n")
    assert led.told() == b":1\r\n"


def test_what_waits_for_connections_to_all_shards_counts() -> None:
    led = Led()
    crowd = led.session.shared.crowd
    for shard in led.map.shards:
        shard.shared.crowd = crowd
    for leg in led.guide.legs.values():
        leg.master.close()
    led.send(f"GET {A}", f"GET {B}")
    assert crowd.pending == 2
    led.send(f"GET {key(high=True, more=1)}")
    assert crowd.pending == 3
    losing.bury(led.session)
    assert crowd.pending == 0


def test_a_script_that_makes_up_an_error_has_said_it() -> None:
    led = Led()
    elsewhere = slot_of(A.encode()) ^ 1
    for line in (b"-TRYAGAIN locked\r\n", b"-MOVED %d high:2\r\n" % elsewhere, b"-CLUSTERDOWN no\r\n"):
        led.send(f"EVAL body 1 {A}")
        led.asked(1)
        led.says(1, line)
        assert (led.told(), led.asked(2)) == (line, [])
    led.send("EVAL body 0")
    led.says(1, TO_HIGH)
    assert led.told() == TO_HIGH


def test_a_script_whose_slot_has_moved_follows_it() -> None:
    led = Led()
    led.send(f"EVAL body 1 {A}")
    led.says(1, TO_HIGH)
    assert led.asked(2) == [f"EVAL body 1 {A}"]


def test_nobody_is_met_whom_only_a_script_has_named() -> None:
    led = Led()
    line = b"-MOVED %d stranger:9\r\n" % slot_of(A.encode())
    led.send(f"EVAL body 1 {A}")
    told, tries = b"", 0
    while not told:
        tries += len(led.asked(1))
        led.says(1, line)
        if led.guide.due:
            led.guide.go_on()
        told = led.told()
    assert told == line
    assert 1 < tries < 10
    assert led.map.doubts > 0


def test_a_wait_counts_at_every_shard_that_has_been_written_to() -> None:
    led = Led()
    led.send(f"SET {B} 1")
    led.says(2, OK)
    led.asked(2)
    led.send("WAIT 1 100")
    assert (led.asked(1), led.asked(2)) == ([], ["PING", "WAIT 1 100"])
    led.says(2, b"+PONG\r\n:1\r\n")
    assert led.told() == OK + b":1\r\n"

    led.send(f"SET {A} 1")
    led.says(1, OK)
    led.asked(1)
    lane = led.guide.legs[2].master
    lane.close()  # what it has written is behind it there no more
    lane.ready(led.session.state)
    led.send("WAIT 1 100")
    assert led.asked(1) == ["PING", "WAIT 1 100"]
    led.says(1, b"+PONG\r\n:2\r\n")
    nothing, wait = led.asked(2)
    name, channel, *_ = nothing.split(" ")
    assert (name, slot_of(channel.encode()) >= SLOTS // 2, wait) == ("SPUBLISH", True, "WAIT 1 100")
    led.says(2, b":0\r\n:0\r\n")
    assert led.told() == OK + b":0\r\n"


def test_the_time_of_a_change_begins_when_those_before_it_at_other_shards_are_over() -> None:
    led = Led()
    led.send(f"SET {A} 1", f"SET {B} 1")
    led.now = 60.0
    led.says(1, OK)
    led.session.turn(led.guide.legs[2])
    losing.timed_out(led.session, 55.0)
    led.says(2, OK)
    assert led.told() == OK + OK
