"""CLIENT: this process's own clients, as a server shows, ends and wakes its own. No I/O.

Whether arguments are right is the master's to say, in its own words: it is asked in a way that does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from podmates_redis.commands.table import Kind
from podmates_redis.roster import filters
from podmates_redis.roster.filters import Filters
from podmates_redis.roster.lines import line
from podmates_redis.roster.roster import Member, Waiting
from podmates_redis.session import tracking
from podmates_redis.session.sending import plain, say
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot
from podmates_redis.wire import texts
from podmates_redis.wire.numbers import number
from podmates_redis.wire.requests import encode

_NOBODY = [b"ADDR", b"-:0"]  # where no client of any server is
_HARMLESS = encode(b"CLIENT", b"ID")
_TRIES = 20  # times that a client is woken before it is believed not to wait


def own(session: Session, slot: Slot) -> bool:
    """Answer when all before it is answered, so that it shows what that has done, and nothing behind it."""
    if session.slots:
        return False
    if session.subscriptions.active() and session.state.protocol == 2:
        return plain(session, slot)  # the master has the words for what such a client may not do
    let_in = _OWN[slot.plan.command.name](session, slot)
    if let_in and slot.kind is Kind.CLIENT and not slot.done:
        session.fence = slot
    return let_in


def prepare(session: Session, slot: Slot) -> bool:
    """Let *slot* say what does nothing at the master, and what is to be made of the answer."""
    return _OWN[slot.plan.command.name](session, slot)


def _id(session: Session, slot: Slot) -> bool:
    return say(session, slot, lambda: texts.number(session.id))


def _getname(session: Session, slot: Slot) -> bool:
    def name() -> bytes:
        found, protocol = session.state.name, session.state.protocol
        return texts.bulk(found) if found else texts.NULL[protocol]

    return say(session, slot, name)


def _info(session: Session, slot: Slot) -> bool:
    return say(session, slot, lambda: _lines(session, slot, _myself(session)))


def _myself(session: Session) -> list[Member]:
    found = session.shared.roster.find(session.id)
    return [] if found is None else [found]


def _list(session: Session, slot: Slot) -> bool:
    words = slot.args[2:]
    chosen = filters.parsed(words)
    if chosen is None or words:
        slot.then = lambda reply: _listed(session, slot, chosen, reply)
        return plain(session, slot)
    return say(session, slot, lambda: _lines(session, slot, session.shared.roster))


def _listed(session: Session, slot: Slot, chosen: Filters | None, reply: bytes) -> bytes:
    if reply[:1] == b"-":
        return reply
    if chosen is None:
        return texts.SYNTAX
    return _lines(session, slot, _chosen(session, slot, chosen, myself=True))


def _lines(session: Session, slot: Slot, members: Iterable[Member]) -> bytes:
    now, template = session.shared.clock(), session.shared.template
    session.asking = slot
    session.shared.look()
    text = b"".join(line(template, member.facts(now)) + b"\n" for member in members)
    session.asking = None
    return texts.verbatim(text, session.state.protocol)


def _chosen(session: Session, slot: Slot, chosen: Filters, *, myself: bool) -> list[Member]:
    """Return the members that *chosen* lets through; *myself* tells whether oneself may be among them."""
    roster, now = session.shared.roster, session.shared.clock()
    if chosen.myself is not None:
        myself = chosen.myself
    members: Iterable[Member] = roster
    if chosen.ids is not None and session.shared.dialect.in_order_of_ids:
        members = [member for member in map(roster.find, chosen.ids) if member is not None]
    return [m for m in members if (myself or m.id != session.id) and chosen.match(m.facts(now))]


def _kill(session: Session, slot: Slot) -> bool:
    words = slot.args[2:]
    if len(words) == 1:
        return say(session, slot, lambda: _kill_at(session, words[0]), encode(b"CLIENT", b"KILL", *_NOBODY))
    chosen = filters.parsed(_meant(words) if session.shared.dialect.old else words)
    slot.raw = encode(*slot.args[:2], *_at_master(session, words))
    slot.then = lambda reply: _killed(session, slot, chosen, reply)
    return plain(session, slot)


def _meant(words: list[bytes]) -> list[bytes]:
    """Return *words* without an id 0, which Redis 6 takes for any client."""
    pairs = zip(words[::2], words[1::2], strict=False)
    found = [word for pair in pairs if (pair[0].lower(), pair[1]) != (b"id", b"0") for word in pair]
    return found + words[len(words) // 2 * 2 :]


def _at_master(session: Session, words: list[bytes]) -> list[bytes]:
    """Return filters that are right or wrong as *words* are, and mean nobody.

    A user that the master may lack stands for one that it has.
    """
    logins = session.shared.logins
    ours = set(logins()) if logins is not None else set()
    instead = {b"addr": lambda word: _NOBODY[1], b"user": lambda word: b"default" if word in ours else word}
    found = [*_NOBODY]
    for name, values in filters.named(words):
        change = instead.get(name.lower(), lambda word: word)
        found += [name, *map(change, values)]
    return found


def _kill_at(session: Session, addr: bytes) -> bytes:
    now = session.shared.clock()
    found = next((m for m in session.shared.roster if m.facts(now)[b"addr"] == addr), None)
    if found is None:
        return texts.NO_SUCH_CLIENT
    end(session, found)
    return texts.OK


def _killed(session: Session, slot: Slot, chosen: Filters | None, reply: bytes) -> bytes:
    if reply[:1] == b"-":
        return reply
    if chosen is None:
        return texts.SYNTAX
    members = _chosen(session, slot, chosen, myself=False)
    for member in members:
        end(session, member)
    return texts.number(len(members))


def end(session: Session, member: Member) -> None:
    """Close *member*; oneself only after the answer."""
    if member.id == session.id:
        session.because("killed")
        session.quitting = True
    else:
        member.cut()


def _unblock(session: Session, slot: Slot) -> bool:
    """Wake another client where it waits: on its own connection to the master."""
    wanted = number(slot.args[2])
    reason = slot.args[3].lower() if len(slot.args) > 3 else b"timeout"
    if wanted is None or len(slot.args) > 4 or reason not in (b"timeout", b"error"):
        return plain(session, slot)
    other = session.shared.roster.find(wanted)
    waiting = other.waiting() if other is not None else None
    if other is None or waiting is None:
        return say(session, slot, lambda: texts.number(0), encode(b"CLIENT", b"UNBLOCK", b"0"))
    slot.raw = encode(b"CLIENT", b"UNBLOCK", b"%d" % waiting.upstream, reason)
    slot.then = lambda reply: _unblocked(slot, other, waiting, reply)
    if session.guide is not None and isinstance(waiting.command, Slot):
        session.guide.toward(waiting.command)
    return plain(session, slot)


def _unblocked(slot: Slot, other: Member, waiting: Waiting, reply: bytes) -> bytes | None:
    """Ask again while the command that waits may not have reached the master."""
    slot.tries += 1
    early = reply == texts.number(0) and other.waiting() == waiting and slot.tries < _TRIES
    return None if early else reply


def _switch(name: str) -> Callable[[Session, Slot], bool]:
    """Return the handler of ON and OFF for the fact of a session called *name*."""

    def switch(session: Session, slot: Slot) -> bool:
        wanted = slot.args[2].lower()
        if wanted not in (b"on", b"off"):
            return plain(session, slot)

        def set_() -> bytes:
            setattr(session, name, wanted == b"on")
            return texts.OK

        return say(session, slot, set_)

    return switch


def _capa(session: Session, slot: Slot) -> bool:
    """Note what the client claims to understand; servers are never told, since they would act on it."""

    def note() -> bytes:
        if b"redirect" in map(bytes.lower, slot.args[2:]):
            session.capabilities = b"r"
        return texts.OK

    return say(session, slot, note, _HARMLESS)


def _pause(session: Session, slot: Slot) -> bool:
    """Let this process's clients wait; other pods are none of their business."""
    shared, milliseconds = session.shared, number(slot.args[2])
    mode = slot.args[3].lower() if len(slot.args) > 3 else b"all"
    if milliseconds is None or milliseconds < 0 or len(slot.args) > 4 or mode not in (b"write", b"all"):
        return plain(session, slot)

    def begin() -> bytes:
        now = shared.clock()
        shared.pause.begin(now + milliseconds / 1000, mode == b"all")
        shared.resume(shared.pause.end - now)
        return texts.OK

    return say(session, slot, begin, encode(b"CLIENT", b"PAUSE", b"not-here"))


def _unpause(session: Session, slot: Slot) -> bool:
    def end() -> bytes:
        session.shared.pause.over()
        session.shared.resume(0)
        return texts.OK

    return say(session, slot, end, _HARMLESS)


def _whoami(session: Session, slot: Slot) -> bool:
    if session.shared.policy.passthrough:
        return plain(session, slot)
    return say(session, slot, lambda: texts.bulk(session.user()))


_OWN: dict[str, Callable[[Session, Slot], bool]] = {
    "acl|whoami": _whoami,
    "client|id": _id,
    "client|getname": _getname,
    "client|info": _info,
    "client|list": _list,
    "client|kill": _kill,
    "client|unblock": _unblock,
    "client|no-evict": _switch("protected"),
    "client|no-touch": _switch("untouching"),
    "client|capa": _capa,
    "client|pause": _pause,
    "client|unpause": _unpause,
    "client|tracking": tracking.tracking,
    "client|trackinginfo": tracking.trackinginfo,
    "client|getredir": tracking.getredir,
}
