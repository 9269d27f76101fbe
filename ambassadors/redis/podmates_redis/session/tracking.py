"""CLIENT TRACKING: by the client's own connection to the master, which it keeps from then on. No I/O.

The ids in it are those of this process's clients; the master knows each by its connection there.
"""

from __future__ import annotations

import re

from podmates_redis.commands.table import Kind
from podmates_redis.roster.roster import Member
from podmates_redis.session.sending import plain, say
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot
from podmates_redis.wire import texts
from podmates_redis.wire.numbers import number
from podmates_redis.wire.requests import encode

_NOBODY = b"9223372036854775807"  # an id that no server gives to a connection
_ASKED, _IN_VAIN = 1, 2  # tries of a command that needs another client's connection
_REDIRECT = re.compile(rb"(\$8\r\nredirect\r\n:)-?\d+")
_BROKEN = b">2\r\n$21\r\ntracking-redir-broken\r\n"


def tracking(session: Session, slot: Slot) -> bool:
    words = [word.lower() for word in slot.args]
    on = words[2] == b"on"
    place = words.index(b"redirect") + 1 if b"redirect" in words[3:-1] else 0
    target = number(slot.args[place]) if place else 0
    if place and target is not None and not _redirected(session, slot, place, target):
        return False
    if on:
        slot.kind = Kind.PIN
        session.unsettled += not slot.dry
    slot.then = lambda reply: _tracked(session, words, target or 0, reply)
    return plain(session, slot)


def _redirected(session: Session, slot: Slot, place: int, target: int) -> bool:
    """Put the master's id of the client *target* into the command; False while it has none."""
    member = session.shared.roster.find(target)
    upstream = _NOBODY
    if member is not None:
        if slot.tries == _ASKED or (not slot.tries and not member.upstream()):
            _reach(session, slot, member)
            return False
        member.pin()
        upstream = b"%d" % member.upstream()
    args = [*slot.args[:place], upstream, *slot.args[place + 1 :]]
    slot.raw = encode(*args)
    return True


def _reach(session: Session, slot: Slot, member: Member) -> None:
    """Have *member* connected to the master, once."""
    if slot.tries == _ASKED:
        return
    slot.tries = _ASKED

    def reached() -> None:
        slot.tries = 0 if member.upstream() else _IN_VAIN
        session.wake()

    member.reach(reached)


def _tracked(session: Session, words: list[bytes], target: int, reply: bytes) -> bytes:
    if reply != texts.OK:
        return reply
    session.redirect_broken = False
    if words[2] == b"on":
        session.redirect, session.broadcast = target, b"bcast" in words[3:]
        session.pinned_to_track = session.pinned_to_track or not session.pinned
        return reply
    session.redirect, session.broadcast = -1, False
    if session.pinned_to_track:
        session.pinned = session.pinned_to_track = False
    return reply


def trackinginfo(session: Session, slot: Slot) -> bool:
    slot.then = lambda reply: _REDIRECT.sub(rb"\g<1>%d" % session.redirect, reply, count=1)
    return plain(session, slot)


def getredir(session: Session, slot: Slot) -> bool:
    return say(session, slot, lambda: texts.number(session.redirect))


def shown(session: Session, frame: bytes) -> bytes:
    """Return what the client is shown of a *frame* from the master."""
    if not frame.startswith(_BROKEN):
        return frame
    session.redirect_broken = True
    return _BROKEN + texts.number(session.redirect)
