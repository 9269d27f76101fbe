"""Commands about the connection itself: login, state, RESET, QUIT, MONITOR. No I/O."""

from __future__ import annotations

import re

from podmates_redis.commands.table import Kind
from podmates_redis.session import logins, unconnected
from podmates_redis.session.sending import before, denied, join, marks_of, plain, refused
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot, dropped
from podmates_redis.session.state import State, opening
from podmates_redis.wire import texts
from podmates_redis.wire.requests import encode

_ID = re.compile(rb"(\$2\r\nid\r\n):\d+\r\n")
_MODE = re.compile(rb"(\$4\r\nmode\r\n)\$\d+\r\n\w+\r\n")
_ROLE = re.compile(rb"(\$4\r\nrole\r\n)\$\d+\r\n\w+\r\n")


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
        if session.subscribing:
            return False
        if _listens_only(session):
            slot.kind = Kind.PLAIN
            return plain(session, slot)
        told = own_auth(session, slot) if name == b"auth" else _own_hello(session, slot)
        if told:
            join(session, slot)
            session.tell(slot, told)
            return True
    if told := unconnected.told(session, slot):
        join(session, slot)
        session.tell(slot, told)
        return True
    if session.slots and (name == b"auth" or (name == b"hello" and len(slot.args) > 2)):
        # some servers leave a refused login unanswered when another reply is still with them
        return False
    if name == b"hello" and slot.then is None:
        slot.then = lambda reply: introduced(reply, session.id)
    if name == b"select" and slot.args[1].isdigit():
        session.databases = {*session.databases, int(slot.args[1])}
    session.unsettled += 1
    return plain(session, slot)


def _listens_only(session: Session) -> bool:
    """Tell whether the client is subscribed and may do nothing else; the master has the words for it."""
    return session.subscriptions.active() and session.state.protocol == 2


def introduced(reply: bytes, number: int) -> bytes:
    """Return the master's greeting as that of one plain server, to the client called *number*."""
    if reply[:1] == b"-":
        return reply
    reply = _ID.sub(rb"\g<1>:%d\r\n" % number, reply, count=1)
    return _ROLE.sub(rb"\1$6\r\nmaster\r\n", _MODE.sub(rb"\1$10\r\nstandalone\r\n", reply, count=1), count=1)


def own_auth(session: Session, slot: Slot) -> bytes:
    """Answer AUTH, since the login at the servers is not the client's business."""
    words = slot.args[1:]
    if len(words) > 2:
        return texts.SYNTAX
    if len(words) == 1 and session.shared.logins is None and not session.shared.policy.accept_any_auth:
        return texts.NO_PASSWORD_SET
    return logins.log_in(session, words[0] if len(words) == 2 else b"default", words[-1])


def _own_hello(session: Session, slot: Slot) -> bytes:
    """Log in by a greeting, and leave that out of it; return what is wrong with the login."""
    asked = logins.hello(slot.args)
    if not asked.logins:
        return b""
    refused_one = logins.greet(session, asked)
    if refused_one is None:
        slot.args = [*slot.args[:2], *asked.others]
    elif not session.shared.dialect.greets_piecemeal or not refused_one.before:
        return texts.WRONG_PASSWORD
    else:
        # what stands before it is in force: the master does that, and is told of no login
        slot.args = [*slot.args[:2], *asked.others[: refused_one.before], b"AUTH"]
    slot.raw = encode(*slot.args)
    if refused_one is not None:
        slot.then = lambda reply: texts.WRONG_PASSWORD
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
    if session.subscribing:
        return False
    if _listens_only(session) or mode not in (b"on", b"off", b"skip"):
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
    session.because("protocol")
    session.quitting = True
    return True


def reset(session: Session, slot: Slot) -> bool:
    if not session.shared.table.lists(b"reset"):
        return plain(session, slot)
    if session.slots or session.passing or (session.tunnel and not session.tunnel_heard):
        return False
    if session.observed and session.master.up and not session.tunnel:
        return _reset_in_place(session, slot)
    leave_tunnel(session)
    if session.guide is not None:
        session.guide.reset()
    session.master.close()
    session.replica.close()
    _forget(session)
    join(session, slot)
    session.tell(slot, texts.RESET)
    return True


def _forget(session: Session) -> None:
    """Be as after connecting, but for what RESET leaves to a client."""
    library, protected, capabilities = session.state.library, session.protected, session.capabilities
    session.fresh()
    session.protected = protected and session.shared.dialect.keeps_protection
    session.capabilities = capabilities
    session.state = State(library=library)


def _reset_in_place(session: Session, slot: Slot) -> bool:
    """Have the master do it: other clients know this one by its connection there."""
    session.replica.close()
    session.muted = session.skip = False
    session.fence = slot  # until then there may be messages

    def done(reply: bytes) -> bytes:
        _forget(session)
        session.pinned = session.observed = True
        session.master.state = session.state
        return reply

    slot.then = done
    plain(session, slot)
    user, password = session.shared.login()
    if not session.shared.policy.passthrough:
        for raw in opening(State(user=user, password=password)):
            session.master.send(dropped(slot, raw))
    return True


def tunnel(session: Session, slot: Slot) -> bool:
    if session.slots:
        return False
    if not session.master.up:
        # its answer cannot be told from the stream that follows, so the connection has to stand first
        before(session, b"PING")
        return False
    session.tunnel = True
    session.monitoring = slot.plan.command.name == "monitor"
    session.shared.crowd.monitors += session.monitoring
    return tunnelled(session, slot)


def tunnelled(session: Session, slot: Slot) -> bool:
    if refused(session, slot.plan.command):
        session.output.append(denied(session, slot.plan.command))
        return True
    if slot.kind is Kind.WRITE:
        session.tunnel_wrote = True
        session.marks.mark(marks_of(session, slot))
    session.master.out.append(slot.raw)
    return True


def leave_tunnel(session: Session) -> None:
    """Count a monitor out."""
    session.shared.crowd.monitors -= session.monitoring
    session.tunnel = session.monitoring = False
