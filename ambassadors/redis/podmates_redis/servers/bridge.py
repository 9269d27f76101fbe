"""Carries what the engine says and hears by TLS: the engine itself knows plain sockets only.

The law of this file
 1. The engine has one end of a pair of sockets; a link has the other, and the connection to the server. What
    the engine sees of its end is what it would see of a server: bytes in their order, and then the end.
 2. A link holds what one reading has brought, each way, and reads no further until all of that is taken. So
    whoever does not read stops whoever sends, as on a connection without a link.
 3. The server's end comes to the engine after all that the server has sent. The engine's end counts at once:
    nobody waits for what it had asked.
 4. One thread moves all links: beside the compiled engine one of their own, so that they go on while the
    event loop is held up; beside the twin that of the event loop, where the twin is itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable

from podmates_redis.servers.tls import Secured

_READ = 65536  # bytes that are received at once
_RECORD = 16384  # bytes that TLS encrypts at once, at most
_EVENTS = 64  # of a turn
_IN, _OUT = select.EPOLLIN, select.EPOLLOUT
_GONE = select.EPOLLHUP | select.EPOLLERR
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
            _IN * read_engine | _OUT * bool(self._replies),
            _IN * read_server | _OUT * bool(self._unsent),
        )

    def begin(self) -> None:
        """Pass on what came with the last of the greeting."""
        self._take(self._decrypted())

    def engine_ready(self, events: int) -> None:
        """The engine's side is ready for *events*."""
        if events & _GONE:
            self.over = True
            return
        if events & _OUT:
            self._hand()
        if events & _IN:
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
        if events & _OUT:
            self._send()
        if events & (_IN | _GONE) and not self._replies and not self._ended:
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


class Bridge:
    """All links; *apart*: in a thread of their own. An error of ours in one of them is told to *note*."""

    def __init__(self, *, apart: bool, note: Callable[[Exception], None]) -> None:
        self._apart, self._note = apart, note
        self._links: set[Link] = set()
        self._new: deque[Link] = deque()
        self._over: list[Link] = []
        self._ends: dict[int, tuple[Link, bool]] = {}  # by descriptor; True: the engine's
        self._poll: select.epoll | None = None
        self._wake = -1
        self._thread: threading.Thread | None = None
        self._stopping = False

    @property
    def held(self) -> int:
        """Bytes on their way."""
        return sum(link.held for link in list(self._links))

    def part(self, transport: asyncio.Transport) -> tuple[int, Callable[[], None]]:
        """Return a descriptor for the engine in place of *transport*, on which nothing is on its way.

        The caller aborts *transport*, and calls what is returned besides once it is told that it is closed.

        Raises:
            OSError, RuntimeError: there is no descriptor left, or no thread.
        """
        number = transport.get_extra_info("socket").fileno()
        secured = transport.get_extra_info("ssl_object")
        if secured is None:
            return os.dup(number), lambda: None
        if self._poll is None:
            self._start()
        ours, theirs = socket.socketpair()
        try:
            server = socket.socket(fileno=os.dup(number))
        except OSError:
            ours.close()
            theirs.close()
            raise
        for end in (ours, theirs, server):
            end.setblocking(False)
        link = Link(ours, server, secured)
        self._links.add(link)
        return theirs.detach(), lambda: self._add(link)

    def _add(self, link: Link) -> None:
        if not self._stopping:
            self._new.append(link)
            os.eventfd_write(self._wake, 1)

    def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as stack:
            wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            stack.callback(os.close, wake)
            poll = stack.enter_context(select.epoll())
            poll.register(wake, _IN)
            if self._apart:
                thread = threading.Thread(target=self._run, args=(poll,), name="tls-bridge", daemon=True)
                thread.start()  # or there are no more: the next one who comes tries again
                self._thread = thread
            else:
                self._loop.add_reader(poll.fileno(), self._turn, poll, 0)
            self._poll, self._wake = poll, wake
            stack.pop_all()

    def stop(self) -> None:
        """Close all links."""
        self._stopping = True
        if self._poll is not None:
            if self._thread is not None:
                os.eventfd_write(self._wake, 1)
                self._thread.join()
            else:
                self._loop.remove_reader(self._poll.fileno())
            self._poll.close()
            os.close(self._wake)
        for link in self._links:
            link.close()
        self._links.clear()

    # -- in the thread that moves them -----------------------------------------------------------

    def _run(self, poll: select.epoll) -> None:
        while not self._stopping:
            self._turn(poll, None)

    def _turn(self, poll: select.epoll, wait: float | None) -> None:
        for number, events in poll.poll(wait, _EVENTS):
            link, engine = self._ends.get(number, (None, False))
            if link is not None:
                self._move(poll, link, link.engine_ready if engine else link.server_ready, events)
            elif number == self._wake:
                os.eventfd_read(self._wake)
                while self._new:
                    self._welcome(poll, self._new.popleft())
        while self._over:  # only now: a descriptor given to a new link would get events of the old one
            link = self._over.pop()
            link.close()
            self._links.discard(link)

    def _welcome(self, poll: select.epoll, link: Link) -> None:
        poll.register(link.engine, 0)
        self._ends[link.engine.fileno()] = link, True
        self._ends[link.server.fileno()] = link, False
        self._move(poll, link, lambda events: link.begin(), 0)

    def _move(self, poll: select.epoll, link: Link, act: Callable[[int], None], events: int) -> None:
        try:
            act(events)
            if not link.over:
                self._watch(poll, link)
        except Exception as error:
            link.over = True
            self._loop.call_soon_threadsafe(self._note, error)
        if link.over:
            del self._ends[link.engine.fileno()], self._ends[link.server.fileno()]
            self._over.append(link)

    @staticmethod
    def _watch(poll: select.epoll, link: Link) -> None:
        """Tell the kernel what of *link* is of use; that the engine has gone always is, of a server not."""
        wanted, (was_engine, was_server) = link.wants(), link.watched
        if wanted == link.watched:
            return
        engine, server = link.watched = wanted
        if engine != was_engine:
            poll.modify(link.engine, engine)
        if not server:
            poll.unregister(link.server)
        elif not was_server:
            poll.register(link.server, server)
        elif server != was_server:
            poll.modify(link.server, server)
