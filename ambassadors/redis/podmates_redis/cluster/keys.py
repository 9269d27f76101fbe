"""Which key decides where a request goes in a cluster. No I/O."""

from __future__ import annotations

from podmates_redis.commands.table import Kind, Use
from podmates_redis.session.slots import Slot

_SHARDED = frozenset(["ssubscribe", "sunsubscribe", "spublish"])
_FUNCTIONS = frozenset(["fcall", "fcall_ro"])


def keys_of(slot: Slot) -> list[bytes]:
    """Return the keys that *slot* names, scripts' included; empty when it names none that we know of."""
    command, args = slot.plan.command, slot.args
    if command.name in _SHARDED:
        return args[1:2] if command.name == "spublish" else args[1:]
    if command.script in (Use.BODY, Use.DIGEST) or command.name in _FUNCTIONS:
        count = args[2] if len(args) > 3 else b""
        return args[3 : 3 + int(count)] if count.isdigit() and len(count) < 10 else []
    if slot.plan.keys is not None:
        return slot.plan.keys
    return args[command.first : command.first + 1] if command.first else []


def ends_block(slot: Slot) -> bool:
    """Tell whether the transaction that is being looked through is over with *slot*."""
    return slot.kind in (Kind.EXEC, Kind.DISCARD, Kind.MULTI, Kind.RESET, Kind.QUIT)
