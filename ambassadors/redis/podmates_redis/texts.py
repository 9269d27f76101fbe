"""Replies of the ambassador's own, in words that client libraries already understand."""

from __future__ import annotations

OK = b"+OK\r\n"
QUEUED = b"+QUEUED\r\n"
PONG = b"+PONG\r\n"
RESET = b"+RESET\r\n"
NULL_ARRAY = {2: b"*-1\r\n", 3: b"_\r\n"}

LOST = b"-ERR upstream connection lost before the reply, the command may have run\r\n"
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


def denied(command: str) -> bytes:
    """Return what an ACL says of a command that it does not allow."""
    return b"-NOPERM this user has no permissions to run the '%b' command\r\n" % command.encode()


def bulk(text: bytes) -> bytes:
    """Return *text* as a bulk string."""
    return b"$%d\r\n%b\r\n" % (len(text), text)
