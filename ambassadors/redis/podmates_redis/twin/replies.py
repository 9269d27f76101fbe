"""From a server to the clients: finds the ends of replies, and passes bytes on as they come. No I/O.

RESP2 and RESP3, nested to any depth without a stack, resumable. Slots are in the order of sending; a reply
belongs to the oldest slot. What fits no slot, a push on a shared connection included, means that the stream
is out of step: the connection is given up.
"""

from __future__ import annotations

import re

from podmates_redis.twin.answers import finish, reply_done, reply_part
from podmates_redis.twin.frames import replies, some_replies
from podmates_redis.twin.settling import single
from podmates_redis.twin.shapes import LINE, RECEIVE, Core, Upstream

OUT_OF_STEP = -1  # bytes
_BROKEN, _UNFINISHED = -1, -2
_LINES, _BULKS, _FLAT, _HEADERS = b"+-:_#,(", b"$=!", b"*~", b"$*%~=!|"
_HEADER = re.compile(rb"(-1|[0-9]{1,15})\r\n")
_BEGUN = re.compile(rb"(?:-1?|[0-9]{1,15})?\r?\Z")
_MANY = 4  # elements from which it is worth to look for many short ones at once


def take_replies(core: Core, u: Upstream, data: bytes) -> int:
    """Take *data*; return how many bytes at its end are an unfinished line, to be kept, or `OUT_OF_STEP`."""
    at, start, size = 0, 0, len(data)  # `start`: of what has not been passed on
    u.moved = core.now
    while at < size:
        if not (u.need or u.skip or u.in_line):
            done = _quickly(core, u, data, at)
            if done != at:
                at = start = done
                continue
            if not _expected(core, u):
                return OUT_OF_STEP
        after = _step(u, data, at)
        if after == _UNFINISHED:
            break
        if after == _BROKEN:
            return OUT_OF_STEP
        at = after
        if not (u.need or u.skip or u.in_line):
            reply_done(core, u, data[start:at])
            start = at
    if at > start:
        reply_part(core, u, data[start:at])
    return size - at


def _quickly(core: Core, u: Upstream, data: bytes, at: int) -> int:
    """Take short replies that are like any other, from *at* on; return how far."""
    slots = u.slots
    while slots and not u.collecting:
        slot = slots[0]
        if slot.odd or slot.replies > 1 or slot.end > u.sent:
            break
        end = replies(data, at, slot.count)
        if end < 0:
            break
        u.error = False
        finish(core, u, slot, data[at:end])
        at = end
    return at


def _expected(core: Core, u: Upstream) -> bool:
    """Tell whether a reply may come: its request is wholly sent, of a block a part."""
    if not u.slots:
        return False
    slot = single(core, u)
    return slot.end <= u.sent or (slot.owed > 1 and u.head < u.sent)


def _step(u: Upstream, data: bytes, at: int) -> int:
    """Go one line, or the rest of a bulk string, or many short elements; return where that is."""
    if u.skip:
        step = min(len(data) - at, u.skip)
        u.skip -= step
        return at + step
    if u.in_line:
        end = data.find(b"\n", at)
        u.in_line = end < 0
        return len(data) if end < 0 else end + 1
    if u.need > _MANY:
        done, end = some_replies(data, at, u.need)
        if done:
            u.need -= done
            return end
    return _line(u, data, at)


def _line(u: Upstream, data: bytes, at: int) -> int:
    """Take one line of a reply; return where it ends."""
    kind, number = data[at], 0
    if kind in _LINES:
        end = data.find(b"\n", at) + 1
        if not end:
            if len(data) - at <= (RECEIVE // 4 if kind == 45 else LINE):  # '-'
                return _UNFINISHED
            u.in_line, end = True, len(data)
    elif kind in _HEADERS:
        found = _HEADER.match(data, at + 1)
        if found is None:
            return _UNFINISHED if _BEGUN.match(data, at + 1) else _BROKEN
        number, end = int(found[1]), found.end()
    else:
        return _BROKEN
    if u.need == 0:
        u.need, u.error = 1, kind == 45
    u.need -= 1
    if kind in _BULKS:
        u.skip = number + 2 if number >= 0 else 0
    elif kind in _FLAT:
        u.need += max(number, 0)
    elif kind == 37:  # '%'
        u.need += 2 * max(number, 0)
    elif kind == 124:  # '|': attributes, then the reply itself
        u.need += 2 * max(number, 0) + 1
    return _BROKEN if u.need > 1 << 50 else end
