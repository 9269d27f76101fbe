"""CLIENT PAUSE: the clients of this process wait, whatever others do at the servers. No I/O."""

from __future__ import annotations

from podmates_redis.commands.table import Kind
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot

# no writes by their flags, and yet replicas hear of them
_REPLICATE = frozenset(["publish", "spublish", "pfcount"])


def holds(session: Session, slot: Slot) -> bool:
    """Tell whether the pause makes *slot*, which the server knows and finds well-formed, wait."""
    return session.shared.pause.everything or _replicates(session, slot)


def _replicates(session: Session, slot: Slot) -> bool:
    if slot.kind is Kind.EXEC:
        return session.transaction is not None and session.transaction.writes
    return writes(slot)


def writes(slot: Slot) -> bool:
    """Tell whether *slot* may change data, or tell replicas something."""
    command = slot.plan.command
    if slot.kind is Kind.BLOCKING:
        return not command.counts and command.name != "xread"
    return slot.kind is Kind.WRITE or bool(slot.reading) or command.name in _REPLICATE
