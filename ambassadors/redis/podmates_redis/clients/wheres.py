"""Where a connection begins and ends, as the engine keeps it (`where_is` in sockets.pxi). No I/O."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence

from podmates_common.parse import Address
from podmates_redis.roster.roster import Place

_NOWHERE = b"?:0"
_FAMILIES = {socket.AF_INET: 4, socket.AF_INET6: 16}  # bytes of an address
_EACH = 18  # bytes: an address and a port


def unpacked(where: bytes, descriptor: int, paths: Sequence[str]) -> Place:
    """Return where that is; *paths* of the listeners, by their numbers."""
    family = where[0] if where else 0
    if family == socket.AF_UNIX:
        path = os.fsencode(paths[where[1]]) + b":0"
        return Place(path, path, descriptor, local=True)
    size = _FAMILIES.get(socket.AddressFamily(family)) if family else None
    if size is None:
        return Place(fd=descriptor)
    ends = []
    for begin in (1, 1 + _EACH):
        host = socket.inet_ntop(family, where[begin : begin + size])
        port = int.from_bytes(where[begin + _EACH - 2 : begin + _EACH], "big")
        ends.append(str(Address(host, port)).encode())
    return Place(ends[0], ends[1], descriptor)


def told(transport: asyncio.BaseTransport) -> Place:
    """Return where the connection begins and ends, as a server writes it."""
    sock = transport.get_extra_info("socket")
    fd = sock.fileno() if sock is not None else -1
    ours = transport.get_extra_info("sockname")
    if isinstance(ours, str | bytes):
        path = os.fsencode(ours) + b":0"
        return Place(path, path, fd, local=True)
    names = (transport.get_extra_info("peername"), ours)
    addr, laddr = (str(Address(*name[:2])).encode() if name else _NOWHERE for name in names)
    return Place(addr, laddr, fd)
