"""What is kept of a client that the engine has, and where its connection is."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterable, Mapping

import pytest

from podmates_redis.clients.wheres import unpacked
from podmates_redis.roster.roster import Member, Place, Roster, Waiting
from podmates_redis.session.describing import facts_of
from podmates_redis.session.resting import NOTHING, Guest, did, keepsake, restore
from podmates_redis.session.session import Session
from podmates_redis.session.shared import Shared
from podmates_redis.session.state import State
from tests.unit.redis.rig import OK, Rig

HERE = Place(b"127.0.0.1:1", b"127.0.0.1:2", 9)


def test_a_session_comes_back_as_it_was() -> None:
    rig = Rig()
    for words in ("SELECT 3", "CLIENT SETNAME n"):
        rig.send(words)
        rig.master(OK)
        rig.told()
    before = rig.session
    before.place, before.transacted = HERE, True
    kept = keepsake(before, 1, None)
    guest = Guest(before.id, HERE, before.born, before.heard, did=did(before))

    after = Session(before.shared)
    restore(after, guest, kept)

    assert facts_of(after, 5.0) == facts_of(before, 5.0)
    assert (after.databases, after.transacted, after.master.wrote) == ({3}, True, before.master.wrote)


def test_what_the_engine_saw_last_is_what_is_shown() -> None:
    session = Session(Shared())
    restore(session, Guest(7, HERE, 1.0, 2.0, b"get", 1, unread=4), keepsake(session, 1, None))
    assert (session.calling, session.heard, session.unread) == (b"get", 2.0, 4)
    assert session.master.wrote
    restore(session, Guest(8, HERE, 1.0, 2.0), NOTHING)
    assert (session.calling, session.unread, session.master.wrote) == (b"NULL", 0, False)


def test_clients_that_are_alike_share_what_is_kept_and_nobody_keeps_it_longer() -> None:
    session = Session(Shared())
    assert keepsake(session, 0, None) is NOTHING
    session.state = State(protocol=3, name=b"alike")
    one = keepsake(session, 1, None)
    session.state = State(protocol=3, name=b"alike")
    assert keepsake(session, 1, None) is one
    number = id(one)
    del one
    gc.collect()
    session.state = State(protocol=3, name=b"other")
    other = keepsake(session, 1, None)
    session.state = State(protocol=3, name=b"alike")
    assert keepsake(session, 1, None) is not other
    assert number


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        (
            bytes([socket.AF_INET])
            + b"\x7f\0\0\1"
            + bytes(12)
            + b"\x30\x39"
            + b"\x0a\0\0\2"
            + bytes(12)
            + b"\x18\xeb",
            Place(b"127.0.0.1:12345", b"10.0.0.2:6379", 4),
        ),
        (
            bytes([socket.AF_INET6]) + bytes(15) + b"\1\x30\x39" + bytes(15) + b"\1\x18\xeb",
            Place(b"[::1]:12345", b"[::1]:6379", 4),
        ),
        (
            bytes([socket.AF_UNIX, 1]) + bytes(35),
            Place(b"/run/b.sock:0", b"/run/b.sock:0", 4, local=True),
        ),
        (bytes(37), Place(fd=4)),
        (b"", Place(fd=4)),
    ],
    ids=["IPv4", "IPv6", "path", "unknown", "nothing"],
)
def test_addresses_are_as_a_server_writes_them(where: bytes, shown: Place) -> None:
    assert unpacked(where, 4, ["", "/run/b.sock"]) == shown


class Somebody:
    def __init__(self, number: int) -> None:
        self.id = number

    def facts(self, now: float) -> Mapping[bytes, bytes]:
        return {}

    def waiting(self) -> Waiting | None:
        return None

    def held(self) -> bool:
        return False

    def upstream(self) -> int:
        return 0

    def reach(self, then: object) -> None: ...
    def pin(self) -> None: ...
    def cut(self) -> None: ...


class Elsewhere:
    """Members that are nowhere else, some of whom leave for the roster when one looks."""

    def __init__(self, roster: Roster, *numbers: int) -> None:
        self.roster, self.numbers = roster, list(numbers)
        self.leaving: list[Member] = []

    def members(self) -> Iterable[Member]:
        found = [Somebody(number) for number in self.numbers]
        self._leave()
        return found

    def find(self, number: int) -> Member | None:
        if number in self.numbers:
            return Somebody(number)
        self._leave()
        return None

    def __len__(self) -> int:
        return len(self.numbers)

    def _leave(self) -> None:
        for member in self.leaving:
            self.roster.enter(member, member.id)
        self.leaving = []


def test_the_roster_shows_who_is_elsewhere_in_order_and_nobody_twice() -> None:
    roster = Roster()
    roster.elsewhere = there = Elsewhere(roster, 1, 3, 5)
    four = Somebody(4)
    assert roster.enter(four, 4) == 4
    here = Somebody(3)
    there.leaving = [here]

    assert [member.id for member in roster] == [1, 3, 4, 5]
    assert roster.find(3) is here, "as it is here, not as it was there"
    assert [roster.find(number) is not None for number in (1, 2, 4)] == [True, False, True]
    late = Somebody(7)
    there.leaving = [late]
    assert roster.find(7) is late
    assert roster.enter(Somebody(0)) == 8


@pytest.mark.parametrize("number", [0, -1, 1 << 63, 1 << 64])
def test_nobody_is_asked_for_a_number_that_is_no_id(number: int) -> None:
    roster = Roster()
    roster.elsewhere = Elsewhere(roster, number)

    assert roster.find(number) is None
