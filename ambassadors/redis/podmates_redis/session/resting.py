"""What is kept of a session while its client is with the engine, and how it becomes a session again. No I/O.

Only a client that is plain goes there, so all else about it is as at the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakValueDictionary

from podmates_redis.engine.events import TRANSACTED, WROTE
from podmates_redis.roster.roster import Place
from podmates_redis.session.session import Session
from podmates_redis.session.state import State


class Guest(NamedTuple):
    """What the engine knows of a client."""

    number: int
    place: Place
    born: float  # seconds on the clock
    heard: float  # the same
    command: bytes | None = None  # its last one there
    did: int = 0
    unread: int = 0  # bytes of what it has sent


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Keepsake:
    """What the engine does not know of one."""

    state: State = State()  # noqa: RUF009  (frozen)
    capabilities: bytes = b""
    calling: bytes = b"NULL"
    visits: int = 0
    place: Place | None = None  # unless the engine has accepted the client


NOTHING = Keepsake()
_known: WeakValueDictionary[Keepsake, Keepsake] = WeakValueDictionary()


def keepsake(session: Session, visits: int, place: Place | None) -> Keepsake:
    """Return what is to be kept; of clients that are alike it is one object."""
    found = Keepsake(session.state, session.capabilities, session.calling, visits, place)
    return NOTHING if found == NOTHING else _known.setdefault(found, found)


def did(session: Session) -> int:
    """Return what the engine has to know that the client has done."""
    return WROTE * session.master.wrote | TRANSACTED * session.transacted


def restore(session: Session, guest: Guest, kept: Keepsake) -> None:
    """Let *session*, which is new or was restored before, be that of *guest*."""
    session.id, session.place = guest.number, kept.place or guest.place
    session.born, session.heard = guest.born, guest.heard
    session.state, session.capabilities = kept.state, kept.capabilities
    session.databases = {kept.state.database}
    session.calling = guest.command or kept.calling
    session.master.wrote = bool(guest.did & WROTE)
    session.transacted = bool(guest.did & TRANSACTED)
    session.unread = guest.unread
