"""A client that does not take its replies: what it costs in memory, and that it keeps nobody waiting."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from tests.support.redis_servers import Pair
from tests.support.waiting import until
from tests.unit.redis.engine.rig import OK, say
from tests.unit.redis.engine.serving import Serving, receive, serving

LARGE = 40 << 20
STUCK = 4


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair() as found:
        admin = found.master.client()
        admin.set("large", b"x" * LARGE)
        admin.set("middle", b"y" * 500_000)
        found.settle()
        yield found


def settled(value: Callable[[], int]) -> int:
    """Wait until *value* has not changed for a while; return it."""
    seen: list[int] = []

    def same() -> bool:
        seen.append(value())
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    until(same, what="it to stand still")
    return seen[-1]


def handed_over(subject: Serving, client: socket.socket) -> tuple[bytes, bytes, bytes]:
    """Wait for the engine to give *client* up; return what it has not used, not sent, and sent."""
    found: list[tuple[int, bytes, bytes]] = []

    def arrived() -> bool:
        found.extend(one[:3] for one in subject.engine.take()[0])
        return bool(found)

    until(arrived, what="the client")
    descriptor, unread, unsent = found[0]
    socket.socket(fileno=descriptor).close()
    got = []
    while more := client.recv(1 << 20):
        got.append(more)
    return unread, unsent, b"".join(got)


def serve_others(subject: Serving, other: socket.socket) -> None:
    """Connect anew in place of the connection that is kept, and be served on it."""
    until(lambda: STUCK in [event[0] for event in subject.engine.take()[1]], what="the wish for another one")
    subject.connect_master()
    for _ in range(20):
        other.sendall(say("SET", "other", "1"))
        assert receive(other, 5) == OK


def test_a_long_reply_waits_at_the_server_for_a_client_that_does_not_take_it(pair: Pair) -> None:
    with serving(pair, window=100) as subject:
        subject.engine.detach(1)  # so that all is at one server
        slow, other = subject.client(), subject.client()
        slow.sendall(say("GET", "large"))
        memory = settled(lambda: subject.engine.counts()[4])
        assert memory < 8 << 20, "but not here"
        serve_others(subject, other)
        size = len(b"$%d\r\n\r\n" % LARGE) + LARGE
        assert len(receive(slow, size)) == size
        slow.sendall(say("SET", "slow", "1"))
        assert receive(slow, 5) == OK


def test_who_does_not_take_replies_gets_its_later_reads_back_and_holds_up_nobody(pair: Pair) -> None:
    """It asks them again on a connection of its own."""
    with serving(pair, window=100) as subject:
        subject.engine.detach(1)
        slow, other = subject.client(), subject.client()
        slow.sendall(say("GET", "middle") * 80)
        unread, unsent, taken = handed_over(subject, slow)
        for _ in range(20):
            other.sendall(say("SET", "other", "1"))
            assert receive(other, 5) == OK
        assert subject.engine.counts()[4] < 1 << 20

        later = unread.count(b"middle")
        assert later > 10
        assert unread == say("GET", "middle") * later
        assert taken + unsent == (b"$500000\r\n" + b"y" * 500_000 + b"\r\n") * (80 - later)
        assert len(unsent) < 2 << 20


def test_a_write_behind_such_reads_stays_on_its_way(pair: Pair) -> None:
    with serving(pair, window=100) as subject:
        subject.engine.detach(1)
        slow = subject.client()
        slow.sendall(say("GET", "middle") * 20 + say("SET", "written", "1"))
        until(lambda: pair.master.client().get("written") == b"1", what="the write")
        expected = (b"$500000\r\n" + b"y" * 500_000 + b"\r\n") * 20 + OK
        assert receive(slow, len(expected)) == expected


def test_until_there_is_another_connection_others_wait_and_nothing_piles_up(pair: Pair) -> None:
    with serving(pair) as subject:
        subject.engine.detach(1)
        slow, other = subject.client(), subject.client()
        slow.sendall(say("GET", "middle") * 16)
        other.sendall(say("SET", "other", "1"))
        assert settled(lambda: subject.engine.counts()[4]) < 4 << 20
        subject.connect_master()
        assert receive(other, 5) == OK, "that was on its way on the old one"


def test_a_connection_that_was_kept_for_a_client_goes_on_when_that_one_is_gone(pair: Pair) -> None:
    with serving(pair) as subject:
        subject.engine.detach(1)
        slow, other = subject.client(), subject.client()
        slow.sendall(say("GET", "large"))
        settled(lambda: subject.engine.counts()[4])
        serve_others(subject, other)
        assert subject.engine.connections(0)[0] == 2
        slow.close()
        until(lambda: subject.engine.connections(0)[0] == 1, what="its connection to be let go")


def test_reads_behind_a_long_reply_that_is_not_taken_are_asked_anew(pair: Pair) -> None:
    with serving(pair) as subject:
        subject.engine.detach(1)
        slow, others = subject.client(), [subject.client() for _ in range(10)]
        slow.sendall(say("GET", "large"))
        for other in others:
            other.sendall(say("STRLEN", "large"))
        until(lambda: STUCK in [event[0] for event in subject.engine.take()[1]], what="it to pile up")
        subject.connect_master()
        for other in others:
            assert receive(other, 11) == b":41943040\r\n"
        size = LARGE + len(b"$41943040\r\n\r\n")
        assert len(receive(slow, size)) == size
