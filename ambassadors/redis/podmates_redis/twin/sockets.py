"""What is done with one client's socket, and with one server's."""

from __future__ import annotations

import fcntl
import os
import select
import termios
from collections.abc import Callable
from typing import Any

from podmates_redis.engine.events import ENDED_ITSELF, LEFT, STUCK
from podmates_redis.twin import failing, losing, replies
from podmates_redis.twin.box import Box
from podmates_redis.twin.clients import free, keep_input, keep_output, leave_list, owed, take_input, try_again
from podmates_redis.twin.order import doom, inflight, make_dirty, piles_up, tell
from podmates_redis.twin.pacing import ends_soon, recall
from podmates_redis.twin.shapes import (
    AWAY,
    CLOSED,
    DOOMED,
    FINE,
    LEAVING,
    MORE,
    OPEN,
    RECEIVE,
    Client,
    Upstream,
)

READ_SIZE = 16384  # bytes that a client may put in per turn, as redis-server has it
IN, OUT, GONE = select.EPOLLIN, select.EPOLLOUT, select.EPOLLHUP | select.EPOLLERR
_UNSENT = 16 << 20
_CHUNK = 65536  # bytes sent at once of what has piled up
_PIECES = 512  # requests sent at once


class Sockets(Box):
    """The core with sockets."""

    most_inflight = 10_000
    choked = False  # a server does not take what it is sent

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.poll = select.epoll()
        self.owners: dict[int, Client | Upstream] = {}
        self.note: Callable[[str, BaseException], None] = lambda what, error: None

    # -- from clients ----------------------------------------------------------------------------

    def client_event(self, c: Client, mask: int) -> None:
        """Its socket is ready."""
        if c.state >= DOOMED:
            return
        if mask & OUT:
            make_dirty(self.core, c)
        if not mask & (IN | GONE):
            return
        if c.reading:
            self._receive(c)
            if c.hold or c.ended or c.state or self.choked or inflight(c) > self.most_inflight:
                self.interest(c)
        elif mask & GONE:  # in both directions
            doom(self.core, c, ENDED_ITSELF)

    def _receive(self, c: Client) -> None:
        """Read once; more often only while a block is cut short by the size of what is read."""
        core, result = self.core, FINE
        while True:
            try:
                got = os.read(c.fd, READ_SIZE)
            except BlockingIOError:
                if result != MORE:
                    return
                got = b""
            except OSError:
                doom(core, c, ENDED_ITSELF)
                return
            else:
                if not got:  # half-closed: it still gets its replies
                    c.ended = True
                    make_dirty(core, c)
            whole = c.input + got if c.input else got
            if got and len(whole) < c.input_need:
                keep_input(core, c, whole)
            elif got or result == MORE:
                result = take_input(core, c, whole, last=len(got) < READ_SIZE)
            if not got or result != MORE:
                return

    def interest(self, c: Client) -> None:
        """Let the kernel know what of the client is wanted."""
        most = self.most_inflight if c.reading else self.most_inflight // 2
        reading = c.state == OPEN and not (c.hold or c.ended or self.choked) and inflight(c) <= most
        wants_write = c.unsent > 0
        if (reading != c.reading or wants_write != c.wants_write) and c.fd != -1:
            c.reading, c.wants_write = reading, wants_write
            self.poll.modify(c.fd, (IN if reading else 0) | (OUT if wants_write else 0))

    # -- to clients ------------------------------------------------------------------------------

    def flush_clients(self) -> None:
        """Send what clients are owed, and let them go on, or go."""
        core = self.core
        while core.dirty:
            dirty, core.dirty = core.dirty, []
            for c in reversed(dirty):
                c.dirty = False
                try:
                    if c.state <= LEAVING:
                        self._flush(c)
                except Exception as error:  # others stand behind it
                    failing.client(self, c, error)
                if c.state == DOOMED:
                    self._close(c)

    def _flush(self, c: Client) -> None:
        if c.unsent:
            self._send(c)
        if c.pauses:
            self._read_on(c)
        if c.resumed and c.state == OPEN:
            try_again(self.core, c)
        if c.state >= DOOMED or c.dirty:  # dirty again: it comes again
            return
        if c.state == LEAVING:
            if c.next_seq == c.head_seq:
                self._let_go(c)
        elif c.ended and not c.hold and not owed(c):
            doom(self.core, c, c.why)
        elif c.unsent or c.wants_write or c.hold or not c.reading:
            self.interest(c)

    def _send(self, c: Client) -> None:
        data = c.output[0] if len(c.output) == 1 else b"".join(c.output)
        c.output.clear()
        backlog = c.backlog
        if backlog and data:
            if len(backlog[-1]) < _CHUNK:
                data = backlog.pop() + data
            backlog.append(data)
        try:
            while data or backlog:
                data = backlog.popleft() if backlog else data
                sent = os.write(c.fd, data)
                c.unsent -= sent
                c.taken = self.core.now
                data = data[sent:] if sent < len(data) else b""
                if data:
                    backlog.appendleft(data)
                    break
        except BlockingIOError:
            backlog.appendleft(data)
        except OSError:
            doom(self.core, c, ENDED_ITSELF)
            return
        if c.unsent != c.kept:
            keep_output(self.core, c)
        if not c.unsent:
            c.unpaced = False

    def _let_go(self, c: Client) -> None:
        """It is not ours from here on."""
        self.poll.unregister(c.fd)
        del self.owners[c.fd]
        c.state = AWAY
        leave_list(self.core, c)
        self.core.kept -= c.kept + len(c.input)
        c.kept = 0
        self.core.leavers.append(c)

    def _close(self, c: Client) -> None:
        core = self.core
        del self.owners[c.fd]
        os.close(c.fd)
        c.fd, c.state = -1, CLOSED
        if c.pauses:
            self._read_on(c)
        core.gone[c.why] += 1
        if c.known:
            tell(core, (LEFT, c.group.number, c.why, c.id))
        leave_list(core, c)
        free(core, c)

    # -- from servers ----------------------------------------------------------------------------

    def receive_replies(self, u: Upstream) -> None:
        """Its socket is ready to be read."""
        core = self.core
        try:
            data = os.read(u.fd, RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            core.places[u.place].received += len(data)
            whole = u.rest + data if u.rest else data
            left = replies.take_replies(core, u, whole)
            self.flush_clients()
            if 0 <= left <= RECEIVE // 2:  # else out of step, or a line without end
                u.rest = whole[-left:] if left else b""
                self._pace(u)
                return
        self.hang_up(u)
        losing.upstream_lost(core, u)
        self.flush_clients()

    def _heed(self, u: Upstream) -> None:
        self.poll.modify(u.fd, (IN if u.paused_for is None else 0) | (OUT if u.wants_write else 0))

    def _pace(self, u: Upstream) -> None:
        """Do not read on for a client that does not take its replies; see times.py."""
        if not u.slots or u.paused_for is not None:
            return
        c = u.slots[0].client
        if c.state >= DOOMED or not piles_up(self.core, u.slots[0]):
            return
        recall(self.core, u)
        if ends_soon(self.core, u):
            return
        if not u.stuck:
            u.stuck = True  # so nobody comes to stand behind that
            if u.current:
                tell(self.core, (STUCK, u.group.number, u.place, 0))
        c.pauses += 1
        u.paused_for, u.paused_at = c, self.core.now
        self._heed(u)

    def _read_on(self, c: Client) -> None:
        """Read the connections again that were not read for its sake, as far as it has taken enough."""
        for u in self.core.upstreams:
            if u.paused_for is c and (
                c.state >= DOOMED or not u.slots or not piles_up(self.core, u.slots[0])
            ):
                u.paused_for = None
                c.pauses -= 1
                self._heed(u)

    def look_who_sends(self) -> None:
        """Find out which clients send more while connections wait for them to take something."""
        for u in self.core.upstreams:
            c = u.paused_for
            if c is not None and c.fd != -1:
                waiting = fcntl.ioctl(c.fd, termios.FIONREAD, bytes(4))
                c.sending = not c.reading and waiting != bytes(4)

    def watch_server(self, u: Upstream) -> None:
        self.owners[u.fd] = u
        self.poll.register(u.fd, IN)

    def hang_up(self, u: Upstream) -> None:
        del self.owners[u.fd]
        os.close(u.fd)

    # -- to servers ------------------------------------------------------------------------------

    def flush_upstreams(self) -> None:
        """Send the requests that have come together."""
        unsent = 0
        for u in list(self.core.upstreams):
            if u.fd != -1 and not u.collecting and (u.pending or u.wants_write):
                try:
                    self._send_requests(u)
                except Exception as error:
                    failing.upstream(self, u, error)
                unsent = max(unsent, u.tail - u.sent)
        if unsent > _UNSENT:
            self.choked = True
        elif self.choked and unsent <= _UNSENT // 2:
            self.choked = False
            for c in self.core.clients.values():
                self.interest(c)

    def _send_requests(self, u: Upstream) -> None:
        pending = u.pending
        while pending:
            if len(pending) > _PIECES:
                data = b"".join([pending.popleft() for _ in range(_PIECES)])
            else:
                data = b"".join(pending)
                pending.clear()
            try:
                sent = os.write(u.fd, data)
            except OSError:  # full, or broken: then reading says so
                sent = 0
            u.sent += sent
            self.core.places[u.place].sent += sent
            if sent < len(data):
                pending.appendleft(data[sent:])
                break
        if u.wants_write != bool(pending):
            u.wants_write = bool(pending)
            self._heed(u)
