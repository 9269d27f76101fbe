"""What the client of a cluster is told of clusters: what a server without one would say. No I/O."""

from __future__ import annotations

from podmates_redis.commands.table import Kind
from podmates_redis.session.sending import say
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot
from podmates_redis.wire import texts
from podmates_redis.wire.dialects import Dialect
from podmates_redis.wire.requests import encode

_DISABLED = b"-ERR This instance has cluster support disabled\r\n"
_NO_TRACKING = b"-ERR CLIENT TRACKING is not available in front of a cluster\r\n"
_OF_CLUSTERS = frozenset(["readonly", "readwrite", "asking", "clusterscan"])
_NOTHING = encode(b"PING")
_OF_SUBSCRIBERS = frozenset([Kind.SUBSCRIBE, Kind.QUIT, Kind.RESET, Kind.LOCAL])
_ALLOWED = b"%bSUBSCRIBE / %bUNSUBSCRIBE / PING / QUIT / RESET"
_CONFINED = b"-ERR Can't execute '%b': only " + _ALLOWED + b" are allowed in this context\r\n"


def disguised(slot: Slot, dialect: Dialect) -> bytes | None:
    """Return the answer to *slot* where a server of a cluster would answer otherwise than any other one."""
    command = slot.plan.command
    name = command.name
    if dialect.old and name.startswith("cluster") and len(slot.args) > 1:
        return _DISABLED
    if not command.accepts(len(slot.args)):
        return None
    if name == "client|tracking" and slot.args[2].lower() == b"on":
        return _NO_TRACKING
    if name in _OF_CLUSTERS or name.startswith("cluster|"):
        if name not in dialect.clusterless:
            return _DISABLED
        return None if name.startswith("cluster|") else texts.OK
    return None


def answered(session: Session, slot: Slot) -> bool | None:
    """Answer *slot* as it would be without a cluster; None where nothing is different."""
    text = disguised(slot, session.shared.dialect)
    if text is None:
        return None
    # what kind of server it is may only be known when it has been asked something
    return say(session, slot, lambda: disguised(slot, session.shared.dialect) or text, _NOTHING)


def confined(session: Session, slot: Slot) -> bytes | None:
    """Return the answer to what a subscriber may not do; some servers would send it elsewhere first."""
    command, old = slot.plan.command, session.shared.dialect.old
    if session.state.protocol != 2 or not session.subscriptions.active() or command.name == "other":
        return None
    if slot.kind in _OF_SUBSCRIBERS or not command.accepts(len(slot.args)):
        return None
    name = command.name.partition("|")[0] if old else command.name
    return _CONFINED % (name.encode(), *([b"(P)" if old else b"(P|S)"] * 2))


def queue(slot: Slot, answer: bytes) -> None:
    """Have a transaction tell *answer* for *slot* at its end."""
    slot.raw, slot.kind = _NOTHING, Kind.PLAIN
    slot.then = lambda reply: answer
