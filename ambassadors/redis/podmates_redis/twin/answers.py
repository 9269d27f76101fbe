"""What a reply means for its request, and for the server that gives it. No I/O.

The law of this file
 1. A replica's error may be its own: another replica is asked, or the master, in the same reply slot.
 2. A master that says READONLY and the like is none: what it still owes is taken, the reads and what it
    refused is collected in order for the next master, and nothing more is sent to it.
    Who has something that ran behind something that was refused is closed: the order is gone.
 3. A block's replies are one: it is sent again as a whole, and what its client has already heard is dropped.
"""

from __future__ import annotations

from podmates_redis.engine.events import BY_SERVER, REFUSED
from podmates_redis.engine.rules import EVERYTHING, READ
from podmates_redis.twin.figures import count, count_word
from podmates_redis.twin.order import deliver, doom, tell
from podmates_redis.twin.settling import heard, read_elsewhere, send_again, settle, wake_held
from podmates_redis.twin.shapes import BLOCK, REFUSAL, Core, Group, Slot, Upstream

_NOT_RUN = (b"-READONLY", b"-LOADING", b"-MASTERDOWN", b"-REDIRECT")
_ABORTED = b"-EXECABORT Transaction discarded because of: "
_ABORTED_BY = tuple(_ABORTED + word for word in (b"READONLY", b"LOADING", b"MASTERDOWN"))


def _starts(line: bytes, *words: bytes) -> bool:
    return any(line.startswith(word) and line[len(word) : len(word) + 1] in (b" ", b"\r") for word in words)


def new_master(group: Group, core: Core) -> Upstream:
    """Have a place for what is to wait for the next master."""
    u = group.current[0] = Upstream(group, 0)
    core.upstreams.insert(0, u)
    return u


def begin_collecting(core: Core, u: Upstream) -> None:
    """Send nothing more on a master's connection; what it refuses waits for the next one."""
    if u.collecting or u.place:
        return
    if u.group.collecting:
        _end_doubtful(core, u)
    u.collecting = True
    u.pending.clear()
    u.collect_until = core.now + core.grace
    u.group.collecting += 1
    if u.current:
        u.current = False
        new_master(u.group, core)


def _end_doubtful(core: Core, u: Upstream) -> None:
    """Close clients that have something on two masters that are none: in what order it would run is open."""
    mine = {slot.client for slot in u.slots}
    for other in core.upstreams:
        if other.collecting and other.group is u.group:
            for slot in other.slots:
                if slot.client in mine:
                    doom(core, slot.client, BY_SERVER)


def only_reads(slot: Slot) -> bool:
    return slot.kind == READ or (slot.kind == BLOCK and not slot.flags & EVERYTHING)


def reply_part(core: Core, u: Upstream, piece: bytes) -> None:
    """The beginning of a reply, or more of it."""
    slot = u.slots[0]
    again = u.collecting and only_reads(slot) and not slot.partial
    if slot.refused or slot.over or slot.silent or again:
        return  # its request is sent again, or was before
    heard(core, u, slot)
    slot.partial = slot.odd = True
    slot.passed += len(piece)
    deliver(core, slot, piece, complete=False)


def reply_done(core: Core, u: Upstream, piece: bytes) -> None:
    """The end of a reply, or all of it."""
    slot = u.slots[0]
    error = u.error and not slot.partial
    refused = error and _starts(piece, *_NOT_RUN)
    if u.stuck or u.late:
        u.stuck = u.late = False
        wake_held(core, u.group)
    if slot.over:
        slot.owed -= 1
        if slot.owed == 0:
            settle(core, u, slot, unknown=True)
            u.drop()
        return
    in_time = core.now - slot.since <= core.failover_wait
    if slot.kind == BLOCK:
        if slot.owed == 1 and error:
            refused = piece.startswith(_ABORTED_BY)
        _block_reply(core, u, piece, refused and in_time)
    elif u.place and error:
        core.retries += 1
        u.drop()
        if not ((refused or _starts(piece, b"-BUSY")) and read_elsewhere(core, u, slot)):
            send_again(core, u, slot)
    elif (refused and in_time) or (u.collecting and slot.kind == READ and not slot.partial):
        if refused and len(piece) <= REFUSAL:
            u.group.refusal, slot.refused_before = piece, True  # what its client hears should nobody take it
        begin_collecting(core, u)
        u.drop()
        send_again(core, u, slot)
    else:
        finish(core, u, slot, piece)
    if refused:
        tell(core, (REFUSED, u.group.number, u.place, 0))


def finish(core: Core, u: Upstream, slot: Slot, piece: bytes) -> None:
    """The last bytes of the oldest replies: marks and floor first, then the client hears."""
    if u.stuck or u.late:
        u.stuck = u.late = False
        wake_held(core, u.group)
    if u.collecting and slot.client.moved and slot.writes():
        doom(core, slot.client, BY_SERVER)  # it ran where what was before it was refused
    if slot.flags:
        heard(core, u, slot)
    settle(core, u, slot)
    slot.passed += len(piece)
    count(core, u, slot, u.error)
    if u.error and not slot.partial:
        count_word(core, piece)
    u.drop()
    deliver(core, slot, piece)


def _block_reply(core: Core, u: Upstream, piece: bytes, refused: bool) -> None:
    """One reply of a MULTI .. EXEC block."""
    slot = u.slots[0]
    slot.owed -= 1
    slot.odd = True
    if refused:
        begin_collecting(core, u)
        slot.refused = True
    elif u.collecting and only_reads(slot) and not slot.partial:
        slot.refused = True
    if slot.owed == 0 and slot.refused:
        u.drop()
        if refused or only_reads(slot) or (u.error and _starts(piece, b"-EXECABORT")):
            send_again(core, u, slot)
        else:
            doom(core, slot.client, BY_SERVER)  # it ran after all
            settle(core, u, slot, unknown=True)
    elif slot.owed == 0:
        finish(core, u, slot, piece)
    elif slot.silent:
        slot.silent -= 1
    elif not slot.refused:
        slot.told += 1
        slot.partial = False
        deliver(core, slot, piece, complete=False)
