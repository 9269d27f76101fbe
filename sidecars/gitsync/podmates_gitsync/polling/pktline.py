"""git's packet lines: four hexadecimal digits that count themselves and what follows, then that.

Whatever came from a server is hostile: a body that is cut, or says something else than a list of packets,
is refused whole.

Source: gitprotocol-common(5), "pkt-line Format".
"""

from __future__ import annotations

import re
from enum import Enum

_LENGTH = re.compile(rb"[0-9a-fA-F]{4}")
_DIGITS = 4
LONGEST = 65520  # bytes of a packet, its length included


class ProtocolError(ValueError):
    """A server said something that is not the protocol; nothing of it may be believed."""


class Marker(Enum):
    """Packets without data."""

    FLUSH = b"0000"
    DELIMITER = b"0001"
    RESPONSE_END = b"0002"


def packet(line: str) -> bytes:
    """Return *line* as a packet, ended by the line feed that git puts there.

    Raises:
        ValueError: it is too long for one.
    """
    data = line.encode("utf-8", "surrogateescape") + b"\n"
    size = len(data) + _DIGITS
    if size > LONGEST:
        raise ValueError(f"a packet has room for {LONGEST - _DIGITS} bytes")
    return b"%04x%b" % (size, data)


def split(body: bytes) -> list[bytes | Marker]:
    """Return the packets of *body*, each without the line feed at its end.

    Raises:
        ProtocolError: it is not a whole number of packets, or holds a server's error.
    """
    found: list[bytes | Marker] = []
    at = 0
    while at < len(body):
        digits = body[at : at + _DIGITS]
        if not _LENGTH.fullmatch(digits):
            raise ProtocolError(f"no packet length: {digits!r}")
        size = int(digits, 16)
        if size < _DIGITS:
            found.append(_marker(digits))
            at += _DIGITS
            continue
        data = body[at + _DIGITS : at + size]
        if size > LONGEST or len(data) != size - _DIGITS:
            raise ProtocolError(f"a packet of {size} bytes is cut or too long")
        if data.startswith(b"ERR "):
            raise ProtocolError(f"the server refused: {data[4:200]!r}")
        found.append(data.removesuffix(b"\n"))
        at += size
    return found


def _marker(digits: bytes) -> Marker:
    try:
        return Marker(digits)
    except ValueError:
        raise ProtocolError(f"no such packet: {digits!r}") from None
