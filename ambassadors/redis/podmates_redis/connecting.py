"""Commands about the connection itself: login, state, RESET, QUIT, MONITOR. No I/O."""

from __future__ import annotations

from podmates_redis import texts
from podmates_redis.commands import Kind
from podmates_redis.plans import plan
from podmates_redis.requests import Request, encode
from podmates_redis.sending import join, marks_of, plain
from podmates_redis.session import Session
from podmates_redis.slots import Slot


def local(session: Session, slot: Slot) -> bool:
    ping = slot.args[0].lower() == b"ping"
    through = session.shared.policy.passthrough or session.subscribing or session.subscriptions.active()
    if through or session.pinned or session.unsettled or len(slot.args) > 2:
        return plain(session, slot)
    join(session, slot)
    session.tell(slot, texts.PONG if ping and len(slot.args) == 1 else texts.bulk(slot.args[1]))
    return True


def state(session: Session, slot: Slot) -> bool:
    name = slot.args[0].lower()
    if not session.shared.policy.passthrough and name in (b"auth", b"hello"):
        if name == b"auth" and len(slot.args) > 3:
            return _plain_kind(session, slot)
        told = _own_login(slot)
        if told:
            join(session, slot)
            session.tell(slot, told)
            return True
    if name == b"select" and slot.args[1].isdigit():
        session.databases = {*session.databases, int(slot.args[1])}
    session.unsettled += 1
    return plain(session, slot)


def _plain_kind(session: Session, slot: Slot) -> bool:
    """Send what the server will refuse, so that the words are the server's."""
    slot.kind = Kind.PLAIN
    return plain(session, slot)


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


def subscribe(session: Session, slot: Slot) -> bool:
    slot.acks = -1
    session.subscribing += 1
    return plain(session, slot)


def pin(session: Session, slot: Slot) -> bool:
    session.unsettled += 1  # pinned when the server says yes
    return plain(session, slot)


def reply(session: Session, slot: Slot) -> bool:
    mode = slot.args[2].lower()
    if mode not in (b"on", b"off", b"skip"):
        return plain(session, slot)
    skip = session.muted is False and mode == b"skip"
    if mode != b"skip":
        session.muted = mode == b"off"
    session.skip = False
    join(session, slot)
    session.tell(slot, texts.OK)
    slot.mute = mode != b"on"
    session.skip = skip
    return True


def quit(session: Session, slot: Slot) -> bool:
    join(session, slot)
    session.tell(slot, texts.OK if slot.answer is None else slot.answer)
    session.quitting = True
    return True


def foreign(session: Session, slot: Slot) -> bool:
    session.quitting = True
    return True


def reset(session: Session, slot: Slot) -> bool:
    if not session.shared.table.lists(b"reset"):
        return plain(session, slot)
    if session.slots or (session.tunnel and not session.tunnel_heard):
        return False
    leave_tunnel(session)
    session.master.close()
    session.replica.close()
    session.fresh()
    join(session, slot)
    session.tell(slot, texts.RESET)
    return True


def tunnel(session: Session, slot: Slot) -> bool:
    if session.slots:
        return False
    if not session.master.up:
        # its answer cannot be told from the stream that follows, so the connection has to stand first
        return _open_first(session, slot)
    session.tunnel = True
    session.monitoring = slot.plan.command.name == "monitor"
    session.shared.monitors += session.monitoring
    return tunnelled(session, slot)


def _open_first(session: Session, slot: Slot) -> bool:
    opener = Slot(Request([b"ping"], encode(b"PING")), plan(session.shared.table, [b"ping"]))
    opener.kind, opener.mute = Kind.PLAIN, True
    session.slots.append(opener)
    session.to_master(opener)
    return False


def tunnelled(session: Session, slot: Slot) -> bool:
    if slot.plan.command.administrative and not session.shared.policy.administrative:
        session.output.append(texts.denied(slot.plan.command.name))
        return True
    if slot.kind is Kind.WRITE:
        session.tunnel_wrote = True
        session.marks.mark(marks_of(session, slot))
    session.master.out.append(slot.raw)
    return True


def leave_tunnel(session: Session) -> None:
    """Count a monitor out."""
    session.shared.monitors -= session.monitoring
    session.tunnel = session.monitoring = False
