"""What becomes of commands before a login, whoever judges that: see `porch` and `logins`. No I/O."""

from __future__ import annotations

from podmates_redis.commands.table import Kind
from podmates_redis.session import logins
from podmates_redis.session.sending import join
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot

_TELLING = frozenset([Kind.READ, Kind.WRITE, Kind.PLAIN])  # what may be let in, to hear the master


def locked(session: Session) -> bool:
    """Tell whether the client has to log in before anything else."""
    return not session.who or (session.shared.porch.closed and session.state.password is None)


def deciding(session: Session) -> bool:
    """Tell whether a login has come that is not judged: what comes behind it is not to be read before."""
    if not session.shared.porch.closed or session.state.password is not None:
        return False
    return session.unsettled > 0 or bool(session.held)


def admit(session: Session, slot: Slot) -> bool | None:
    """Answer *slot* of a stranger (True), have it wait (False), or let it in (None)."""
    if not locked(session):
        return None
    if session.unsettled:
        return False
    porch, told = session.shared.porch, logins.locked(session, slot)
    if told:
        if session.who and slot.kind in _TELLING and porch.looks(session.shared.clock()):
            return None
        join(session, slot)
        session.tell(slot, told)
        return True
    return False if session.who and slot.kind is Kind.STATE and not porch.enter(session) else None


def answered(session: Session) -> None:
    """A server has answered something: who is a stranger still needs no connection for now."""
    if deciding(session):
        return
    session.shared.porch.leave(session)
    if locked(session) and session.guide is None and session.master.up and not session.master.queue:
        session.master.close()
