"""One connection to a server, kept between questions: HTTP/1.1, with a limit on time and on size.

The standard library's client counts its timeout anew for every piece that comes; here whatever comes, and
however slowly, ends at one deadline.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import select
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from podmates_gitsync import threads
from podmates_gitsync.polling.failures import ExchangeError, TooLong

LIMIT = 1 << 20  # bytes of a body
_HEAD = 1 << 18  # bytes that may come beside it
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_OLDEST = 300.0  # seconds that a connection is used for: the name may mean another server by now


class Answer(NamedTuple):
    """What a server said."""

    status: int
    kind: str  # its Content-Type
    body: bytes


class Connection:
    """Talks to one scheme, host and port, and to no other: it follows no redirect.

    Args:
        authority: for the Host header.
        clock: seconds, monotonic; deadlines are on it.
    """

    def __init__(
        self,
        scheme: str,
        host: str,
        port: int,
        *,
        authority: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scheme, self._host, self._port, self._authority = scheme, host, port, authority
        self._clock = clock
        self._wire: _Wire | None = None
        self._context: ssl.SSLContext | None = None
        self._opened = 0.0

    def exchange(
        self, method: str, path: str, headers: Mapping[str, str], *, body: bytes | None, deadline: float
    ) -> Answer:
        """Send a request and return its answer.

        A connection that the server has closed meanwhile is opened anew, once. The request must be one
        that may be sent twice.

        Raises:
            ExchangeError: no whole answer came in time.
        """
        try:
            kept = self._kept()
            if kept is not None:
                try:
                    return self._ask(kept, method, path, headers, body=body, deadline=deadline)
                except ExchangeError:
                    raise
                except OSError:  # it was closed in this very moment
                    self.close()
            return self._ask(self._open(deadline), method, path, headers, body=body, deadline=deadline)
        except ExchangeError:
            self.close()
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise ExchangeError(f"{type(error).__name__}: {error}") from None

    def close(self) -> None:
        """End the connection; the next question opens another."""
        if self._wire is not None:
            self._wire.end()
            self._wire = None

    def _kept(self) -> _Wire | None:
        wire = self._wire
        if wire is not None and (self._clock() - self._opened > _OLDEST or wire.has_news()):
            self.close()
            return None
        return wire

    def _ask(
        self,
        wire: _Wire,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None,
        deadline: float,
    ) -> Answer:
        wire.begin(deadline)
        client = http.client.HTTPConnection(self._host, self._port)
        client.sock = wire  # as much of a socket as the client uses
        client.request(method, path, body, {"Host": self._authority, **headers})
        with client.getresponse() as response:
            data = response.read(LIMIT + 1)
            if len(data) > LIMIT:
                raise TooLong(f"the answer has more than {LIMIT} bytes")
            if response.length:
                raise ExchangeError(f"the answer lacks {response.length} bytes")
            if response.will_close:
                self.close()
            return Answer(response.status, response.headers.get_content_type(), data)

    def _open(self, deadline: float) -> _Wire:
        failure: OSError = OSError("the name has no address")
        addresses = self._addresses(deadline)
        for number, (family, address) in enumerate(addresses):
            share = self._clock() + _left(deadline, self._clock) / (len(addresses) - number)
            try:
                self._wire = _Wire(self._connected(family, address, share), self._clock)
            except OSError as error:
                failure = error
                continue
            self._opened = self._clock()
            return self._wire
        raise failure

    def _connected(self, family: int, address: Any, deadline: float) -> socket.socket:
        plain = socket.socket(family, socket.SOCK_STREAM)
        try:
            plain.settimeout(_left(deadline, self._clock))
            plain.connect(address)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._scheme == "http":
                return plain
            plain.settimeout(_left(deadline, self._clock))
            self._context = self._context or _verifying()
            return self._context.wrap_socket(plain, server_hostname=self._host)
        except BaseException:
            plain.close()
            raise

    def _addresses(self, deadline: float) -> list[tuple[int, Any]]:
        """Look the name up in a thread, because a look-up has no deadline of its own."""
        found: list[list[Any] | OSError] = []

        def look_up() -> None:
            try:
                found.append(socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM))
            except OSError as error:
                found.append(error)
            except UnicodeError as error:  # no name that could be looked up
                found.append(OSError(str(error)))

        threads.start(look_up, name="look-up").join(_left(deadline, self._clock))
        if not found:
            raise TimeoutError("the look-up of the name took too long")
        if isinstance(found[0], OSError):
            raise found[0]
        return [(entry[0], entry[4]) for entry in found[0]]


class _Wire:
    """What the client uses of a socket, with one deadline for everything between two `begin`."""

    def __init__(self, connected: socket.socket, clock: Callable[[], float]) -> None:
        self._socket, self._clock = connected, clock
        self._deadline, self._room = 0.0, 0

    def begin(self, deadline: float) -> None:
        self._deadline, self._room = deadline, LIMIT + _HEAD

    def has_news(self) -> bool:
        """Return whether there is something to read before anything was asked: mostly the end."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(_left(self._deadline, self._clock))
        self._socket.sendall(data)  # its timeout counts for the whole

    def receive(self, buffer: Any) -> int:
        if self._room <= 0:
            raise TooLong("the answer does not end")
        self._socket.settimeout(_left(self._deadline, self._clock))
        count = self._socket.recv_into(buffer)
        self._room -= count
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self))

    def close(self) -> None:
        """The client calls it while the answer is still to be read; `end` is ours."""

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()


class _Incoming(io.RawIOBase):
    """What comes over a wire; closing it leaves the wire open."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._wire.receive(buffer)


def _left(deadline: float, clock: Callable[[], float]) -> float:
    seconds = deadline - clock()
    if seconds <= 0:
        raise TimeoutError("no answer in time")
    return seconds


def _verifying() -> ssl.SSLContext:
    """Return a TLS context that trusts what git trusts: the system's certificates, whatever variables say."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    paths = ssl.get_default_verify_paths()
    context.load_verify_locations(capath=paths.openssl_capath)
    with contextlib.suppress(OSError):
        context.load_verify_locations(cafile=_BUNDLE)
    return context
