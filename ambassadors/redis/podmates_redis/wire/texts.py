"""Replies of the ambassador's own, in words that client libraries already understand."""

from __future__ import annotations

from collections.abc import Sequence

from podmates_redis.wire.dialects import REDIS_7, Dialect

OK = b"+OK\r\n"
QUEUED = b"+QUEUED\r\n"
PONG = b"+PONG\r\n"
RESET = b"+RESET\r\n"
NULL = {2: b"$-1\r\n", 3: b"_\r\n"}
NULL_ARRAY = {2: b"*-1\r\n", 3: b"_\r\n"}

LOST = b"-ERR upstream connection lost before the reply, the command may have run\r\n"
TIMED_OUT = b"-ERR upstream timeout\r\n"
LOADING = b"-LOADING Redis is loading the dataset in memory\r\n"
MASTER_DOWN = b"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n"
READ_ONLY = b"-READONLY You can't write against a read only replica.\r\n"
UNBLOCKED = (
    b"-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n"
)
ABORTED = b"-EXECABORT Transaction discarded because of previous errors.\r\n"
TOO_MANY_CLIENTS = b"-ERR max number of clients reached\r\n"
WRONG_PASSWORD = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
NO_PASSWORD_SET = (
    b"-ERR AUTH <password> called without any password configured for the default user."
    b" Are you sure your configuration is correct?\r\n"
)
LOCKED = b"-NOAUTH Authentication required.\r\n"
NO_VERSION = b"-ERR Protocol version is not an integer or out of range\r\n"
NO_PROTOCOL = b"-NOPROTO unsupported protocol version\r\n"

_SHOWN = 128  # bytes of a command's name, and of its arguments, in the error about it


def _line(text: bytes) -> bytes:
    """Return *text* fit for a line: a client's bytes must never end one early."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ")


def unknown(args: Sequence[bytes], dialect: Dialect = REDIS_7) -> bytes:
    """Return what a server says of a command that it does not know."""
    name, quoted = dialect.unknown
    shown = b""
    for argument in args[1:]:
        if len(shown) >= _SHOWN:
            break
        shown += quoted % argument[: _SHOWN - len(shown)]
    text = b"-ERR unknown command %b, with args beginning with: %b" % (name % args[0], shown)
    return _line(text) + b"\r\n"


def locked_hello(dialect: Dialect) -> bytes:
    """Return what a server says to a stranger whose greeting has no login."""
    version = b"<proto> " if dialect.greets_by_version else b""
    return (
        b"-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO %bAUTH"
        b" <user> <pass> option can be used to authenticate the client and select the RESP protocol version"
        b" at the same time\r\n" % version
    )


def aborted(error: bytes) -> bytes:
    """Return what a server says to an EXEC that it answers with *error*."""
    return b"-EXECABORT Transaction discarded because of: " + error[1:].removeprefix(b"ERR ")


def unknown_subcommand(container: bytes, name: bytes) -> bytes:
    text = b"-ERR unknown subcommand '%b'. Try %b HELP." % (name[:_SHOWN], container.upper())
    return _line(text) + b"\r\n"


def wrong_arity(command: str) -> bytes:
    return b"-ERR wrong number of arguments for '%b' command\r\n" % command.encode()


def hello_option(option: bytes) -> bytes:
    """Return what a server says of an option of HELLO that it does not know."""
    return _line(b"-ERR Syntax error in HELLO option '%b'" % option) + b"\r\n"


def denied(command: str, user: bytes, dialect: Dialect) -> bytes:
    """Return what an ACL says of a command that it does not allow."""
    name, rest = command.encode(), b""
    if dialect.old:
        name, rest = name.partition(b"|")[0], b" or its subcommand"
    who = b"User %b" % user if dialect.names_denied else b"this user"
    return _line(b"-NOPERM %b has no permissions to run the '%b' command%b" % (who, name, rest)) + b"\r\n"


NO_SUCH_CLIENT = b"-ERR No such client\r\n"
SYNTAX = b"-ERR syntax error\r\n"


OVERLOADED = b"-ERR ambassador overloaded\r\n"


def verbatim(text: bytes, protocol: int) -> bytes:
    """Return *text* as servers give texts for people."""
    return bulk(text) if protocol == 2 else b"=%d\r\ntxt:%b\r\n" % (len(text) + 4, text)


def number(value: int) -> bytes:
    """Return *value* as a number."""
    return b":%d\r\n" % value


def bulk(text: bytes) -> bytes:
    """Return *text* as a bulk string."""
    return b"$%d\r\n%b\r\n" % (len(text), text)
