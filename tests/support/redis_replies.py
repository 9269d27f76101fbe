"""When two servers' replies to the same command count as the same (the contract's rules of comparison)."""

from __future__ import annotations

from tests.support.resp import Command, bag, elements

# What the contract lets differ between a server and a replica of another (their hash seeds do).
UNORDERED = frozenset(
    [
        *(
            "KEYS",
            "HGETALL",
            "HKEYS",
            "HVALS",
            "SMEMBERS",
            "SINTER",
            "SUNION",
            "SDIFF",
            "SPOP",
            "SORT_NOSORT",
        ),
        *("PUBSUB", "COMMAND"),
    ]
)
BY_TYPE = frozenset(
    [
        *("RANDOMKEY", "SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER", "TIME", "HELLO", "INFO", "LASTSAVE"),
        *("TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "SCAN", "HSCAN", "SSCAN", "ZSCAN"),
    ]
)
BY_TYPE_OF_CLIENT = ("ID", "INFO", "LIST")


class Comparer:
    """Compares the replies of two servers to one client's commands; knows what it has queued by MULTI."""

    def __init__(self) -> None:
        self._queued: list[Command] = []

    def differs(self, command: Command, one: bytes, other: bytes) -> bool:
        """Return whether *other* is another reply to *command* than *one*, as the contract compares."""
        name = _name(command)
        if one == b"+QUEUED\r\n":
            self._queued.append(command)
        elif name in ("EXEC", "DISCARD", "RESET"):
            queued, self._queued = self._queued, []
            if name == "EXEC" and one[:1] == b"*" and other[:1] == b"*":
                ours, theirs = elements(one), elements(other)
                if len(ours) == len(theirs) == len(queued):
                    return any(map(unlike, queued, ours, theirs))
        return unlike(command, one, other)


def unlike(command: Command, one: bytes, other: bytes) -> bool:
    """Return whether two replies to *command* outside a transaction differ."""
    if one == other:
        return False
    name = _name(command)
    if name in BY_TYPE:
        return _kind(one) != _kind(other)
    if name in UNORDERED:
        width = 2 if name == "HGETALL" else 1
        return bag(one, width) != bag(other, width)
    return True


def _name(command: Command) -> str:
    words = [str(word).upper() for word in command]
    if words[0] == "SORT" and "NOSORT" in words:
        return "SORT_NOSORT"
    if words[0] == "CLIENT" and len(words) > 1 and words[1] in BY_TYPE_OF_CLIENT:
        return "TIME"
    return words[0]


def _kind(reply: bytes) -> bytes:
    """Return what must agree of a reply whose value may differ: its type, or all of an error or negative."""
    if reply[:1] == b"-" or reply[1:2] == b"-":
        return reply
    return reply[:1]
