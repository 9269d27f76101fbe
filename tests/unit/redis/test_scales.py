"""Who is read and who is not, by what a client makes the process hold."""

from __future__ import annotations

from typing import Any, cast

import pytest

from podmates_redis.clients.scales import Scales
from podmates_redis.ledger import Ledger
from podmates_redis.session.session import Session
from podmates_redis.session.shared import Shared
from podmates_redis.wire.requests import Requests

KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20


class Transport:
    """A client's transport with *output* bytes that were not taken."""

    def __init__(self) -> None:
        self.output, self.reading, self.limits = 0, True, list[int]()

    def set_write_buffer_limits(self, high: int) -> None:
        self.limits.append(high)

    def get_write_buffer_size(self) -> int:
        return self.output

    def is_closing(self) -> bool:
        return False

    def is_reading(self) -> bool:
        return self.reading

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Pair:
    """The connections to the servers."""

    def __init__(self) -> None:
        self.unsent, self.full, self.stalled = 0, False, False

    def stall(self, yes: bool) -> None:
        self.stalled = yes


class Rig:
    """One client on its scales; *free* bytes of memory are free for all."""

    def __init__(self, free: int = 1 << 30) -> None:
        self.ledger, self.pressed = Ledger(free), 0
        self.session = Session(Shared(ledger=self.ledger))
        self.transport, self.pair = Transport(), Pair()
        pair, pressed = cast(Any, self.pair), self._press
        self.scales = Scales(self.session, Requests(), pair, pressed=pressed)
        self.scales.begin(cast(Any, self.transport))

    def _press(self) -> None:
        self.pressed += 1

    def read(self, *, output: int = 0, weight: int = 0, unsent: int = 0, full: int = False) -> str:
        """Return who is read now: c, the client; s, the servers."""
        self.transport.output, self.session.weight = output, weight
        self.pair.unsent, self.pair.full = unsent, bool(full)
        self.scales.pace(cast(Any, self.transport))
        return "c" * self.transport.reading + "s" * (not self.pair.stalled)


@pytest.mark.parametrize(
    ("free", "holds", "read"),
    [
        (1 << 30, {}, "cs"),
        (1 << 30, {"output": 256 * KIBIBYTE}, "cs"),
        (1 << 30, {"output": 257 * KIBIBYTE}, "c"),
        (1 << 30, {"weight": 16 * MEBIBYTE}, "cs"),
        (1 << 30, {"weight": 17 * MEBIBYTE}, "s"),
        # it may be one that reads when it has sent all: then somebody has to give way, and it is memory
        (1 << 30, {"weight": 17 * MEBIBYTE, "output": 20 * MEBIBYTE}, "s"),
        (1 << 30, {"weight": 17 * MEBIBYTE, "output": 240 * MEBIBYTE}, ""),
        (1 << 30, {"output": 300 * MEBIBYTE}, ""),
        (1 << 30, {"full": True}, "s"),
        (1 << 30, {"full": True, "unsent": 256 * KIBIBYTE}, "s"),
        (8 * MEBIBYTE, {"output": 255 * KIBIBYTE}, "cs"),
        (8 * MEBIBYTE, {"output": 1800 * KIBIBYTE}, ""),
        (8 * MEBIBYTE, {"weight": 1800 * KIBIBYTE}, "s"),
        (256 * KIBIBYTE, {"output": 70 * KIBIBYTE}, ""),
        (256 * KIBIBYTE, {"output": 17 * KIBIBYTE}, "cs"),
    ],
)
def test_who_is_read(free: int, holds: dict[str, int], read: str) -> None:
    rig = Rig(free)
    assert rig.read(**holds) == read
    assert rig.read() == "cs"
    assert rig.ledger.held == 0


def test_all_that_is_held_is_in_the_ledger_until_the_client_leaves() -> None:
    rig = Rig()
    rig.read(output=100_000, weight=200_000, unsent=300_000)
    assert rig.ledger.held == rig.scales.weight == 600_000
    rig.read(output=50_000)
    assert rig.ledger.held == 50_000
    rig.scales.leave()
    assert rig.ledger.held == 0


def test_where_little_is_free_the_transport_tells_of_little() -> None:
    """Else nobody would hear that what was too much has gone out."""
    rig = Rig(256 * KIBIBYTE)
    rig.read(output=70 * KIBIBYTE)
    assert rig.transport.limits[-1] <= 64 * KIBIBYTE
    rig.read()
    rig.ledger.limit = 1 << 30
    rig.read(output=5000)
    assert rig.transport.limits[-1] == 256 * KIBIBYTE


def test_somebody_looks_when_more_than_half_is_held() -> None:
    rig = Rig(8 * MEBIBYTE)
    rig.read(output=4 * MEBIBYTE)
    assert not rig.pressed
    rig.read(output=5 * MEBIBYTE)
    assert rig.pressed
