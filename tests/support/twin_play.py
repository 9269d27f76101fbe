"""The shared path in Python without sockets: like `Play` of the compiled engine."""

from __future__ import annotations

import time
from typing import Any

from podmates_redis.engine.events import ENDED_ITSELF
from podmates_redis.engine.rules import ACQUIRES
from podmates_redis.twin import clients, frames, losing, replies, table
from podmates_redis.twin.box import Box
from podmates_redis.twin.order import doom, inflight, make_dirty
from podmates_redis.twin.shapes import AWAY, CLOSED, DOOMED, LEAVING, OPEN, RECEIVE, Client, Group, Upstream
from podmates_redis.twin.times import check_times


class TwinPlay(Box):
    """Clients and servers are numbers; nothing is sent, nothing blocks."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._clients: dict[int, Client] = {}

    def understand(self, request: bytes, database: int = 0) -> tuple[int, list[int] | None, bool] | None:
        found = frames.cut(request, 0)
        if isinstance(found, int) or not table.understand(self.core, found):
            return None
        keys = table.keys_of(Group(-1, database), found)
        return found.kind, None if keys is None else list(keys), bool(found.flags & ACQUIRES)

    def after(self) -> None:
        core = self.core
        self._flush()
        for u in list(core.upstreams):
            if u.fd != -1 and (u.hopeless or (u.collecting and losing.collected(core, u))):
                losing.upstream_lost(core, u)
        losing.retire_empty(core)
        self._flush()

    def _flush(self) -> None:
        core = self.core
        while core.dirty:
            c = core.dirty.pop()
            c.dirty = False
            clients.keep_output(core, c)
            if c.state == OPEN and c.resumed:
                clients.try_again(core, c)
            if c.dirty:
                continue
            if c.state == LEAVING and inflight(c) == 0:
                c.state = AWAY
            elif c.state == OPEN and c.ended and not c.hold and inflight(c) == 0:
                c.state = DOOMED
            if c.state == DOOMED:
                c.state = CLOSED
                clients.leave_list(core, c)

    def connect(self, number: int, group: int = 0) -> None:
        self._clients[number] = clients.new_client(self.core, number, number, self.core.groups[group])

    def say(self, number: int, data: bytes, last: bool = True) -> bool:
        c, core = self._clients[number], self.enter()
        if c.state != OPEN or c.hold or c.ended:
            return False
        whole = c.input + data
        if c.input and len(whole) < c.input_need:
            clients.keep_input(core, c, whole)
            return True
        clients.take_input(core, c, whole, last=last)
        self.after()
        return True

    def end(self, number: int) -> None:
        self._clients[number].ended = True
        make_dirty(self.core, self._clients[number])
        self.after()

    def vanish(self, number: int) -> None:
        doom(self.core, self._clients[number], ENDED_ITSELF)
        self.after()

    def told(self, number: int) -> bytes:
        c = self._clients[number]
        found = clients.unsent(c)
        c.output.clear()
        c.unsent, c.unpaced = 0, False
        clients.keep_output(self.core, c)
        return found

    def state(self, number: int) -> str:
        c = self._clients[number]
        if c.state == OPEN:
            return "held" if c.hold else "open"
        return {LEAVING: "leaving", DOOMED: "closed", CLOSED: "closed", AWAY: "away"}[c.state]

    def unread(self, number: int) -> bytes:
        return self._clients[number].input

    def back(self, number: int, unread: bytes = b"") -> None:
        c = self._clients[number]
        c.state = OPEN
        clients.keep_input(self.core, c, b"")
        clients.take_input(self.core, c, unread, last=True)
        self.after()

    def _upstream(self, number: int) -> Upstream:
        return next(u for u in self.core.upstreams if u.fd == number)

    def stands(self, number: int) -> bool:
        return any(u.fd == number for u in self.core.upstreams)

    def sent(self, number: int, most: int | None = None) -> bytes:
        u = self._upstream(number)
        if u.collecting:
            return b""
        whole = b"".join(u.pending)
        found = whole if most is None else whole[:most]
        u.pending.clear()
        if len(found) < len(whole):
            u.pending.append(whole[len(found) :])
        u.sent += len(found)
        return found

    def answer(self, number: int, data: bytes) -> None:
        u, core = self._upstream(number), self.enter()
        whole = u.rest + data
        left = replies.take_replies(core, u, whole)
        self._flush()
        if 0 <= left <= RECEIVE // 2:
            u.rest = whole[len(whole) - left :]
        else:
            losing.upstream_lost(core, u)
        self.after()

    def lose(self, number: int) -> None:
        losing.upstream_lost(self.core, self._upstream(number))
        self.after()

    def pass_time(self, seconds: float) -> None:
        self.core.now = time.monotonic() + seconds
        check_times(self.core)
        self.after()
