"""A StatsD sender that sends the very bytes it is given; the package ``statsd`` is the polite one."""

from __future__ import annotations

import socket
from collections.abc import Iterable


def send_udp(address: tuple[str, int], *packets: bytes) -> None:
    """Send each of *packets* as one datagram, IPv4 or IPv6 by the look of the host."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        for packet in packets:
            sender.sendto(packet, address)


def send_tcp(address: tuple[str, int], *pieces: bytes) -> bytes:
    """Send *pieces* over one connection, one write each, end it, and return what came back.

    A reset by the receiver is no fault of the sender's: what had come until then is returned.
    """
    got = b""
    with socket.create_connection(address, timeout=30) as sender:
        sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                sender.sendall(piece)
            sender.shutdown(socket.SHUT_WR)
            while part := sender.recv(65536):
                got += part
        except ConnectionError:
            pass
    return got


def packets(lines: Iterable[bytes], limit: int = 1432) -> list[bytes]:
    """Return *lines* joined by newlines into datagrams of at most *limit* bytes, as senders batch them."""
    joined: list[bytes] = []
    for line in lines:
        if joined and len(joined[-1]) + 1 + len(line) <= limit:
            joined[-1] += b"\n" + line
        else:
            joined.append(line)
    return joined
