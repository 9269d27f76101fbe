"""One connection to a server by TLS, and the pair of sockets behind which the engine sees it.

The law of this file
 1. The engine has one end of the pair; a link has the other, and the connection to the server. What the
    engine sees of its end is what it would see of a server: bytes in their order, and then the end.
 2. A link holds what one reading has brought, each way, and reads no further until all of that is taken. So
    whoever does not read stops whoever sends, as on a connection without a link.
 3. The server's end comes to the engine after all that the server has sent. The engine's end counts at once:
    nobody waits for what it had asked.
"""

from __future__ import annotations

import select
import socket
import ssl

from podmates_redis.servers.tls import Secured

IN, OUT = select.EPOLLIN, select.EPOLLOUT
_GONE = select.EPOLLHUP | select.EPOLLERR
_READ = 65536  # bytes that are received at once
_RECORD = 16384  # bytes that TLS encrypts at once, at most
_NOTHING = memoryview(b"")


class Link:
    """One connection to a server, and our end of the pair."""

    def __init__(self, engine: socket.socket, server: socket.socket, secured: Secured) -> None:
        self.engine, self.server, self._secured = engine, server, secured
        self.watched = 0, 0  # for these events: the engine's side, and the server's
        self.over = False
        self._ended = False  # the server says no more
        self._requests = _NOTHING  # that cannot be encrypted before the server has said something
        self._unsent = _NOTHING
        self._replies = _NOTHING

    @property
    def held(self) -> int:
        """Bytes on their way."""
        return len(self._requests) + len(self._unsent) + len(self._replies)

    def wants(self) -> tuple[int, int]:
        """Return the events of the engine's side, and of the server's, that it has a use for now."""
        read_engine = not self._requests and not self._unsent
        read_server = not self._replies and not self._ended
        return (
            IN * read_engine | OUT * bool(self._replies),
            IN * read_server | OUT * bool(self._unsent),
        )

    def begin(self) -> None:
        """Pass on what came with the last of the greeting."""
        self._take(self._decrypted())

    def engine_ready(self, events: int) -> None:
        """The engine's side is ready for *events*."""
        if events & _GONE:
            self.over = True
            return
        if events & OUT:
            self._hand()
        if events & IN:
            try:
                data = self.engine.recv(_READ)
            except ConnectionResetError:  # it has gone this moment, with something unread
                data = b""
            if not data:
                self.over = True
            elif not self._ended:  # else nobody is there to hear it
                self._requests = memoryview(data)
                self._send()

    def server_ready(self, events: int) -> None:
        """The server's side is ready for *events*."""
        if events & OUT:
            self._send()
        if events & (IN | _GONE) and not self._replies and not self._ended:
            try:
                data = self.server.recv(_READ)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if data:
                self._secured.incoming.write(data)
                self._take(self._decrypted())
            else:
                self._ended = True
                self._hand()

    def _decrypted(self) -> bytes:
        found = []
        try:
            while piece := self._secured.read(_RECORD):
                found.append(piece)
            self._ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:  # what nobody can read: that was all
            self._ended = True
        return found[0] if len(found) == 1 else b"".join(found)

    def _take(self, replies: bytes) -> None:
        self._replies = memoryview(replies)
        if self._requests or self._secured.outgoing.pending:  # keys have been changed
            self._send()
        self._hand()

    def _send(self) -> None:
        """Send what there is for the server, as far as it takes it."""
        secured = self._secured
        try:
            while self._requests:
                self._requests = self._requests[secured.write(self._requests) :]
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._ended = True
            self._hand()
            return
        if secured.outgoing.pending:
            fresh = secured.outgoing.read()
            self._unsent = memoryview(bytes(self._unsent) + fresh if self._unsent else fresh)
        try:
            while self._unsent:
                self._unsent = self._unsent[self.server.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:  # whoever reads learns what it had said before, and of its end
            self._unsent = _NOTHING

    def _hand(self) -> None:
        """Hand over what there is for the engine, as far as it takes it, and then the end."""
        try:
            while self._replies:
                self._replies = self._replies[self.engine.send(self._replies) :]
            if self._ended:
                self._requests = self._unsent = _NOTHING
                self.engine.shutdown(socket.SHUT_WR)  # it closes its end when it has read so far
        except BlockingIOError:
            pass
        except OSError:
            self.over = True

    def close(self) -> None:
        self.over = True
        self.engine.close()
        self.server.close()
