"""Cuts what a client has sent into requests that this side can serve. No I/O."""

from __future__ import annotations

from podmates_redis.engine.rules import ACQUIRES, EVERYTHING, EXEC, HARD, LOCAL, MULTI, READ, WRITE
from podmates_redis.twin.frames import cut, quick_requests
from podmates_redis.twin.shapes import (
    BATCH,
    BLOCK,
    FINE,
    LEAVE,
    MORE,
    PLAIN_LIMIT,
    WHY_NONE,
    WHY_PIPELINE,
    Client,
    Core,
    Group,
    Request,
)
from podmates_redis.twin.table import head, keys_of, simple, understand

_Batch = tuple[int, list[Request]]


def cut_batch(core: Core, c: Client, source: tuple[bytes, int], last: bool) -> _Batch:
    """Cut up to BATCH requests; FINE: all there are; else why what follows them is none for now."""
    data, at = source
    batch: list[Request] = []
    found = iter(quick_requests(data[at:] if at else data))
    while at < len(data) and len(batch) < BATCH:
        one = next(found, None)
        request: Request | int | None = None if one is None else simple(core, c.group, one)
        if request is None:
            request = cut(data, at)
            if isinstance(request, int) and request > 0:
                c.input_need = request
                break
            result = LEAVE if isinstance(request, int) else _look(core, c.group, (data, at), request)
            if result == MORE:
                result = LEAVE if last else MORE
            if isinstance(request, int) or result != FINE:
                return result, batch
            if one is not None and one[1] and one[1] not in core.heads:
                head(core, one[1], request)
            if one is None or len(one[0]) != len(request.data):
                found = iter(())
        assert isinstance(request, Request)  # noqa: S101  (for the type checker)
        at += len(request.data)
        batch.append(request)
    return FINE, batch


def _look(core: Core, group: Group, source: tuple[bytes, int], request: Request) -> int:
    """Understand *request*; if it is a MULTI, make it the block that it begins."""
    if not understand(core, request) or request.kind in (EXEC, HARD):
        return LEAVE
    if request.kind == MULTI:
        return _cut_block(core, group, source, request)
    request.keys = keys_of(group, request)
    return FINE


def _cut_block(core: Core, group: Group, source: tuple[bytes, int], block: Request) -> int:
    """Make of *block*, a MULTI, everything up to EXEC, if it is here and plain."""
    data, start = source
    at, reads = start + len(block.data), True
    keys: set[int] | None = set()
    while at < len(data):
        request = cut(data, at)
        if isinstance(request, int) and request > 0:
            break
        if isinstance(request, int) or not understand(core, request) or request.kind in (HARD, MULTI):
            return LEAVE
        at += len(request.data)
        block.replies += 1
        reads = reads and request.kind in (READ, LOCAL, EXEC)
        if at - start > PLAIN_LIMIT:
            return LEAVE
        if request.kind == EXEC:
            block.command, block.kind = request.command, BLOCK
            block.flags, block.reason = ACQUIRES | (0 if reads else EVERYTHING), WHY_NONE
            block.data, block.keys = data[start:at], None if keys is None else tuple(keys)
            return FINE
        if request.kind == WRITE:
            named = keys_of(group, request)
            keys = None if keys is None or named is None else keys.union(named)
    return MORE if len(data) - start < PLAIN_LIMIT else LEAVE


def foresee(batch: list[Request]) -> None:
    """Send reads whose key is written later in the batch to the master: they would hold that write up."""
    written: set[int] = set()
    everything = False
    for request in reversed(batch):
        if request.kind in (WRITE, BLOCK):
            everything = everything or request.keys is None
            written.update(request.keys or ())
        elif request.kind == READ and request.reason == WHY_NONE and (everything or written):
            keys = request.keys
            if keys is None or (everything and keys) or not written.isdisjoint(keys):
                request.reason = WHY_PIPELINE
