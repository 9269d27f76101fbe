"""What a client makes of its connection while it has none to the master: answered here, done later. No I/O.

Only what the master is known to say yes to; every other word is the master's.
"""

from __future__ import annotations

from collections.abc import Sequence

from podmates_redis.session import logins
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot
from podmates_redis.session.state import asked
from podmates_redis.wire import texts
from podmates_redis.wire.numbers import canonical

_ATTRIBUTES = (b"lib-name", b"lib-ver")


def told(session: Session, slot: Slot) -> bytes:
    """Return the answer to a change of state, which is done; nothing when the master has to be asked."""
    shared = session.shared
    if session.guide is not None:
        return b""  # of a cluster's connections others may stand
    if session.master.up or session.master.queue or session.unsettled or session.pinned:
        return b""
    if (
        shared.policy.passthrough
        or not shared.learnt
        or session.subscribing
        or session.subscriptions.active()
    ):
        return b""
    answer = _ANSWERS[slot.args[0].lower()](session, slot.args)
    if answer:
        session.state = asked(session.state, slot.args)
        session.databases = {session.state.database}
    return answer


def _select(session: Session, args: list[bytes]) -> bytes:
    number = canonical(args[1])
    return texts.OK if number is not None and 0 <= number < session.shared.master_databases else b""


def _client(session: Session, args: list[bytes]) -> bytes:
    known = args[1].lower() == b"setname" or args[2].lower() in _ATTRIBUTES
    return texts.OK if known and logins.NAME.match(args[-1]) else b""


def _hello(session: Session, args: list[bytes]) -> bytes:
    wanted = logins.hello(args)
    if wanted.fault or not all(map(logins.NAME.match, wanted.others[1::2])):
        return b""
    protocol = int(args[1]) if len(args) > 1 else session.state.protocol
    return greeting(session.shared.greeting, protocol, session.id)


def _never(session: Session, args: list[bytes]) -> bytes:
    return b""


_ANSWERS = {b"select": _select, b"client": _client, b"hello": _hello, b"auth": _never}


def greeting(words: Sequence[object], protocol: int, number: int) -> bytes:
    """Return the reply to HELLO by a server that says *words* in RESP2, to the client called *number*.

    Nothing when that is not what servers say.
    """
    ours: dict[object, object] = {
        b"proto": protocol,
        b"id": number,
        b"mode": b"standalone",
        b"role": b"master",
    }
    said: list[object] = []
    try:
        for name, value in zip(words[::2], words[1::2], strict=True):
            said += [name, ours.get(name, value)]
        return _map(said, protocol) if said else b""
    except (TypeError, ValueError):
        return b""


def _map(words: Sequence[object], protocol: int) -> bytes:
    head = b"*%d\r\n" % len(words) if protocol == 2 else b"%%%d\r\n" % (len(words) // 2)
    return head + b"".join(_value(word, protocol) for word in words)


def _value(value: object, protocol: int) -> bytes:
    """Return *value*; a list is one of modules, each a map, or the arguments of one.

    Raises:
        TypeError: it is nothing of that.
    """
    if isinstance(value, bytes):
        return texts.bulk(value)
    if isinstance(value, int):
        return texts.number(value)
    if not isinstance(value, list):
        raise TypeError
    items = [_map(item, protocol) if isinstance(item, list) else _value(item, protocol) for item in value]
    return b"*%d\r\n" % len(items) + b"".join(items)
