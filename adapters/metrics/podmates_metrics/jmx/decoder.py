"""The Java object stream, read: bytes in, values out, `PENDING` for "feed me more".

Each construct of the grammar is a small generator that asks for what it needs (a number of bytes, a
value, a class descriptor); the trampoline in `Decoder` answers. So nesting costs no recursion, a cut
costs nothing but the last token, and time is linear in the bytes, however they arrive. The peer chooses
the bytes: every dimension has a limit.

Source: Java Object Serialization Specification, chapter 6.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from enum import Enum
from struct import Struct
from typing import Any, Final

from podmates_metrics.jmx.javautf import decode
from podmates_metrics.jmx.javavalues import Block, JavaClass, Value, describe

MAGIC = b"\xac\xed\x00\x05"
FIRST_HANDLE = 0x7E0000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that one reply may hold; a Java server has no reason to come near."""

    size: int = 32 * 1024 * 1024  # bytes
    string: int = 4 * 1024 * 1024  # bytes
    elements: int = 1_000_000  # of arrays of objects, together
    handles: int = 500_000  # objects, arrays, strings, descriptors
    depth: int = 200  # constructs within each other
    lineage: int = 32  # ancestors of a class
    fields: int = 1_000  # of a class


class StreamError(ValueError):
    """The bytes are not what they should be; the connection cannot be used any further."""


class StreamAborted(Exception):
    """The server met an exception while it wrote the reply, and says which.

    *partial* holds what was complete or begun before: the handles of the stream, in order.
    """

    def __init__(self, thrown: Value, partial: list[Value]) -> None:
        super().__init__(describe(thrown))
        self.thrown, self.partial = thrown, partial


class Want(Enum):
    """What a construct asks for, besides a number of bytes."""

    VALUE = "a value"
    ITEM = "a value, a block of data or the end mark"
    DESCRIPTOR = "a class descriptor"


class Mark(Enum):
    """Answers that are no values."""

    PENDING = "more bytes are needed"
    END = "end of the data of a class"
    OPENED = "a construct was entered"  # in the table of handles: one that is not finished


PENDING: Final = Mark.PENDING
END: Final = Mark.END
OPENED: Final = Mark.OPENED

VALUE: Final = Want.VALUE
ITEM: Final = Want.ITEM
DESCRIPTOR: Final = Want.DESCRIPTOR
Request = int | Want
Construct = Generator[Request, Any, Value]
_BYTE, _SHORT, _INT, _LONG = Struct(">B"), Struct(">H"), Struct(">i"), Struct(">q")
_DESCRIPTOR_TAGS = frozenset((0x70, 0x71, 0x72, 0x7D))


class Decoder:
    """Runs one construct after the other over the bytes that are fed.

    Args:
        limits: for each construct begun.
        constructs: by the tag that announces it, what reads the construct after the tag.
        shortcuts: by tag, what may know the whole construct at a glance: it returns the value and moves
            `position` behind it, or returns `PENDING` and has changed nothing.
    """

    def __init__(
        self,
        limits: Limits,
        constructs: Mapping[int, Callable[[Decoder], Construct]],
        shortcuts: Mapping[int, Callable[[Decoder], Any]],
    ) -> None:
        self.limits, self._constructs, self._shortcuts = limits, constructs, shortcuts
        self.handles: list[Value] = []
        self.buffer = bytearray()
        self.position = 0  # of the next byte to read, in the buffer
        self._spent = 0  # bytes of this construct already read and let go
        self._elements = 0
        self._frames: list[Construct] = []
        self._request: Request = 0

    def feed(self, data: bytes) -> None:
        """Add what the peer sent."""
        if self.position > 65536:
            self._spent += self.position
            del self.buffer[: self.position]
            self.position = 0
        self.buffer += data

    @property
    def unread(self) -> int:
        """Bytes that were fed and not yet used."""
        return len(self.buffer) - self.position

    def begin(self, construct: Construct) -> None:
        """Make *construct* what the coming bytes are read as."""
        self.handles, self._elements, self._spent = [], 0, -self.position
        self._frames = [construct]
        self._request = next(construct)

    def result(self) -> Value:
        """Return the value of the construct, or `PENDING`.

        Raises:
            StreamError: the bytes make no sense, or too much of it.
            StreamAborted: the server gave up in the middle.
        """
        request, frames = self._request, self._frames
        send = frames[-1].send
        while True:
            # `type(…) is` and not isinstance: this is the innermost loop, and a request is never a subclass.
            value = self._take(request) if type(request) is int else self._answer(request)
            if value is OPENED:
                send = frames[-1].send
                request = send(None)
                continue
            if value is PENDING:
                if self._spent + len(self.buffer) > self.limits.size:
                    raise StreamError(f"reply of more than {self.limits.size} bytes")
                self._request = request
                return PENDING
            while True:
                try:
                    request = send(value)
                    break
                except StopIteration as finished:
                    frames.pop()
                    value = finished.value
                    if not frames:
                        return value
                    send = frames[-1].send

    def _answer(self, request: Any) -> Any:
        """Return what was asked for, `PENDING`, or `OPENED` after entering a construct."""
        position = self.position
        if position >= len(self.buffer):
            return PENDING
        tag = self.buffer[position]
        if request is DESCRIPTOR and tag not in _DESCRIPTOR_TAGS:
            raise StreamError(f"tag 0x{tag:02x} where a class descriptor belongs")
        if tag == 0x71:
            return self._reference(request)
        if tag == 0x74:
            return self._string(_SHORT, 2)
        if tag == 0x70:
            self.position = position + 1
            return None
        shortcut = self._shortcuts.get(tag)
        if shortcut is not None and (value := shortcut(self)) is not PENDING:
            return value
        if tag in self._constructs:
            self.position = position + 1
            return self._open(self._constructs[tag](self))
        return self._rare(tag, request)

    def _rare(self, tag: int, request: Request) -> Any:
        if tag == 0x7C:
            return self._string(_LONG, 8)
        if request is not ITEM or tag not in (0x77, 0x78, 0x7A):
            raise StreamError(f"tag 0x{tag:02x} where {getattr(request, 'value', request)} belongs")
        if tag == 0x78:
            self.position += 1
            return END
        head = 2 if tag == 0x77 else 5
        if self.position + head > len(self.buffer):
            return PENDING
        length = (_BYTE if tag == 0x77 else _INT).unpack_from(self.buffer, self.position + 1)[0]
        data = self._sized(head, length)
        return data if data is PENDING else Block(data)

    def _reference(self, request: Request) -> Any:
        if self.position + 5 > len(self.buffer):
            return PENDING
        index = _INT.unpack_from(self.buffer, self.position + 1)[0] - FIRST_HANDLE
        if not 0 <= index < len(self.handles):
            raise StreamError("reference to nothing")
        value = self.handles[index]
        if value is OPENED or (
            request is DESCRIPTOR and not (isinstance(value, JavaClass) and value.lineage)
        ):
            raise StreamError("reference to something unfinished or of another kind")
        self.position += 5
        return value

    def _string(self, length: Struct, width: int) -> Any:
        if self.position + 1 + width > len(self.buffer):
            return PENDING
        data = self._sized(1 + width, length.unpack_from(self.buffer, self.position + 1)[0])
        return data if data is PENDING else self.remember(text(data))

    def _sized(self, head: int, length: int) -> Any:
        """Return *length* bytes after a head of *head* bytes, or `PENDING` with nothing used."""
        if not 0 <= length <= self.limits.string:
            raise StreamError(f"{length} bytes announced for one string or block")
        start = self.position + head
        if start + length > len(self.buffer):
            return PENDING
        self.position = start + length
        return bytes(self.buffer[start : start + length])

    def _take(self, count: int) -> Any:
        end = self.position + count
        if end > len(self.buffer):
            if count > self.limits.size:
                raise StreamError(f"{count} bytes announced")
            return PENDING
        data = bytes(self.buffer[self.position : end])
        self.position = end
        return data

    def _open(self, construct: Construct) -> Mark:
        if len(self._frames) >= self.limits.depth:
            raise StreamError(f"values nested deeper than {self.limits.depth}")
        self._frames.append(construct)
        return OPENED

    def remember(self, value: Value) -> Value:
        """Give *value* the next handle."""
        if len(self.handles) >= self.limits.handles:
            raise StreamError(f"more than {self.limits.handles} objects in one reply")
        self.handles.append(value)
        return value

    def mark(self) -> int:
        """Return the offset of the next byte from the beginning of the construct, for `since`."""
        return self._spent + self.position

    def since(self, mark: int) -> bytes | None:
        """Return the bytes read since *mark*; None when they were let go already."""
        start = mark - self._spent
        return bytes(self.buffer[start : self.position]) if start >= 0 else None

    def count_elements(self, count: int) -> None:
        """Refuse arrays that are larger, all together, than they may be."""
        self._elements += count
        if count < 0 or self._elements > self.limits.elements:
            raise StreamError(f"arrays of more than {self.limits.elements} elements")


def text(data: bytes) -> str:
    """Return modified UTF-8 as text, or raise `StreamError`."""
    try:
        return decode(data)
    except UnicodeDecodeError:
        raise StreamError("text that is not modified UTF-8") from None
