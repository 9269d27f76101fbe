"""Completes a request: marks, floor and the client's state follow its reply. No I/O."""

from __future__ import annotations

from collections.abc import Callable

from podmates_redis.commands.table import Kind, Use
from podmates_redis.session import barred, logins, scripting, strangers
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot
from podmates_redis.session.state import asked
from podmates_redis.wire import texts


def finish(session: Session, slot: Slot) -> None:
    """The reply of *slot* is complete."""
    slot.ended = session.shared.clock()
    session.settle(slot)
    if slot.kind is Kind.KILL and not slot.inside and slot.parts[0].startswith(b"-NOTBUSY"):
        slot.kind, session.errand = Kind.PLAIN, slot  # the script may run at a replica
        return
    if slot.then is not None and not _made(session, slot):
        return
    ok = not slot.error()
    if slot.shut_out is not None and not (slot.parts and slot.parts[0].startswith(barred.WORDS)):
        session.bar(slot.shut_out)
    if slot.block is not None and slot.inside:
        slot.block.heard(slot.kind, slot.parts, slot.result, session.shared.dialect)
    adopt = _ADOPT.get(slot.kind)
    if adopt and not slot.inside:
        adopt(session, slot, ok)
    if slot.plan.command.script is not Use.NONE:
        scripting.answered(session, slot, ok)
    if slot is session.blocked:
        session.blocked = None
        session.be_patient()
    if slot.answer is not None:
        slot.parts = [slot.answer]
    slot.done = True
    session.release()
    if session.shared.porch.closed:
        strangers.answered(session)


def _made(session: Session, slot: Slot) -> bool:
    """Make the answer of *slot* from the server's; False when the server is asked again."""
    assert slot.then is not None  # noqa: S101  (for the type checker: the caller looked)
    answer = slot.then(b"".join(slot.parts))
    session.forget(slot)
    if answer is None:
        session.again(slot)
        return False
    session.keep(slot, answer)
    return True


def _adopt_state(session: Session, slot: Slot, ok: bool) -> None:
    session.unsettled -= 1
    if ok:
        session.state = session.master.state = asked(session.state, slot.args)
    elif slot.args[0].lower() == b"hello" and len(slot.args) > 2:
        logins.greeted_in_part(session, slot.args, slot.parts[0])
    if not session.unsettled:
        session.databases = {session.state.database}


def _adopt_pin(session: Session, slot: Slot, ok: bool) -> None:
    session.unsettled -= 1
    session.pinned = session.pinned or ok


def _adopt_multi(session: Session, slot: Slot, ok: bool) -> None:
    if ok:
        session.open = session.transacted = True
    elif not session.open:
        session.transaction = None


def _adopt_exec(session: Session, slot: Slot, ok: bool) -> None:
    if slot.block is not None and slot.block.spoilt and slot.block.watched and not ok:
        slot.answer = texts.NULL_ARRAY[session.state.protocol]  # what was watched is at another server now
    if slot.block is not None and slot.block.flushes:
        session.shared.scripts.flush()
    if slot.block is not None and slot.block.special:
        session.unsettled -= 1
        if not session.unsettled:
            session.databases = {session.state.database}
    if session.open:  # else it was an error, and a WATCH still stands
        session.open = session.watched = False
        session.watches.clear()


def _adopt_watch(session: Session, slot: Slot, ok: bool) -> None:
    session.watched = session.watched or ok
    if ok:
        session.transacted = True
        session.watches |= {hash((session.state.database, key)) for key in slot.args[1:]}


def _adopt_unwatch(session: Session, slot: Slot, ok: bool) -> None:
    session.watched = False
    session.watches.clear()


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
