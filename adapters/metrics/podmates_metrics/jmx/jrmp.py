"""The stream form of JRMP, the wire protocol of RMI: greetings, calls and their replies. No I/O.

Source: Java Remote Method Invocation Specification, chapter 10.
"""

from __future__ import annotations

import hashlib
from struct import Struct
from typing import NamedTuple

from podmates_metrics.jmx.decoder import ITEM, VALUE, Construct, Decoder, StreamError
from podmates_metrics.jmx.javavalues import Block, JavaObject, Value, describe
from podmates_metrics.jmx.javawriter import block, utf

MAGIC = b"\xac\xed\x00\x05"
GREETING = b"JRMI\x00\x02\x4b"  # version 2, stream protocol
DEFAULT_OPERATION = -1  # calls by method hash
_INT, _LONG = Struct(">i"), Struct(">q")
_ACCEPTED, _REFUSED, _RETURN, _ACKNOWLEDGE = 0x4E, 0x4F, 0x51, b"\x54"
_RETURNED, _THREW = 1, 2
_KEY = 14  # bytes of a UID


class RemoteError(Exception):
    """The server answered the call by an exception; the connection is as good as before."""

    def __init__(self, thrown: Value) -> None:
        super().__init__(describe(thrown))
        self.kind = thrown.kind.name if isinstance(thrown, JavaObject) else ""


class Reply(NamedTuple):
    """What a call returned. *key* is what an acknowledgement of remote references names."""

    key: bytes
    value: Value


def well_known(number: int) -> bytes:
    """Return the id of one of the objects that every RMI runtime has: 0 the registry, 2 the collector."""
    return _LONG.pack(number) + bytes(_KEY)


def method_hash(signature: str) -> int:
    """Return how RMI names a method: ``name(argument types)return type`` in the JVM's signatures."""
    digest = hashlib.sha1(utf(signature), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "little", signed=True)


def call(target: bytes, operation: int, number: int, *arguments: bytes) -> bytes:
    """Return the bytes of a call on the object with the id *target*."""
    head = target + _INT.pack(operation) + _LONG.pack(number)
    return b"".join([b"\x50", MAGIC, block(head), *arguments])


def acknowledge(key: bytes) -> bytes:
    """Return the bytes that say: the remote reference in the reply *key* has arrived."""
    return _ACKNOWLEDGE + key


def introduce(host: str) -> bytes:
    """Return what a client says of itself after the greeting was accepted."""
    return utf(host) + _INT.pack(0)


def greeted(_: Decoder) -> Construct:
    """Read the answer to `GREETING`; raise `StreamError` when no RMI server is there."""
    tag = (yield 1)[0]
    if tag == _ACCEPTED:
        yield int.from_bytes((yield 2))  # our address as the server sees it
        yield 4
        return None
    if tag == _REFUSED:
        raise StreamError("the server does not speak the stream form of RMI")
    hint = _STRANGERS.get(tag, f"first byte 0x{tag:02x}")
    raise StreamError(f"no RMI server is listening there ({hint})")


_STRANGERS = {0x48: "it answers like HTTP", 0x15: "it answers like TLS"}


def replied(_: Decoder, *, void: bool) -> Construct:
    """Read the reply to one call; a *void* method returns nothing at all.

    Raises:
        RemoteError: the method threw.
    """
    tag = (yield 1)[0]
    if tag != _RETURN:
        raise StreamError(f"byte 0x{tag:02x} where a reply begins")
    if (yield 4) != MAGIC:
        raise StreamError("a reply that is no object stream")
    head = yield ITEM
    if not isinstance(head, Block) or len(head) < 1 + _KEY or head[0] not in (_RETURNED, _THREW):
        raise StreamError("a reply without a head")
    if head[0] == _THREW:
        raise RemoteError((yield VALUE))
    return Reply(bytes(head[1 : 1 + _KEY]), None if void else (yield VALUE))
