"""A name server on loopback that knows the services of one test."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Self

import dns.message
import dns.rcode
import dns.rrset


class NameServer:
    """Answers questions for SRV records by *services*: name to lines such as ``0 5 6379 redis-0.redis.``."""

    def __init__(self, services: dict[str, list[str]]) -> None:
        self.services = services
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(65535)
            if not data:
                return
            query = dns.message.from_wire(data)
            reply, name = dns.message.make_response(query), query.question[0].name
            lines = self.services.get(name.to_text(omit_final_dot=True))
            if lines:
                reply.answer.append(dns.rrset.from_text_list(name, 5, "IN", "SRV", lines))
            else:
                reply.set_rcode(dns.rcode.NXDOMAIN)
            self._socket.sendto(reply.to_wire(), peer)
