"""Histograms, error words, and the time without a master."""

from __future__ import annotations

import pytest

from podmates_redis.servers.absence import Absence
from podmates_redis.session.tally import BOUNDS, Tally, Times
from tests.unit.redis.rig import Rig, shared


@pytest.mark.parametrize("place", range(len(BOUNDS)))
def test_a_time_is_counted_below_its_bound_and_the_bound_belongs_to_it(place: int) -> None:
    times = Times()
    times.add(BOUNDS[place])
    times.add(BOUNDS[place] * 1.0001)

    assert times.counts[place] == times.counts[place + 1] == 1
    assert sum(times.counts) == 2
    assert times.total == pytest.approx(2 * BOUNDS[place], rel=0.001)


def test_only_the_servers_own_words_are_told_apart() -> None:
    tally = Tally()
    for word in (b"WRONGTYPE", b"MINE", b"\xff\xfe", b"", b"WRONGTYPE"):
        tally.error(word)

    assert tally.errors == {"WRONGTYPE": 2, "other": 3}


def test_of_a_server_that_is_gone_nothing_is_kept() -> None:
    tally = Tally()
    for node in ("a:1", "b:1"):
        tally.sent("replica", node, 0.0, 0.1)
        tally.reads["replica", "", node] += 1
    tally.forget("a:1")

    assert list(tally.served) == ["b:1"]
    assert list(tally.reads) == [("replica", "", "b:1")]


def test_waiting_and_serving_are_told_apart() -> None:
    facts, clock = shared(replica=False), [100.0]
    facts.clock, facts.master_name = lambda: clock[0], "m:1"
    rig = Rig(facts, up=False)
    rig.send("SET k v")
    clock[0] += 2
    rig.connect()
    clock[0] += 3
    rig.master(b"+OK\r\n")

    assert facts.tally.queued["master"].total == 2
    assert facts.tally.served["m:1"].total == 3
    assert facts.tally.durations["set", "master"].total == 5


def test_a_reply_that_waits_for_an_earlier_one_is_its_clients_time_and_not_its_servers() -> None:
    facts, clock = shared(), [100.0]
    facts.clock, facts.master_name = lambda: clock[0], "m:1"
    rig = Rig(facts)
    rig.send("INCR k\nGET other")
    rig.replica(b"$1\r\nv\r\n")
    clock[0] += 4
    rig.master(b":1\r\n")

    assert facts.tally.served["replica:1"].total == 0
    assert facts.tally.durations["get", "replica"].total == 4


def test_what_the_ambassador_asks_for_itself_is_not_counted() -> None:
    rig = Rig(shared(replica=False))
    rig.send("WAIT 0 1")

    assert rig.asked() == [b"PING", b"WAIT"]
    rig.master(b"+PONG\r\n:0\r\n")
    assert list(rig.shared.tally.commands) == [("wait", "master", "ok")]


def test_absences_add_up_and_those_that_end_with_another_master_are_told() -> None:
    absence = Absence()
    for now, away in ((0.0, True), (1.0, True), (3.0, False), (4.0, False), (10.0, True), (11.0, True)):
        absence.look(now, away)

    assert (absence.lasting(12.0), absence.total(12.0)) == (2, 3 + 2)
    absence.replaced(12.0)
    absence.look(12.0, False)
    absence.replaced(20.0)  # at once, as in a switch that was planned
    assert (absence.gaps.total, sum(absence.gaps.counts)) == (2.0, 2)
    assert absence.total(30.0) == 5.0
