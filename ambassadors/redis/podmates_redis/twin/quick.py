"""Requests that are like any other: all of a kind, with one key each, and on their way in one go. No I/O.

What comes of them is what `requests` would do with each.
"""

from __future__ import annotations

from operator import itemgetter

from podmates_redis.engine.rules import READ
from podmates_redis.twin.frames import Found, cut, quick_requests
from podmates_redis.twin.requests import master_for, send, unproven, why_master
from podmates_redis.twin.settling import reads_too
from podmates_redis.twin.shapes import WHY_NONE, Client, Core, Head, Request, Slot, Upstream
from podmates_redis.twin.table import has_words, head

_beginning, _more, _fourth = itemgetter(1), itemgetter(3), itemgetter(4)


def take_quickly(core: Core, c: Client, data: bytes) -> int:
    """Take the requests of *data* if they are alike; return how many bytes are used: none, or all but the
    beginning of one more."""
    found = quick_requests(data)
    first = found[0] if found else None
    if first is None or not first[1]:
        return 0
    known = core.heads.get(first[1])
    if known is None and (first[1] in core.heads or (known := _learn(core, data, first[1])) is None):
        return 0
    size, room = len(data), c.window - (c.next_seq - c.head_seq)
    if len(found) > 1:
        if found[-1][5]:
            rest = found.pop()[5]
            whole = cut(rest, 0)
            if not isinstance(whole, int) or whole < 0:  # it may be a write of what is read before it
                return 0
            size -= len(rest)
        if not _alike(found, known, first[1]):
            return 0
    elif not has_words(first, known[1]):
        return 0
    if len(found) > room:
        if room <= 0:
            return 0
        del found[room:]
        size = sum(len(one[0]) for one in found)
    request = Request(data[:size] if size < len(data) else data, [])
    command = request.command = known[0]
    request.kind, request.flags = command.kind, command.flags
    return size if _send(core, c, request, found) else 0


def _learn(core: Core, data: bytes, beginning: bytes) -> Head | None:
    request = cut(data, 0)
    return None if isinstance(request, int) else head(core, beginning, request)


def _alike(found: list[Found], known: Head, beginning: bytes) -> bool:
    if set(map(_beginning, found)) != {beginning}:
        return False
    if known[1] == 2:
        return not any(map(_more, found))
    if known[1] == 3:
        return all(map(_more, found)) and not any(map(_fourth, found))
    return all(map(_fourth, found))


def _send(core: Core, c: Client, request: Request, found: list[Found]) -> bool:
    """Send all that was found at once; False: they need a look each."""
    u: Upstream | None = None
    salt, proof = c.group.salt, core.proof
    if request.kind == READ:
        reason = why_master(core, c, WHY_NONE)
        if reason == WHY_NONE:
            covered = core.places[c.place].covered
            need = max(proof.newest, proof.everything)  # that of any key
            if need > covered and core.prove_marks:
                marks = proof.marks
                needs = [marks[hash(one[2]) + salt & 65535] for one in found]
                need = max(proof.everything, *needs)
                if proof.everything <= covered and min(needs) <= covered < need:
                    return False
            reason = unproven(core, c, need)
        if reason == WHY_NONE:
            u = c.replica if c.at_replica else c.group.current[c.place]
            if len(found) == 1:
                request.keys = (hash(found[0][2]) + salt & 65535,)
        request.reason = reason
    else:
        request.keys = tuple([hash(one[2]) + salt & 65535 for one in found])
        if c.at_replica and reads_too(core, c, request.keys):
            return False
    if u is None:
        u = master_for(c)
        if u is None or u.fd == -1:
            return False
    send(core, u, Slot(c, request, core.now, len(found)), request)
    return True
