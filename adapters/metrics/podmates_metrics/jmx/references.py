"""Remote references as RMI writes them, and the leases that keep what they name alive. No I/O.

Source: serialized forms of `java.rmi.server.RemoteObject` and of the package `java.rmi.dgc`.
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError
from typing import NamedTuple

from podmates_metrics.jmx.decoder import StreamError
from podmates_metrics.jmx.javavalues import SERIALIZABLE, Block, JavaObject, Value, kind_of
from podmates_metrics.jmx.javawriter import array, block, byte_array, descriptor, instance
from podmates_metrics.jmx.jrmp import call, well_known

_SHORT, _INT, _LONG = Struct(">H"), Struct(">i"), Struct(">q")
_ID = 22  # bytes: object number, then a UID of int, long, short
_REMOTE_OBJECT = "java.rmi.server.RemoteObject"
_TLS_FACTORY = "javax.rmi.ssl.SslRMIClientSocketFactory"
_COLLECTOR, _DIRTY, _DIRTY_HASH = well_known(2), 1, -669196253586618813


class Reference(NamedTuple):
    """Where a remote object lives: *identity* is its id there."""

    host: str
    port: int
    identity: bytes
    tls: bool = False


def find(value: Value) -> Reference:
    """Return the reference inside a stub.

    A stub is an object whose class descends from `RemoteObject`, or a proxy around an invocation
    handler that does.

    Raises:
        StreamError: there is none, or of a kind that we do not know.
    """
    for _ in range(4):  # proxy, handler; a longer chain is none of RMI's
        if not isinstance(value, JavaObject):
            break
        if _REMOTE_OBJECT in value.written:
            return _parse(value.written[_REMOTE_OBJECT])
        value = value.fields.get("h")
    raise StreamError("the server returned something else than a remote object")


def _parse(written: list[Value]) -> Reference:
    data = b"".join(item for item in written if isinstance(item, Block))
    objects = [item for item in written if not isinstance(item, Block)]
    try:
        kind, at = _utf(data, 0)
        if kind not in ("UnicastRef", "UnicastRef2"):
            raise StreamError(f"remote reference of the unknown kind {kind[:40]!r}")
        with_factory = kind == "UnicastRef2" and data[at] == 1
        host, at = _utf(data, at + (kind == "UnicastRef2"))
        port = _INT.unpack_from(data, at)[0]
    except (StructError, IndexError, UnicodeDecodeError):
        raise StreamError("a remote reference that ends early") from None
    identity = data[at + 4 : at + 4 + _ID]
    if len(identity) < _ID or not 0 < port < 65536:
        raise StreamError("a remote reference without a port or an id")
    factory = kind_of(objects[0]) if with_factory and objects else ""
    if factory not in ("", _TLS_FACTORY):
        raise StreamError(f"the server demands a socket factory of its own: {factory[:200]}")
    return Reference(host, port, identity, factory == _TLS_FACTORY)


def _utf(data: bytes, at: int) -> tuple[str, int]:
    end = at + 2 + _SHORT.unpack_from(data, at)[0]
    if end > len(data):
        raise IndexError
    return data[at + 2 : end].decode(), end


_UID = descriptor(
    "java.rmi.server.UID", 1086053664494604050, SERIALIZABLE, [("count", "S"), ("time", "J"), ("unique", "I")]
)
_OBJECT_ID = descriptor(
    "java.rmi.server.ObjID",
    -6386392263968365220,
    SERIALIZABLE,
    [("objNum", "J"), ("space", "Ljava/rmi/server/UID;")],
)
_OBJECT_IDS = descriptor("[Ljava.rmi.server.ObjID;", -8713620060265225090, SERIALIZABLE)
_LEASE = descriptor(
    "java.rmi.dgc.Lease",
    -5713411624328831948,
    SERIALIZABLE,
    [("value", "J"), ("vmid", "Ljava/rmi/dgc/VMID;")],
)
_MACHINE = descriptor(
    "java.rmi.dgc.VMID", -538642295484486218, SERIALIZABLE, [("addr", "[B"), ("uid", "Ljava/rmi/server/UID;")]
)


def dirty(identity: bytes, *, client: bytes, sequence: int, milliseconds: int) -> bytes:
    """Return the call by which *client* (8 random bytes) asks to keep the object for so long.

    The answer is a lease that may be shorter. *sequence* must grow from call to call.
    """
    number, unique, time, count = identity[:8], identity[8:12], identity[12:20], identity[20:22]
    named = instance(_OBJECT_ID, number, instance(_UID, count, time, unique))
    machine = instance(_MACHINE, byte_array(client), instance(_UID, bytes(2), client, bytes(4)))
    lease = instance(_LEASE, _LONG.pack(milliseconds), machine)
    names = array(_OBJECT_IDS, named)
    return call(_COLLECTOR, _DIRTY, _DIRTY_HASH, names, block(_LONG.pack(sequence)), lease)


def granted(lease: Value) -> float:
    """Return for how many seconds a lease holds."""
    value = lease.fields.get("value") if isinstance(lease, JavaObject) else None
    if kind_of(lease) != "java.rmi.dgc.Lease" or not isinstance(value, int):
        raise StreamError("the answer to dirty is no lease")
    return value / 1000
