"""Which frames are messages or acknowledgements, and what a client is subscribed to. No I/O."""

from __future__ import annotations

from enum import Enum

MESSAGES = frozenset([b"message", b"pmessage", b"smessage"])


class Frame(Enum):
    """What a frame of the publish and subscribe protocol is."""

    MESSAGE = 1
    ACKNOWLEDGEMENT = 2
    OTHER = 3


class Subscriptions:
    """The channels of one client, as the server has acknowledged them."""

    def __init__(self) -> None:
        self._channels: dict[bytes, set[bytes]] = {b"": set(), b"p": set(), b"s": set()}

    def active(self) -> bool:
        """Tell whether the connection is in subscribed mode."""
        return any(self._channels.values())

    def owed(self, args: list[bytes]) -> int:
        """Return how many acknowledgements the request *args* gets if it is next to be answered."""
        family, leaving = _split(args[0].lower())
        if len(args) > 1 or not leaving:
            return max(1, len(args) - 1)
        return max(1, len(self._channels[family]))

    def take(self, words: list[bytes]) -> Frame:
        """Take a frame that has come; remember what it acknowledges."""
        name = words[0].lower() if words else b""
        if name in MESSAGES:
            return Frame.MESSAGE
        if not name.endswith(b"subscribe") or len(words) != 3:
            return Frame.OTHER
        family, leaving = _split(name)
        if leaving:
            self._channels[family].discard(words[1])
        else:
            self._channels[family].add(words[1])
        return Frame.ACKNOWLEDGEMENT


def _split(name: bytes) -> tuple[bytes, bool]:
    """Return (family, whether it leaves) of `punsubscribe` and its like."""
    if name in (b"subscribe", b"unsubscribe"):
        return b"", name == b"unsubscribe"
    return name[:1], name[1:] == b"unsubscribe"
