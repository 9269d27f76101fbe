"""Who may be a client, where the ambassador itself keeps the users (`--auth local`). No I/O."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

from podmates_redis.commands.table import Kind
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot
from podmates_redis.wire import texts
from podmates_redis.wire.numbers import number

NAME = re.compile(rb"[!-~]*\Z")  # what servers take for the name of a client

_FREE = frozenset([b"auth", b"hello", b"reset"])

Logins = Mapping[bytes, Sequence[bytes]]  # user: passwords


class Login(NamedTuple):
    """One AUTH of a greeting."""

    user: bytes
    password: bytes
    before: int  # words of other options that stand before it


class Hello(NamedTuple):
    """A greeting, understood; *fault* is the answer to one that is wrong."""

    logins: Sequence[Login] = ()  # those before the fault
    fault: bytes = b""
    others: Sequence[bytes] = ()  # the words of the other options


def parsed(text: str) -> dict[bytes, list[bytes]]:
    """Return what lines of ``user:password`` say; a user may have several, the default one no name.

    Raises:
        ValueError: a line has no colon, or an empty password.
    """
    found: dict[bytes, list[bytes]] = {}
    for place, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        user, colon, password = line.partition(":")
        if not colon or not password:
            raise ValueError(f"line {place}: want user:password")
        found.setdefault(user.encode() or b"default", []).append(password.encode())
    return found


def right(logins: Logins, user: bytes, password: bytes) -> bool:
    """Tell whether *password* is one of *user*, in a time that tells nothing about it."""
    given = sha256(password).digest()
    known = [sha256(one).digest() for one in logins.get(user, [b""])]
    same = [hmac.compare_digest(given, one) for one in known]
    return any(same) and user in logins


def hello(args: Sequence[bytes]) -> Hello:
    """Return what the words of HELLO ask for."""
    if len(args) < 2:
        return Hello()
    version = number(args[1])
    if version is None:
        return Hello(fault=texts.NO_VERSION)
    if version not in (2, 3):
        return Hello(fault=texts.NO_PROTOCOL)
    logins, others, at = list[Login](), list[bytes](), 2
    while at < len(args):
        option, more = args[at].lower(), len(args) - at - 1
        if option == b"auth" and more >= 2:
            logins.append(Login(args[at + 1], args[at + 2], len(others)))
            at += 3
        elif option == b"setname" and more:
            others += args[at : at + 2]
            at += 2
        else:
            return Hello(logins, texts.hello_option(args[at]), [*others, args[at]])
    return Hello(logins, others=others)


def locked(session: Session, slot: Slot) -> bytes:
    """Return the answer to a command before any login; nothing when it may go on."""
    dialect = session.shared.dialect
    if slot.kind is Kind.QUIT or (slot.kind is Kind.FOREIGN and not dialect.old):
        return b""
    free = slot.args[0].lower() in _FREE and not (slot.kind is Kind.RESET and dialect.old)
    told = b"" if dialect.locked_first and not free else _misspelt(session, slot)
    if not told and slot.args[0].lower() == b"hello":
        asked = hello(slot.args)
        return b"" if asked.logins else (asked.fault or texts.locked_hello(dialect))
    if not told and free:
        return b""
    told = told or texts.LOCKED
    return texts.aborted(told) if slot.kind is Kind.EXEC else told


def _misspelt(session: Session, slot: Slot) -> bytes:
    """Return what the server says of a command that it does not know, or whose words are too many or few."""
    dialect = session.shared.dialect
    if not dialect.subcommands:
        command = session.shared.table.find(slot.args[:1])
        if command.kind is Kind.FOREIGN:
            return b""  # a command to it
    else:
        command = slot.plan.command
    if command.name == "other":
        return texts.unknown(slot.args, dialect)
    if command.container and len(slot.args) > 1 and dialect.subcommands:
        return texts.unknown_subcommand(*slot.args[:2])
    return b"" if command.accepts(len(slot.args)) else texts.wrong_arity(command.name)


def allowed(session: Session, user: bytes, password: bytes) -> bytes:
    """Return the answer to AUTH."""
    logins: Callable[[], Logins] | None = session.shared.logins
    if logins is None:
        ok = session.shared.policy.accept_any_auth or user == b"default"
    else:
        ok = right(logins(), user, password)
    return texts.OK if ok else texts.WRONG_PASSWORD


def greet(session: Session, asked: Hello, *, dry: bool = False) -> Login | None:
    """Do what a greeting says of logins; return the one that is refused. *dry*: only look.

    Some servers do each as they come to it. The others look at all words first, and then the last one counts.
    """
    at_once = session.shared.dialect.greets_piecemeal
    wrong = bool(asked.fault) or not all(map(NAME.match, asked.others[1::2]))
    meant = asked.logins if at_once else [] if wrong else asked.logins[-1:]
    log = allowed if dry else log_in
    return next((one for one in meant if log(session, one.user, one.password) != texts.OK), None)


def greeted_in_part(session: Session, args: Sequence[bytes], error: bytes) -> None:
    """Some of the words of a greeting may be in force though the server has answered *error*."""
    session.pinned = True
    if not session.shared.dialect.greets_piecemeal or number(args[1]) not in (2, 3):
        return
    words, state = list(args[2:]), session.state
    while words:
        option = words[0].lower()
        if option == b"setname" and len(words) > 1 and NAME.match(words[1]):
            state, words = replace(state, name=words[1]), words[2:]
        elif option == b"auth" and len(words) > 2 and not error.startswith(b"-WRONGPASS"):
            state, words = replace(state, user=words[1], password=words[2]), words[3:]
        else:
            break
    session.state = session.master.state = state


def log_in(session: Session, user: bytes, password: bytes) -> bytes:
    """Make the client *user*, if it may be; return the answer to AUTH."""
    told = allowed(session, user, password)
    if told == texts.OK and session.shared.logins is not None:
        session.who = user
    return told
