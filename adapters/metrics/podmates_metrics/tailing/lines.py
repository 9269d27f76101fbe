"""Bytes of a growing file to whole lines, however they are cut."""

from __future__ import annotations

from collections.abc import Iterator

MAX_LINE = 64 << 10  # bytes; the rest of a longer line is left out


class Lines:
    """Puts pieces together. *cut* counts lines that were too long.

    Args:
        inside: the first piece begins inside a line, which is passed over.
        cut: those before.
    """

    def __init__(self, *, inside: bool = False, cut: int = 0) -> None:
        self.cut = cut
        self._part = bytearray()
        self._skip = inside  # up to the next line end

    @property
    def waiting(self) -> int:
        """The bytes of a line whose end has not come; they are to be read again by who begins anew."""
        return len(self._part)

    def feed(self, data: bytes) -> Iterator[str]:
        """Yield the lines that *data* completes, without their ends; empty ones are none."""
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            yield from self._take(data, start, end, whole=True)
            start = end + 1
        yield from self._take(data, start, len(data), whole=False)

    def _take(self, data: bytes, start: int, end: int, *, whole: bool) -> Iterator[str]:
        if not self._skip:
            room = MAX_LINE - len(self._part)
            self._part += data[start : min(end, start + room)]
            if end - start > room:
                self.cut += 1
                yield from self.rest()
                self._skip = True
            elif whole:
                yield from self.rest()
        if whole:
            self._skip = False

    def rest(self) -> Iterator[str]:
        """Yield the last line if it has no end: none will come any more."""
        text = self._part.decode(errors="replace").removesuffix("\r")
        self._part.clear()
        if text:
            yield text
