"""Clients come, go, and go on. No I/O."""

from __future__ import annotations

from podmates_redis.engine.events import TOOK_TOO_LITTLE
from podmates_redis.twin.order import doom, free_parked, make_dirty
from podmates_redis.twin.quick import take_quickly
from podmates_redis.twin.requests import take_requests
from podmates_redis.twin.shapes import FAIL, FINE, LEAVE, LEAVING, OPEN, Client, Core, Group


def new_client(core: Core, fd: int, number: int, group: Group) -> Client:
    c = core.clients[number] = Client(fd, number, group)
    c.window = core.window
    return c


def leave_list(core: Core, c: Client) -> None:
    """It is no client of this side any more."""
    if core.clients.pop(c.id, None) is not None and c.place:
        core.places[c.place].clients -= 1


def owed(c: Client) -> bool:
    """Tell whether anything of it is on its way, or not with it yet."""
    return c.next_seq != c.head_seq or c.unsent > 0


def free(core: Core, c: Client) -> None:
    """Forget what it has sent, and what it was to have."""
    keep_input(core, c, b"")
    core.kept -= c.kept
    c.kept = c.unsent = 0
    c.output.clear()
    c.backlog.clear()
    free_parked(core, c)


def keep_input(core: Core, c: Client, data: bytes) -> None:
    """Keep what was not used."""
    core.kept += len(data) - len(c.input)
    c.input = data


def keep_output(core: Core, c: Client) -> None:
    """Count what the client has not taken; what is too much is the end of it."""
    if c.unsent != c.kept:
        grows = c.unsent > c.kept
        core.kept += c.unsent - c.kept
        c.kept = c.unsent
        if grows and (c.unsent > core.client_limit or core.over_limit()):
            doom(core, c, TOOK_TOO_LITTLE)


def unsent(c: Client) -> bytes:
    """Return the replies that it has not taken."""
    return b"".join([*c.backlog, *c.output])


def take_input(core: Core, c: Client, data: bytes, *, last: bool) -> int:
    """Take what came from a client, whatever of it was kept included; return what follows from that."""
    c.heard = core.now
    if c.unsent > core.unread:
        result, used = LEAVE, 0  # its later commands get a connection of their own
    else:
        c.input_need = c.hold = 0
        result, used = FINE, take_quickly(core, c, data)
        if used < len(data):
            result, more = take_requests(core, c, data[used:] if used else data, last=last)
            used += more
    if used < len(data) or c.input:
        keep_input(core, c, data[used:])
        if c.input and core.over_limit():
            doom(core, c, TOOK_TOO_LITTLE)
            return FAIL
    if result == LEAVE:
        c.state = LEAVING
        make_dirty(core, c)
    return result


def try_again(core: Core, c: Client) -> None:
    """What it waited for has come."""
    c.resumed = False
    if c.state == OPEN and c.hold:
        take_input(core, c, c.input, last=True)
