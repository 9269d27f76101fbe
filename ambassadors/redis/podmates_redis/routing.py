"""Lets a client's requests in: decides for each where it goes, or that it has to wait. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from podmates_redis import texts
from podmates_redis.commands import Kind
from podmates_redis.marks import Marks
from podmates_redis.plans import plan
from podmates_redis.requests import Request, encode
from podmates_redis.session import IN_FLIGHT, Session
from podmates_redis.slots import Slot
from podmates_redis.state import change
from podmates_redis.transactions import AT_ONCE, Transaction

_ALL_BITS = (1 << 256) - 1
_HARMLESS_IN_MULTI = encode(b"CLIENT", b"REPLY", b"NOT-IN-MULTI")
_REFUSED = encode(b"PODMATES.REFUSED")  # no server knows it, so it spoils the transaction it stands in


def requests(session: Session, batch: list[Request]) -> None:
    """Take the requests that have come together, in order."""
    if session.quitting:
        return
    table = session.shared.table
    slots = [Slot(request, plan(table, request.args)) for request in batch]
    if len(slots) > 1:
        _foresee(slots)
    for slot in slots:
        session.held_bytes += len(slot.raw)
    session.held += slots
    proceed(session)


def broken(session: Session, line: bytes) -> None:
    """The stream is not the protocol: answer *line* after what is on its way, then close."""
    session.held.append(Slot(Request([b"quit"], line), plan(session.shared.table, [b"quit"])))
    session.held[-1].answer = line
    proceed(session)


def ended(session: Session) -> None:
    """The client sends nothing more; a server would not wait for what may never come either."""
    session.eof = True
    proceed(session)


def proceed(session: Session) -> None:
    """Let in what need not wait any longer."""
    held = session.held
    while held and not session.quitting and len(session.slots) < IN_FLIGHT and _let_in(session, held[0]):
        slot = held.popleft()
        session.held_bytes -= len(slot.raw)
    if session.quitting:
        held.clear()
        session.held_bytes = 0
    session.release()
    if session.eof and session.blocked is not None:
        session.abort = True
    elif session.eof and session.tunnel:
        session.closing, session.lingering = False, True


def _foresee(slots: list[Slot]) -> None:
    """Mark the reads whose key is written later in the same batch: at a replica they would hold it up."""
    later: set[bytes] = set()
    everything = False
    for slot in reversed(slots):
        keys = slot.plan.keys
        if slot.kind is Kind.READ:
            slot.clash = everything or (bool(later) if keys is None else not later.isdisjoint(keys))
        elif slot.kind is Kind.WRITE and slot.plan.command.everything:
            everything = True
        elif slot.kind is Kind.WRITE and keys is not None:
            later.update(keys)


def _let_in(session: Session, slot: Slot) -> bool:
    """Send or answer *slot*; False when it has to wait."""
    if session.blocked is not None or session.master.collecting:
        return False
    command = slot.plan.command
    if slot.kind not in (Kind.QUIT, Kind.FOREIGN) and not command.accepts(len(slot.args)):
        slot.kind, slot.marks = Kind.PLAIN, ()  # the server has the right words for it
    if (
        session.tunnel
        and slot.kind is not Kind.FOREIGN
        and not (session.monitoring and slot.kind is Kind.RESET)
    ):
        return _tunnelled(session, slot)
    if command.administrative and not session.shared.policy.administrative:
        return _denied(session, slot)
    if session.transaction is not None and slot.kind not in AT_ONCE:
        return _queued(session, slot, session.transaction)
    return _HANDLERS[slot.kind](session, slot)


def _join(session: Session, slot: Slot) -> None:
    """Give *slot* its place among the replies."""
    if session.muted or session.skip:
        slot.mute, session.skip = True, False
    session.slots.append(slot)


def _marks(session: Session, slot: Slot) -> list[int] | None:
    """Return the places of the slot's keys among the marks; None: any."""
    keys = slot.plan.keys
    if keys is None or slot.plan.command.everything:
        return None
    return [Marks.slot(database, key) for database in session.databases for key in keys]


def _bits(marks: Iterable[int] | None) -> int:
    if marks is None:
        return _ALL_BITS
    bits = 0
    for place in marks:
        bits |= 1 << (place & 255)
    return bits


# -- one handler a kind; False: wait ------------------------------------------------------------


def _read(session: Session, slot: Slot) -> bool:
    slot.marks = _marks(session, slot)
    why = _why_master(session, slot)
    _join(session, slot)
    if why or session.follower is None:
        session.to_master(slot, why)
        return True
    slot.route = "replica"
    session.at_replica |= _bits(slot.marks)
    lane = session.replica
    if lane.up and lane.state != session.state:
        for raw in change(lane.state, session.state):
            lane.send(Slot(Request([], raw), slot.plan))
        lane.state = session.state
    lane.send(slot)
    return True


def _why_master(session: Session, slot: Slot) -> str:
    """Return why this read cannot go to the session's replica, or nothing."""
    policy, shared = session.shared.policy, session.shared
    command = slot.plan.command
    if session.watching:
        return "transaction"
    if policy.read_from == "master" or policy.consistency == "strict" or shared.monitors:
        return "policy"
    if session.pinned or session.unsettled or session.subscribing or session.subscriptions.active():
        return "policy"
    if command.why_master:
        return command.why_master
    if slot.plan.keys is None and command.first == 0 and not command.movable:
        return "policy"
    if not _has_follower(session):
        return shared.why_none()
    if slot.clash:
        return "pipeline"
    if policy.consistency in ("session", "own-writes"):
        return _unproven(session, slot)
    return ""


def _has_follower(session: Session) -> bool:
    """Keep the session's replica while it is usable, else take another."""
    current = session.follower
    if current is not None and current.usable:
        return True
    if session.replica.queue:
        return False  # it was given up this moment; its reads come back to the master first
    chosen = session.shared.pick()
    if current is not None:
        current.clients -= 1
        session.replica.close()
    session.follower = chosen
    if chosen is not None:
        chosen.clients += 1
    return chosen is not None


def _unproven(session: Session, slot: Slot) -> str:
    """Return what is not proven of the session's replica and would have to be."""
    marks, follower = session.marks, session.follower
    why = ""
    if session.wants_master() or _overdue(session):
        why = "mark"  # a write that waits for its connection has no mark yet
    elif follower is None or marks.needed(slot.marks) > follower.covered:
        why = "mark"
    elif session.shared.policy.consistency == "session" and marks.floor > follower.covered:
        why = "acquire"
    if why:
        session.shared.turned_away = True
    return why


def _overdue(session: Session) -> bool:
    """Tell whether a write of this client has been unanswered for so long that it left the proof."""
    late = session.marks.late
    return bool(late) and any(0 < s.generation <= late for s in session.master.queue)


def _write(session: Session, slot: Slot) -> bool:
    slot.marks = _marks(session, slot)
    if session.at_replica and session.at_replica & _bits(slot.marks):
        return False
    _join(session, slot)
    session.to_master(slot)
    return True


def _plain(session: Session, slot: Slot) -> bool:
    _join(session, slot)
    session.to_master(slot)
    return True


def _after_reads(handler: Callable[[Session, Slot], bool]) -> Callable[[Session, Slot], bool]:
    """Wait until no read is under way at the replica."""

    def wait(session: Session, slot: Slot) -> bool:
        return not session.replica.queue and handler(session, slot)

    return wait


def _blocking(session: Session, slot: Slot) -> bool:
    slot.marks = () if slot.plan.command.name in ("wait", "waitaof") else _marks(session, slot)
    _plain(session, slot)
    session.blocked = slot
    return True


def _local(session: Session, slot: Slot) -> bool:
    ping = slot.args[0].lower() == b"ping"
    through = session.shared.policy.passthrough or session.subscribing or session.subscriptions.active()
    if through or session.pinned or session.unsettled or len(slot.args) > 2:
        return _plain(session, slot)
    _join(session, slot)
    session.tell(slot, texts.PONG if ping and len(slot.args) == 1 else texts.bulk(slot.args[1]))
    return True


def _state(session: Session, slot: Slot) -> bool:
    name = slot.args[0].lower()
    if not session.shared.policy.passthrough and name in (b"auth", b"hello"):
        if name == b"auth" and len(slot.args) > 3:
            return _plain_kind(session, slot)
        told = _own_login(slot)
        if told:
            _join(session, slot)
            session.tell(slot, told)
            return True
    if name == b"select" and slot.args[1].isdigit():
        session.databases = {*session.databases, int(slot.args[1])}
    session.unsettled += 1
    return _plain(session, slot)


def _plain_kind(session: Session, slot: Slot) -> bool:
    """Send what the server will refuse, so that the words are the server's."""
    slot.kind = Kind.PLAIN
    return _plain(session, slot)


def _own_login(slot: Slot) -> bytes:
    """Answer a login as a server without a password does, since ours is not the client's business."""
    if slot.args[0].lower() == b"auth":
        if len(slot.args) == 2:
            return texts.NO_PASSWORD_SET
        return texts.OK if slot.args[1] == b"default" else texts.WRONG_PASSWORD
    words = slot.args
    place = next((i for i, word in enumerate(words) if i > 1 and word.lower() == b"auth"), 0)
    if not place or place + 2 >= len(words):
        return b""
    if words[place + 1] != b"default":
        return texts.WRONG_PASSWORD
    slot.args = words[:place] + words[place + 3 :]
    slot.raw = encode(*slot.args)
    return b""


def _multi(session: Session, slot: Slot) -> bool:
    if session.transaction is not None:
        return _inside(session, slot, session.transaction)
    session.transaction = Transaction(doomed=session.watch_lost, unwatched=session.watch_lost)
    if session.watch_lost:
        _join(session, slot)
        session.tell(slot, texts.OK)
        return True
    return _plain(session, slot)


def _inside(session: Session, slot: Slot, transaction: Transaction) -> bool:
    """Send what belongs to an open transaction, or answer it when the transaction is doomed."""
    slot.inside = True
    if not transaction.doomed:
        return _plain(session, slot)
    _join(session, slot)
    session.tell(slot, transaction.told(slot.kind, session.state.protocol))
    return True


def _queued(session: Session, slot: Slot, transaction: Transaction) -> bool:
    if slot.kind is Kind.REPLY:
        slot.raw = _HARMLESS_IN_MULTI  # it would swallow parts of EXEC's reply
    writes = slot.kind in (Kind.WRITE, Kind.BLOCKING)
    transaction.add(slot.kind, _marks(session, slot) if writes else [])
    _inside(session, slot, transaction)
    slot.why = "transaction" if slot.kind is Kind.READ else ""
    return True


def _finish_transaction(session: Session, slot: Slot) -> bool:
    if session.transaction is not None and session.transaction.tunnels and slot.kind is Kind.EXEC:
        return _into_tunnel(session, slot)
    transaction, session.transaction = session.transaction, None
    if transaction is not None or slot.kind is Kind.UNWATCH:
        session.watching = session.watch_lost = False
    if transaction is None:
        return _plain(session, slot)
    if transaction.doomed or slot.kind is Kind.DISCARD:
        return _inside(session, slot, transaction)
    _join(session, slot)
    slot.marks = None if transaction.everything else tuple(transaction.marks)
    session.pinned = session.pinned or transaction.opaque
    session.to_master(slot)
    return True


def _into_tunnel(session: Session, slot: Slot) -> bool:
    """Send an EXEC after which the master says more than one reply."""
    if session.slots:
        return False
    session.tunnel = session.tunnel_wrote = True
    session.transaction = None
    session.marks.mark(None)
    session.master.out.append(slot.raw)
    return True


def _watch(session: Session, slot: Slot) -> bool:
    if session.transaction is not None:
        return _inside(session, slot, session.transaction)
    session.watching = True
    return _plain(session, slot)


def _subscribe(session: Session, slot: Slot) -> bool:
    slot.acks = -1
    session.subscribing += 1
    return _plain(session, slot)


def _pin(session: Session, slot: Slot) -> bool:
    session.unsettled += 1  # pinned when the server says yes
    return _plain(session, slot)


def _reply(session: Session, slot: Slot) -> bool:
    mode = slot.args[2].lower()
    if mode not in (b"on", b"off", b"skip"):
        return _plain(session, slot)
    skip = session.muted is False and mode == b"skip"
    if mode != b"skip":
        session.muted = mode == b"off"
    session.skip = False
    _join(session, slot)
    session.tell(slot, texts.OK)
    slot.mute = mode != b"on"
    session.skip = skip
    return True


def _quit(session: Session, slot: Slot) -> bool:
    _join(session, slot)
    session.tell(slot, texts.OK if slot.answer is None else slot.answer)
    session.quitting = True
    return True


def _foreign(session: Session, slot: Slot) -> bool:
    session.quitting = True
    return True


def _reset(session: Session, slot: Slot) -> bool:
    if not session.shared.table.lists(b"reset"):
        return _plain(session, slot)
    if session.slots or (session.tunnel and not session.tunnel_heard):
        return False
    leave_tunnel(session)
    session.master.close()
    session.replica.close()
    session.fresh()
    _join(session, slot)
    session.tell(slot, texts.RESET)
    return True


def _denied(session: Session, slot: Slot) -> bool:
    slot.answer = texts.denied(slot.plan.command.name)
    slot.route = "denied"
    if session.transaction is not None and not session.transaction.doomed:
        slot.raw, slot.kind = _REFUSED, Kind.PLAIN
        slot.inside = True
        return _plain(session, slot)
    _join(session, slot)
    session.tell(slot, slot.answer)
    return True


def _tunnel(session: Session, slot: Slot) -> bool:
    if session.slots:
        return False
    if not session.master.up:
        # its answer cannot be told from the stream that follows, so the connection has to stand first
        return _open_first(session, slot)
    session.tunnel = True
    session.monitoring = slot.plan.command.name == "monitor"
    session.shared.monitors += session.monitoring
    return _tunnelled(session, slot)


def _open_first(session: Session, slot: Slot) -> bool:
    opener = Slot(Request([b"ping"], encode(b"PING")), plan(session.shared.table, [b"ping"]))
    opener.kind, opener.mute = Kind.PLAIN, True
    session.slots.append(opener)
    session.to_master(opener)
    return False


def _tunnelled(session: Session, slot: Slot) -> bool:
    if slot.plan.command.administrative and not session.shared.policy.administrative:
        session.output.append(texts.denied(slot.plan.command.name))
        return True
    if slot.kind is Kind.WRITE:
        session.tunnel_wrote = True
        session.marks.mark(_marks(session, slot))
    session.master.out.append(slot.raw)
    return True


def leave_tunnel(session: Session) -> None:
    """Count a monitor out."""
    session.shared.monitors -= session.monitoring
    session.tunnel = session.monitoring = False


_HANDLERS: dict[Kind, Callable[[Session, Slot], bool]] = {
    Kind.READ: _read,
    Kind.WRITE: _write,
    Kind.PLAIN: _plain,
    Kind.BLOCKING: _after_reads(_blocking),
    Kind.STATE: _after_reads(_state),
    Kind.MULTI: _after_reads(_multi),
    Kind.EXEC: _finish_transaction,
    Kind.DISCARD: _finish_transaction,
    Kind.WATCH: _after_reads(_watch),
    Kind.UNWATCH: _finish_transaction,
    Kind.SUBSCRIBE: _after_reads(_subscribe),
    Kind.TUNNEL: _tunnel,
    Kind.PIN: _after_reads(_pin),
    Kind.LOCAL: _local,
    Kind.REPLY: _reply,
    Kind.QUIT: _quit,
    Kind.RESET: _reset,
    Kind.FOREIGN: _foreign,
}
