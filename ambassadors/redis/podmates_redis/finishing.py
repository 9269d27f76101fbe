"""Completes a request: marks, floor and the client's state follow its reply. No I/O."""

from __future__ import annotations

from collections.abc import Callable

from podmates_redis.commands import Kind
from podmates_redis.session import Session
from podmates_redis.slots import Slot
from podmates_redis.state import asked


def finish(session: Session, slot: Slot) -> None:
    """The reply of *slot* is complete."""
    session.settle(slot)
    ok = not slot.error()
    adopt = _ADOPT.get(slot.kind)
    if adopt and not slot.inside:
        adopt(session, slot, ok)
    if slot is session.blocked:
        session.blocked = None
    if slot.answer is not None:
        slot.parts = [slot.answer]
    slot.done = True
    session.release()


def _adopt_state(session: Session, slot: Slot, ok: bool) -> None:
    session.unsettled -= 1
    if ok:
        session.state = session.master.state = asked(session.state, slot.args)
    elif slot.args[0].lower() == b"hello" and len(slot.args) > 2:
        session.pinned = True  # some of its options may be in force
    if not session.unsettled:
        session.databases = {session.state.database}


def _adopt_pin(session: Session, slot: Slot, ok: bool) -> None:
    session.unsettled -= 1
    session.pinned = session.pinned or ok


def _adopt_multi(session: Session, slot: Slot, ok: bool) -> None:
    if ok:
        session.open = True
    elif not session.open:
        session.transaction = None


def _adopt_exec(session: Session, slot: Slot, ok: bool) -> None:
    if session.open:  # else it was an error, and a WATCH still stands
        session.open = session.watched = False


def _adopt_watch(session: Session, slot: Slot, ok: bool) -> None:
    session.watched = session.watched or ok


def _adopt_unwatch(session: Session, slot: Slot, ok: bool) -> None:
    session.watched = False


def _adopt_subscribe(session: Session, slot: Slot, ok: bool) -> None:
    session.subscribing -= 1


_ADOPT: dict[Kind, Callable[[Session, Slot, bool], None]] = {
    Kind.STATE: _adopt_state,
    Kind.PIN: _adopt_pin,
    Kind.MULTI: _adopt_multi,
    Kind.EXEC: _adopt_exec,
    Kind.DISCARD: _adopt_exec,
    Kind.WATCH: _adopt_watch,
    Kind.UNWATCH: _adopt_unwatch,
    Kind.SUBSCRIBE: _adopt_subscribe,
}
