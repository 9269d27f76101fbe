"""A session as a member of the roster: what CLIENT LIST says of it, and how it is ended. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podmates_redis.roster.roster import Waiting
from podmates_redis.session.sending import before
from podmates_redis.session.session import Session

_BUFFER = 20474  # bytes of a server's query buffer


class Presence:
    """One session, as the others see it."""

    def __init__(self, session: Session, number: int = 0) -> None:
        self._session = session
        self._reaching: list[Callable[[], None]] = []  # to be told of its connection, or its end
        self.id = session.id = session.shared.roster.enter(self, number)

    def facts(self, now: float) -> Mapping[bytes, bytes]:
        return facts_of(self._session, now)

    def waiting(self) -> Waiting | None:
        session = self._session
        number = session.resting().id
        return Waiting(number, session.blocked) if session.blocked is not None and number else None

    def held(self) -> bool:
        return self._session.paused is not None

    def upstream(self) -> int:
        lane = self._session.resting()
        return lane.id if lane.up else 0

    def reach(self, then: Callable[[], None]) -> None:
        session = self._session
        self._reaching.append(then)

        def reached(reply: bytes) -> bytes:
            session.pinned = session.pinned or reply[:1] != b"-"
            self._tell()
            return reply

        before(session, b"PING").then = reached
        session.wake()

    def _tell(self) -> None:
        waiting, self._reaching = self._reaching, []
        for then in waiting:
            then()

    def pin(self) -> None:
        self._session.pinned = self._session.observed = True

    def cut(self) -> None:
        self.leave()
        self._session.because("killed")
        self._session.abort = True
        self._session.wake()

    def leave(self) -> None:
        """Be no member any more."""
        self._session.shared.roster.leave(self.id)
        self._tell()


def facts_of(session: Session, now: float) -> dict[bytes, bytes]:
    """Return the fields of the client's line; what a server knows and we do not is left out."""
    state, place = session.state, session.place
    waiting = session.held_bytes + session.unread
    held = session.blocked or session.paused
    if session.paused is not None:
        waiting -= len(session.paused.raw)
    running = held.args if held is not None else []
    dialect = session.shared.dialect
    if session.asking is not None:
        waiting = 0 if dialect.lends_buffer else session.read_bytes
        running = [b"EXEC"] if session.asking.inside else session.asking.args
    calling = session.calling if dialect.subcommands else session.calling.partition(b"|")[0]
    plain, patterns, sharded = session.subscriptions.counts()
    numbers = {
        b"id": session.id,
        b"fd": place.fd,
        b"age": int(now - session.born),
        b"idle": int(now - session.heard),
        b"db": state.database,
        b"sub": plain,
        b"psub": patterns,
        b"ssub": sharded,
        b"multi": _queued(session),
        b"watch": len(session.watches),
        b"qbuf": waiting,
        b"qbuf-free": max(0, _BUFFER - waiting),
        b"argv-mem": sum(map(len, running)),
        b"redir": session.redirect,
        b"resp": state.protocol,
    }
    found = {name: b"%d" % value for name, value in numbers.items()}
    found |= {b"addr": place.addr, b"laddr": place.laddr, b"name": state.name, b"cmd": calling}
    found |= {b"flags": _flags(session), b"user": session.user(), b"capa": session.capabilities}
    library = dict(state.library)
    found |= {name: library.get(name, b"") for name in (b"lib-name", b"lib-ver")}
    return found


def _queued(session: Session) -> int:
    if session.transaction is not None:
        return session.transaction.queued
    return 0 if session.transacted and session.shared.dialect.lasting_multi else -1


def _flags(session: Session) -> bytes:
    holds = {
        b"O": session.monitoring,
        b"P": session.subscriptions.active(),
        b"x": session.transaction is not None,
        b"b": (session.blocked or session.paused) is not None,
        b"t": session.redirect >= 0,
        b"R": session.redirect_broken,
        b"B": session.broadcast,
        b"d": session.watch_lost,
        b"c": session.quitting,
        b"U": session.place.local,
        b"e": session.protected,
        b"T": session.untouching,
    }
    return b"".join(letter for letter, yes in holds.items() if yes) or b"N"
