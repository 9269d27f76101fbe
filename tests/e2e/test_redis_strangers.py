"""Who has not logged in, with `--auth passthrough`, hears what a server says, and takes no connection."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.e2e.test_redis_logins import LINES, RAW, REFUSED, answer, masked
from tests.support.ambassador import Ambassador
from tests.support.pods import ask
from tests.support.redis_servers import Pair, Server
from tests.support.redis_versions import VERSIONS, program
from tests.support.resp import RawClient
from tests.support.waiting import until

USER = ("ACL", "SETUSER", "bob", "on", ">secret", ">older secret", "~*", "&*", "+@all")
KNOCKING = 16  # connections for logins at a time


@pytest.fixture(scope="module", params=VERSIONS)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with Pair(password="main", program=program(str(request.param))) as pair:
        for server in pair.servers:
            server.client().execute_command(*USER)
        yield pair


@pytest.fixture(scope="module")
def ambassador(pair: Pair) -> Iterator[Ambassador]:
    env = {"PODMATES_REDIS_PASSWORD": "main"}
    with Ambassador("--servers", pair.addresses, "--auth", "passthrough", env=env) as ambassador:
        assert ask(ambassador.port, "PING").startswith(b"-NOAUTH")  # of the master itself, this time
        yield ambassador


def connections(server: Server) -> int:
    return int(server.info("clients")["connected_clients"])


@pytest.mark.parametrize("name", LINES)
def test_before_a_login_all_is_answered_as_by_the_server(
    pair: Pair, ambassador: Ambassador, name: str
) -> None:
    with RawClient(pair.master.port) as direct, RawClient(ambassador.port) as through:
        for line in LINES[name]:
            words = line.split()
            assert masked(through.call(*words)) == masked(direct.call(*words)), line


@pytest.mark.parametrize("name", [name for name in RAW if name not in REFUSED])
def test_limits_before_a_login_are_the_servers(pair: Pair, ambassador: Ambassador, name: str) -> None:
    wanted = answer(pair.master.port, RAW[name])
    for cut in (None, min(60, len(RAW[name]))):
        assert masked(answer(ambassador.port, RAW[name], cut)) == masked(wanted)


def test_strangers_have_no_connections(pair: Pair, ambassador: Ambassador) -> None:
    before = connections(pair.master)
    with contextlib.ExitStack() as stack:
        strangers = [stack.enter_context(RawClient(ambassador.port)) for _ in range(60)]
        for stranger in strangers:
            assert stranger.call("GET", "k").startswith(b"-NOAUTH")
            assert stranger.call("SUBSCRIBE", "c").startswith(b"-NOAUTH")
        for stranger in strangers:
            stranger.pipeline([("AUTH", "bob", "wrong")] * 3)
        most = 0
        for stranger in strangers:
            assert all(reply.startswith(b"-WRONGPASS") for reply in stranger.read_many(3))
            most = max(most, connections(pair.master))
        assert most <= before + KNOCKING + 2
        until(lambda: connections(pair.master) <= before + 1, what="no connection to be left")

        for stranger in strangers:
            stranger.pipeline([("AUTH", "bob", "secret"), ("SET", "large", b"x" * 20_000), ("GET", "large")])
        for stranger in strangers:
            assert stranger.read_many(2) == [b"+OK\r\n"] * 2
            assert len(stranger.read()) > 20_000


def test_a_server_that_wants_a_login_no_more_is_heard() -> None:
    with Server() as server:
        admin = server.client()
        admin.execute_command(*USER)
        flags = ("--servers", server.address, "--auth", "passthrough", "--username", "bob")
        env = {"PODMATES_REDIS_PASSWORD": "secret"}
        with Ambassador(*flags, env=env) as ambassador, RawClient(ambassador.port) as early:
            assert early.call("SET", "k", "v") == b"+OK\r\n"
            admin.execute_command("ACL", "SETUSER", "default", "resetpass", ">main")
            until(
                lambda: ask(ambassador.port, "GET", "k").startswith(b"-NOAUTH"), what="a login to be wanted"
            )
            assert early.call("GET", "k") == b"$1\r\nv\r\n"  # who was here is who it was
            admin.execute_command("ACL", "SETUSER", "default", "nopass")
            until(lambda: ask(ambassador.port, "GET", "k") == b"$1\r\nv\r\n", what="anybody to be let in")
