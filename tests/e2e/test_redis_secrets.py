"""No password that passes through is told by anything: the log, the pages, metrics, the slow log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient
from tests.support.shared_path import PURE, SHARED

SECRET = "hush-7d1f"  # begins every password here
PAGES = (
    "/topology",
    "/config",
    "/clients",
    "/slowlog",
    "/stats",
    "/version",
    "/metrics",
    "/readyz",
    "/livez",
)
# each with a password where one may be; most are refused, and all are slow by the setting below
COMMANDS = f"""
AUTH {SECRET}
AUTH default {SECRET}
auth nobody {SECRET} {SECRET}
HELLO 3 AUTH default {SECRET}
HELLO 2 AUTH default {SECRET} SETNAME x
HELLO 2 SETNAME x AUTH nobody {SECRET} NONSENSE
ACL SETUSER app on >{SECRET} ~* +@all
ACL SETUSER app <{SECRET}
ACL SETUSER {SECRET} >{SECRET} nonsense
ACL DRYRUN app GET {SECRET}
CONFIG SET requirepass {SECRET}
CONFIG SET masterauth {SECRET} masteruser {SECRET}
CONFIG SET requirepass
MIGRATE 127.0.0.1 1 k 0 10 AUTH {SECRET}
MIGRATE 127.0.0.1 1 k 0 10 AUTH2 default {SECRET} KEYS k
MIGRATE 127.0.0.1 {SECRET} k 0 10 AUTH {SECRET}
MODULE LOADEX /none.so CONFIG password {SECRET}
SENTINEL SET mymaster auth-pass {SECRET}
REPLCONF secret {SECRET}
AUHT {SECRET}
{SECRET} {SECRET}
"""


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair() as pair:
        yield pair


def lines() -> list[list[str]]:
    return [line.split() for line in COMMANDS.split("\n") if line]


def told(ambassador: Ambassador) -> str:
    """Return all that the ambassador tells of itself."""
    return ambassador.process.output + "".join(ambassador.get(path).body for path in PAGES)


@pytest.mark.parametrize(
    ("env", "auth", "admin"),
    [(SHARED, "fixed", "allow"), (PURE, "passthrough", "allow"), (SHARED, "fixed", "deny")],
    ids=["shared", "passthrough", "denied"],
)
def test_nothing_tells_a_password(pair: Pair, env: dict[str, str], auth: str, admin: str) -> None:
    flags = ("--servers", pair.addresses, "--slowlog-slower-than", "1us", "--log-level", "debug")
    more = ("--auth", auth, "--admin-commands", admin, "--slowlog-max-len", "1000")
    try:
        with Ambassador(*flags, *more, env=env) as ambassador:
            for words in lines():
                with RawClient(ambassador.port) as client, RawClient(ambassador.port) as other:
                    client.call(*words)
                    client.call("SET", "k", "v")
                    other.pipeline([("MULTI",), words, ("EXEC",)])
                    other.read_many(3)
                for server in pair.servers:
                    plain(server.port)
            with RawClient(ambassador.port) as client:
                client.send(b"*x" + SECRET.encode() + b"\r\n")
                client.read_rest()
            slow = ambassador.get("/slowlog").body
            assert '"SET"' in slow and ('"ACL"' in slow or admin == "deny")
            found = told(ambassador)
            place = found.find(SECRET)
            assert place < 0, found[place - 300 : place + 50]
            assert "Traceback" not in ambassador.process.output
    finally:
        for server in pair.servers:
            plain(server.port)


def plain(port: int) -> None:
    """Let the server want no password."""
    with RawClient(port) as client:
        client.call("AUTH", SECRET)
        client.call("CONFIG", "SET", "requirepass", "", "masterauth", "", "masteruser", "")
