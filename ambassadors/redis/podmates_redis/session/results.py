"""What a transaction does to our clients and to its own client's state, when EXEC runs it. No I/O.

The master queues, in place of what is ours, something that does nothing there; its part of EXEC's reply is
made anew. What changes the state of the connection is adopted in the order of the reply.
"""

from __future__ import annotations

from podmates_redis.commands.table import Kind
from podmates_redis.session import clients, connecting, logins
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot
from podmates_redis.session.state import asked
from podmates_redis.session.transactions import Result, Transaction
from podmates_redis.wire import texts
from podmates_redis.wire.replies import PUSH, Replies
from podmates_redis.wire.requests import encode

# queued by every server, and an error at EXEC
_NOTHING = encode(b"CLIENT", b"LIST", b"NOT-IN-MULTI")


def prepare(session: Session, slot: Slot) -> bool:
    """Make *slot* fit for a transaction; False when it has to wait."""
    if slot.plan.command.no_multi:
        return True  # the master will not take it
    if slot.kind is Kind.CLIENT:
        slot.dry = True
        ready = clients.prepare(session, slot)
        slot.dry = False
        if not ready:
            return False
    elif slot.kind is Kind.REPLY:
        slot.raw = _NOTHING  # it would swallow parts of EXEC's reply
        if slot.args[2].lower() == b"on":
            slot.then = lambda reply: texts.OK
    elif slot.kind is Kind.STATE:
        _prepare_state(session, slot)
    if slot.then is not None or slot.kind is Kind.STATE:
        slot.result = Result(slot.kind, slot.args, slot.then)
        slot.then = None
    return True


def _prepare_state(session: Session, slot: Slot) -> None:
    name = slot.args[0].lower()
    ours = not session.shared.policy.passthrough
    if name == b"hello":
        hello = logins.hello(slot.args)
        if ours and hello.logins:
            _prepare_login(session, slot, hello)
        else:
            slot.then = lambda reply: connecting.introduced(reply, session.id)
    elif name == b"auth" and ours:
        slot.raw, slot.kind = _NOTHING, Kind.CLIENT
        slot.then = lambda reply: connecting.own_auth(session, slot)


def _prepare_login(session: Session, slot: Slot, hello: logins.Hello) -> None:
    """Log in here when EXEC runs it; the master hears the rest, if the login will be right."""
    if logins.greet(session, hello, dry=True) is not None:
        slot.raw, slot.kind = _NOTHING, Kind.CLIENT
        slot.then = lambda reply: texts.WRONG_PASSWORD
        return
    slot.args = [*slot.args[:2], *hello.others]
    slot.raw = encode(*slot.args)

    def made(reply: bytes) -> bytes:
        logins.greet(session, hello)
        return connecting.introduced(reply, session.id)

    slot.then = made


def exec_reply(session: Session, block: Transaction, reply: bytes) -> bytes:
    """Return what the client is told of the *reply* to EXEC, with all that it means done."""
    parts = _elements(reply)
    kept = session.transaction, session.calling, session.quitting
    session.transaction, session.calling = block, b"exec"  # as a server shows a client meanwhile
    shown = len(parts)
    for place, result in block.results.items():
        if place < len(parts):
            pushed, part = parts[place]
            parts[place] = pushed, _told(session, result, part)
            if session.quitting and not kept[2]:  # it has ended itself, and hears nothing of what is behind
                shown = min(shown, place + 1)
    session.transaction, session.calling, _ = kept
    if not parts:
        return reply
    return reply[: reply.index(b"\n") + 1] + b"".join(b"".join(part) for part in parts[:shown])


def _told(session: Session, result: Result, reply: bytes) -> bytes:
    if result.kind is Kind.STATE:
        if reply[:1] != b"-":
            session.state = session.master.state = asked(session.state, result.args)
        elif result.args[0].lower() == b"hello" and len(result.args) > 2:
            logins.greeted_in_part(session, result.args, reply)
    if result.then is not None:
        reply = result.then(reply) or reply
    return reply


def _elements(reply: bytes) -> list[tuple[bytes, bytes]]:
    """Return the replies in an array of them, each behind its messages; none of anything else."""
    found: list[tuple[bytes, bytes]] = []
    pushed = b""
    for part in Replies().feed(reply[reply.index(b"\n") + 1 :]) if reply[:1] == b"*" else ():
        if part.data[0] == PUSH:
            pushed += part.data
        else:
            found.append((pushed, part.data))
            pushed = b""
    return found
