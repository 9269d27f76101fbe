"""A connection is used only if its server granted what was asked and is what it was taken for."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from podmates_common.parse import Address
from podmates_redis.clients.joining import Joining
from podmates_redis.clients.wants import World
from podmates_redis.servers.pacing import News
from podmates_redis.servers.upstream import Greeting, Refused, Unlike, Upstream, replication
from podmates_redis.session.state import State
from podmates_redis.wire.replies import Part
from podmates_redis.wire.requests import encode

MASTER = b"$13\r\nrole:master\r\n\r\n"


def fine(fields: dict[str, str]) -> str:
    return "" if fields.get("role") == "master" else f"is {fields}"


def test_a_greeting_ends_with_the_last_reply_it_needs() -> None:
    greeting = Greeting([encode(b"SELECT", b"3")], [encode(b"CLIENT", b"SETINFO", b"LIB-NAME", b"x")], fine)

    assert [greeting.take(reply) for reply in (b"+OK\r\n", b"-ERR unknown\r\n", MASTER)] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("replies", "why"),
    [
        ([b"-ERR DB index is out of range\r\n"], "DB index"),
        ([b"+OK\r\n", b"$12\r\nrole:slave\r\n\r\n"], "slave"),
        ([b"+OK\r\n", b"-NOPERM no\r\n"], "NOPERM"),
        ([b"+OK\r\n", b"-ERR max number of clients reached\r\n"], "max number"),
    ],
)
def test_a_greeting_that_is_not_granted_refuses(replies: list[bytes], why: str) -> None:
    greeting = Greeting([encode(b"SELECT", b"3")], [], fine)

    with pytest.raises(Refused, match=why):
        [greeting.take(reply) for reply in replies]


def test_what_info_says() -> None:
    assert replication(b"$30\r\n# Replication\r\nrole:master\r\na:b:c\r\n\r\n")["a"] == "b:c"
    assert replication(b"-NOAUTH x\r\n") == {"error": "NOAUTH x"}


class Owner:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.told = asyncio.Event()

    def arrived(self, upstream: Upstream, parts: list[Part]) -> None:
        self._hear(b"".join(part.data for part in parts))

    def arrived_raw(self, upstream: Upstream, data: bytes) -> None:
        self._hear(data)

    def gone(self, upstream: Upstream) -> None:
        self._hear("gone")

    def hold(self, upstream: Upstream, full: bool) -> None:
        self._hear(full)

    def _hear(self, what: object) -> None:
        self.heard.append(what)
        self.told.set()


@contextlib.asynccontextmanager
async def serving(answer: bytes) -> AsyncIterator[Address]:
    """A server that says *answer* to the first thing it hears, and then echoes; gone when all clients are."""
    talks: list[asyncio.Task[None] | None] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())
        await reader.read(65536)
        writer.write(answer)
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with asyncio.timeout(30):
        yield Address(*server.sockets[0].getsockname()[:2])
        server.close()
        await asyncio.gather(*(task for task in talks if task))


def test_a_connection_that_is_cut_is_so_before_anything_else_happens() -> None:
    """What waits at the server for a client that was killed must not take what comes after the kill."""

    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(30)
            address = Address(*listener.getsockname()[:2])
            opening = asyncio.ensure_future(
                Upstream.open(address, Owner(), Greeting([], [], fine), limit=60.0)
            )
            with (await asyncio.to_thread(listener.accept))[0] as server:
                server.settimeout(30)
                server.sendall(MASTER)
                upstream = await opening
                server.recv(1024)
                upstream.close()
                assert server.recv(1) == b""

    asyncio.run(test())


def test_replies_reach_the_owner_and_garbage_ends_the_connection() -> None:
    async def test() -> None:
        async with serving(MASTER) as address:
            owner = Owner()
            upstream = await Upstream.open(address, owner, Greeting([], [], fine), limit=60.0)
            upstream.write([b"+a\r\n", b":1\r\n"])
            await owner.told.wait()
            assert owner.heard == [b"+a\r\n:1\r\n"]

            owner.told.clear()
            upstream.write([b"?garbage\r\n"])
            await owner.told.wait()
            assert (owner.heard[-1], upstream.alive) == ("gone", False)

    asyncio.run(test())


def test_a_server_that_is_no_master_is_not_used() -> None:
    async def test() -> None:
        async with serving(b"$12\r\nrole:slave\r\n\r\n") as address:
            with pytest.raises(Refused, match="slave"):
                await Upstream.open(address, Owner(), Greeting([], [], fine), limit=60.0)

    asyncio.run(test())


def test_a_connection_that_is_lost_when_nobody_waits_for_it_makes_no_noise() -> None:
    """Its client left while it was being opened."""

    async def body() -> None:
        noise: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context))
        upstream = Upstream(Owner(), Greeting([], [], fine))
        upstream.connection_lost(None)
        del upstream
        gc.collect()
        assert not noise

    asyncio.run(body())


def test_the_kernel_is_told_how_long_to_believe_in_a_silent_server() -> None:
    async def test() -> None:
        async with serving(MASTER) as address:
            upstream = await Upstream.open(address, Owner(), Greeting([], [], fine), limit=60.0)
            assert upstream._transport is not None
            sock = upstream._transport.get_extra_info("socket")
            options = (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            assert [sock.getsockopt(socket.IPPROTO_TCP, name) for name in options] == [60_000, 30, 10, 3]
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            upstream.close()

    asyncio.run(test())


def test_a_server_that_does_not_greet_in_time_is_not_waited_for() -> None:
    async def test() -> None:
        async with serving(b"") as address:
            with pytest.raises(TimeoutError):
                await Upstream.open(address, Owner(), Greeting([], [], fine), limit=0.05)

    asyncio.run(test())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ERR max number of clients reached", b"-ERR max number of clients reached\r\n"),
        ("BUSY Redis\r\nis busy", b"-BUSY Redis is busy\r\n"),
        ("DENIED Redis is running in protected mode", b"-DENIED Redis is running in protected mode\r\n"),
        ("says that it is a slave", b""),
        ("ERR DB index is out of range", b""),
    ],
)
def test_what_keeps_a_client_from_its_server_is_told_in_the_servers_words(text: str, words: bytes) -> None:
    assert Refused(text).words == words


class Refusing:
    """A world whose master refuses connections for so many reasons, one after the other."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def master(self) -> Address:
        return Address("127.0.0.1", 1)

    def suspect(self) -> None: ...

    async def open_master(self, *_: object) -> Upstream:
        raise self.errors.pop(0)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (News("is not connected to, since the servers have changed"), b"-BUSY it is busy\r\n"),
        (ConnectionResetError(), b"-BUSY it is busy\r\n"),
        (ConnectionRefusedError(), b""),
        (Unlike("is no master"), b""),
        (Refused("LOADING it loads"), b"-LOADING it loads\r\n"),
    ],
    ids=lambda part: type(part).__name__,
)
def test_the_last_words_of_the_master_are_told(error: Exception, words: bytes) -> None:
    world = Refusing(Refused("BUSY it is busy"), error)
    owner: Any = None
    joining = Joining(cast("World", world), owner, state=State, wanted=lambda: bool(world.errors))

    assert asyncio.run(joining.master()) is None
    assert joining.refusal == words
