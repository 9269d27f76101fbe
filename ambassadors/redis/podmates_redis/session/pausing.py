"""CLIENT PAUSE: the clients of this process wait, whatever others do at the servers. No I/O."""

from __future__ import annotations

import re

from podmates_redis.commands.table import Kind, Use
from podmates_redis.session.scripts import Scripts, only_reads
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot
from podmates_redis.wire import texts

# no writes by their flags, and yet replicas hear of them
_REPLICATE = frozenset(["publish", "spublish", "pfcount"])
# of INFO; the last three Valkey has
_FIELDS = re.compile(
    rb"(?m)^(blocked_clients|paused_reason|paused_actions|paused_timeout_milliseconds):(\w+)(?=\r)"
)


def holds(session: Session, slot: Slot) -> bool:
    """Tell whether the pause makes *slot*, which the server knows and finds well-formed, wait."""
    return session.shared.pause.everything or _replicates(session, slot)


def _replicates(session: Session, slot: Slot) -> bool:
    if slot.kind is Kind.EXEC:
        return session.transaction is not None and session.transaction.writes
    return writes(slot, session.shared.scripts)


def writes(slot: Slot, scripts: Scripts) -> bool:
    """Tell whether *slot* may change data, or tell replicas something; some of *scripts* say they do not.

    A function (FCALL) may say so too, but to its server only.
    """
    command = slot.plan.command
    if command.script is Use.BODY or command.script is Use.DIGEST:
        name = slot.args[1] if len(slot.args) > 1 else b""
        body = name if command.script is Use.BODY else scripts.body(name.lower())
        return slot.kind is Kind.WRITE and not only_reads(body)
    if slot.kind is Kind.BLOCKING:
        return not command.counts and command.name != "xread"
    return slot.kind is Kind.WRITE or bool(slot.reading) or command.name in _REPLICATE


def shown(session: Session, info: bytes) -> bytes:
    """Return the master's reply to INFO with the pause in it, of which the master knows nothing."""
    pause = session.shared.pause
    if not pause.on or info[:1] not in (b"$", b"="):
        return info
    waiting = sum(member.held() for member in session.shared.roster)
    here = {
        b"paused_reason": b"client_pause",
        b"paused_actions": b"all" if pause.everything else b"write",
        b"paused_timeout_milliseconds": b"%d" % (1000 * max(0.0, pause.end - session.shared.clock())),
    }

    def filled(found: re.Match[bytes]) -> bytes:
        name, value = found.groups()
        return b"%b:%b" % (name, here.get(name) or b"%d" % (int(value) + waiting))

    protocol = 2 if info[:1] == b"$" else 3
    text = info[info.index(b"\n") + 1 : -2].removeprefix(b"txt:")
    return texts.verbatim(_FIELDS.sub(filled, text), protocol)
