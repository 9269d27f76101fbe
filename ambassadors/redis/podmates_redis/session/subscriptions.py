"""Which frames are messages or acknowledgements, and what a client is subscribed to. No I/O."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import Enum

MESSAGES = frozenset([b"message", b"pmessage", b"smessage"])
_BEGINNING = re.compile(
    rb"[*>]\d+\r\n\$\d+\r\n(?:([ps]?message|invalidate)|[ps]?(?:un)?subscribe)\r\n", re.IGNORECASE
)


class Frame(Enum):
    """What a frame of the publish and subscribe protocol is."""

    MESSAGE = 1
    ACKNOWLEDGEMENT = 2
    OTHER = 3


class Subscriptions:
    """The channels of one client, as the server has acknowledged them."""

    __slots__ = ("_any", "_channels")

    def __init__(self) -> None:
        self._channels: dict[bytes, set[bytes]] = {}  # by family, of those that had any
        self._any = False

    def active(self) -> bool:
        """Tell whether the connection is in subscribed mode."""
        return self._any

    def counts(self) -> tuple[int, int, int]:
        """Return how many channels, patterns and sharded channels there are."""
        plain, patterns, sharded = (len(self._channels.get(family, ())) for family in (b"", b"p", b"s"))
        return plain, patterns, sharded

    def sharded(self) -> Collection[bytes]:
        """Return the sharded channels."""
        return self._channels.get(b"s", ())

    def owed(self, args: list[bytes]) -> int:
        """Return how many acknowledgements the request *args* gets if it is next to be answered."""
        family, leaving = _split(args[0].lower())
        if len(args) > 1 or not leaving:
            return max(1, len(args) - 1)
        return max(1, len(self._channels.get(family, ())))

    def take(self, words: list[bytes]) -> Frame:
        """Take a frame that has come; remember what it acknowledges."""
        name = words[0].lower() if words else b""
        if name in MESSAGES:
            return Frame.MESSAGE
        if not name.endswith(b"subscribe") or len(words) != 3:
            return Frame.OTHER
        family, leaving = _split(name)
        if leaving:
            self._channels.get(family, set()).discard(words[1])
        else:
            self._channels.setdefault(family, set()).add(words[1])
        self._any = any(self._channels.values())
        return Frame.ACKNOWLEDGEMENT


def _split(name: bytes) -> tuple[bytes, bool]:
    """Return (family, whether it leaves) of `punsubscribe` and its like."""
    if name in (b"subscribe", b"unsubscribe"):
        return b"", name == b"unsubscribe"
    return name[:1], name[1:] == b"unsubscribe"


def begun(frame: bytes) -> Frame:
    """Return what a frame is that begins so; a message of changed keys is one, too."""
    found = _BEGINNING.match(frame)
    if found is None:
        return Frame.OTHER
    return Frame.MESSAGE if found[1] else Frame.ACKNOWLEDGEMENT
