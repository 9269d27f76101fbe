"""Lines out of a stream of bytes, at whatever places it is cut: by newlines, or by DogStatsD's lengths."""

from __future__ import annotations

import re

MAX_LINE = 4095  # bytes of a line that ends in a newline
MAX_FRAME = 65535  # bytes of a frame that begins with its length
_PREFIX = 4  # bytes of that length, little-endian
_TOO_LONG = re.compile(rb"[^\n]{%d}" % (MAX_LINE + 1))


class Newlines:
    """Lines that end in a newline, with or without a carriage return before it.

    *broken* is True from the first line on that is longer than `MAX_LINE`; what was before it counts.
    """

    def __init__(self) -> None:
        self.broken = False
        self._rest = b""

    def take(self, data: bytes) -> bytes | None:
        """Return the lines that are whole now, separated by newlines; None when there is none."""
        data = self._rest + data if self._rest else data
        end = data.rfind(b"\n")
        long = _TOO_LONG.search(data) if len(data) > MAX_LINE else None
        if long:
            end = data.rfind(b"\n", 0, long.start())
            self.broken = True
        self._rest = b"" if long else data[end + 1 :]
        return data[:end].replace(b"\r\n", b"\n").removesuffix(b"\r") if end >= 0 else None

    def rest(self) -> bytes:
        """Return the line that the end of the stream ends; empty when there is none."""
        return self._rest


class Frames:
    """Frames of lines as DogStatsD's clients write them: a length of 4 bytes, then the lines.

    *broken* is True from the first frame on that is longer than `MAX_FRAME`.
    """

    def __init__(self) -> None:
        self.broken = False
        self._rest = bytearray()

    def take(self, data: bytes) -> bytes | None:
        """Return the lines of the frames that are whole now; None when there is none."""
        self._rest += data
        frames, start = [], 0
        while len(self._rest) - start >= _PREFIX:
            size = int.from_bytes(self._rest[start : start + _PREFIX], "little")
            if size > MAX_FRAME:
                self.broken = True
                start = len(self._rest)
                break
            if len(self._rest) - start < _PREFIX + size:
                break
            frames.append(bytes(self._rest[start + _PREFIX : start + _PREFIX + size]))
            start += _PREFIX + size
        del self._rest[:start]
        return b"\n".join(frames) if frames else None

    def rest(self) -> bytes:
        """Return nothing: half a frame says nothing."""
        return b""


class Either:
    """What a unix stream holds: `Frames` when a NUL is among its first four bytes, which no line has."""

    def __init__(self) -> None:
        self._start = b""
        self._framing: Newlines | Frames | None = None

    @property
    def broken(self) -> bool:
        """Whether the stream cannot be read on."""
        return self._framing is not None and self._framing.broken

    def take(self, data: bytes) -> bytes | None:
        """Return the lines that are whole now, separated by newlines; None when there is none."""
        if self._framing is None:
            data = self._start = self._start + data
            if len(data) < _PREFIX:  # a newline may be part of a length
                return None
            self._framing = Frames() if 0 in data[:_PREFIX] else Newlines()
            self._start = b""
        return self._framing.take(data)

    def rest(self) -> bytes:
        """Return the line that the end of the stream ends; empty when there is none."""
        return self._start if self._framing is None else self._framing.rest()
