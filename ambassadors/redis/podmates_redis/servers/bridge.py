"""Carries what the engine says and hears by TLS: the engine itself knows plain sockets only.

One thread moves all links: beside the compiled engine one of their own, so that they go on while the event
loop is held up; beside the twin that of the event loop, where the twin is itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable

from podmates_redis.servers.link import IN, Link

_EVENTS = 64  # of a turn


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
            OSError: there is no descriptor left, or no thread.
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
            poll.register(wake, IN)
            if self._apart:
                thread = threading.Thread(target=self._run, args=(poll,), name="tls-bridge", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # the next one who comes tries again
                    raise OSError(errno.EAGAIN, str(error)) from None
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
        def begin(_: int) -> None:
            poll.register(link.engine, 0)
            link.begin()

        self._ends[link.engine.fileno()] = link, True
        self._ends[link.server.fileno()] = link, False
        self._move(poll, link, begin, 0)

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
        if server == was_server:
            return
        if not server:
            poll.unregister(link.server)
        elif not was_server:
            poll.register(link.server, server)
        else:
            poll.modify(link.server, server)
