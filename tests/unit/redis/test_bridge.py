"""Between the engine and a server reached by TLS: each byte once and in its order, and then the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from podmates_common.parse import Address
from podmates_redis.servers.bridge import Bridge
from podmates_redis.servers.dialing import Dialer
from podmates_redis.servers.tls import Tls, Wanted
from podmates_redis.servers.upstream import Greeting, Upstream
from tests.support.certificates import Authority, Certificate
from tests.support.upstreams import Nobody
from tests.support.waiting import stays, until

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
MEBIBYTE = 1 << 20
HELD = 3 * 65536 + 4096  # bytes that a link may hold
GREETING, GREETED = b"replication\r\n", b"$0\r\n\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("bridge"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.issue("server")


class Crossing:
    """What stands between a server and what the engine would own, here `engine`."""

    def __init__(self, bridge: Bridge, engine: socket.socket) -> None:
        self.bridge, self.engine = bridge, engine
        self._loop = asyncio.get_running_loop()

    async def say(self, data: bytes) -> None:
        await self._loop.sock_sendall(self.engine, data)

    async def hear(self, size: int) -> bytes:
        """Return *size* bytes, or what came before the end."""
        found = bytearray()
        while len(found) < size and (more := await self._loop.sock_recv(self.engine, MEBIBYTE)):
            found += more
        return bytes(found)

    @staticmethod
    async def until(condition: Callable[[], bool]) -> None:
        """Wait for *condition* while the loop goes on."""
        await asyncio.to_thread(until, condition)


class Crossings:
    """Makes them, to a server that does what it is told; *apart* and *version* of TLS are what differs."""

    def __init__(self, authority: Authority, certificate: Certificate, apart: bool, version: str) -> None:
        self._authority, self._apart = authority, apart
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate.file, certificate.key)
        self.context.maximum_version = ssl.TLSVersion[version]
        self.faults: list[Exception] = []

    @asynccontextmanager
    async def to(self, handler: Handler) -> AsyncIterator[Crossing]:
        """Yield one to a server that greets, and is then as *handler* says."""

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(GREETING)
                writer.write(GREETED)
                await reader.readexactly(1)  # nobody else reads any more
                await handler(reader, writer)

        server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=self.context)
        async with self.at(server.sockets[0].getsockname()[1]) as crossing:
            await crossing.say(b"!")
            yield crossing
        server.close()

    @asynccontextmanager
    async def at(self, port: int) -> AsyncIterator[Crossing]:
        """Yield one to the server at *port*."""
        dialer = Dialer(Tls(Wanted(ca_file=str(self._authority.file))))
        greeting = Greeting([], [], lambda fields: "")
        address = Address("127.0.0.1", port)
        upstream = await Upstream.open(address, Nobody(), greeting, dialer, limit=60.0)
        bridge = Bridge(apart=self._apart, note=self.faults.append)
        try:
            with socket.socket(fileno=upstream.take(bridge)) as engine:
                yield Crossing(bridge, engine)
        finally:
            bridge.stop()
        assert not self.faults


@pytest.fixture(params=["TLSv1_2", "TLSv1_3"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[True, False], ids=["apart", "on the loop"])
def crossings(
    request: pytest.FixtureRequest, authority: Authority, certificate: Certificate, version: str
) -> Crossings:
    return Crossings(authority, certificate, request.param, version)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(MEBIBYTE):
        writer.write(data)
        await writer.drain()


def test_what_is_said_comes_back_whatever_its_size(crossings: Crossings) -> None:
    chosen = random.Random(7)

    async def test() -> None:
        async with crossings.to(echo) as crossing:
            for size in (1, 16384, 16385, 65536, 65537, 300_000, *chosen.choices(range(1, 5000), k=200)):
                said = chosen.randbytes(size)
                _, heard = await asyncio.gather(crossing.say(said), crossing.hear(size))
                assert heard == said, size

    asyncio.run(test())


def test_whoever_does_not_read_stops_whoever_sends(crossings: Crossings) -> None:
    """What is under way stays in the kernel's buffers and within the link's bound, each way."""
    data = os.urandom(MEBIBYTE) * 32

    async def test() -> None:
        reads, got = asyncio.Event(), bytearray()

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            await reads.wait()
            while len(got) < len(data):
                got.extend(await reader.read(MEBIBYTE))

        async with crossings.to(slow) as crossing:
            saying = asyncio.create_task(crossing.say(data))
            await crossing.until(lambda: crossing.bridge.held > 65536)
            await asyncio.to_thread(stays, lambda: crossing.bridge.held <= HELD, 0.2)
            assert not saying.done()
            assert await crossing.hear(len(data)) == data
            assert not saying.done()
            reads.set()
            await saying
            await crossing.until(lambda: len(got) == len(data))
            assert bytes(got) == data
            assert crossing.bridge.held == 0

    asyncio.run(test())


@pytest.mark.parametrize("rude", [False, True], ids=["close", "reset"])
def test_the_end_of_a_server_comes_after_all_that_it_has_sent(crossings: Crossings, rude: bool) -> None:
    async def test() -> None:
        sent, may = b"x" * 3_000_000, asyncio.Event()

        async def leaving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(sent)
            await writer.drain()
            await may.wait()
            if rude:
                writer.transport.abort()
            else:
                writer.close()

        async with crossings.to(leaving) as crossing:
            heard = await crossing.hear(1)
            if rude:  # a reset may cost what has not been read, as everywhere
                heard += await crossing.hear(len(sent) - len(heard))
            may.set()
            heard += await crossing.hear(2 * len(sent))
            assert heard == sent
            assert await crossing.hear(1) == b""

    asyncio.run(test())


def test_nothing_is_left_when_the_engine_lets_go(crossings: Crossings) -> None:
    async def test() -> None:
        ended = asyncio.Event()

        async def full(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"x" * 10 * MEBIBYTE)
            try:
                while await reader.read(MEBIBYTE):
                    pass
            finally:
                ended.set()
                writer.transport.abort()

        async with crossings.to(full) as crossing:
            assert await crossing.hear(1)
            await crossing.until(lambda: crossing.bridge.held > 0)
            crossing.engine.close()
            async with asyncio.timeout(60):
                await ended.wait()
            await crossing.until(lambda: not crossing.bridge._links)
            assert crossing.bridge.held == 0

    asyncio.run(test())


def test_words_that_nobody_can_decrypt_are_the_end(crossings: Crossings) -> None:
    async def test() -> None:
        async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"+OK\r\n")
            await writer.drain()
            await reader.read(1)
            os.write(writer.get_extra_info("socket").fileno(), b"+PONG\r\n" * 100)
            await reader.read(1)

        async with crossings.to(broken) as crossing:
            assert await crossing.hear(5) == b"+OK\r\n"
            await crossing.say(b"x")
            assert await crossing.hear(1) == b""

    asyncio.run(test())


def test_bytes_move_while_the_event_loop_is_held_up(authority: Authority, certificate: Certificate) -> None:
    """Beside the compiled engine no client waits for Python, so none may for this."""
    crossings, done = Crossings(authority, certificate, True, "TLSv1_3"), threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with crossings.context.wrap_socket(listener.accept()[0], server_side=True) as connection:
            heard = b""
            while not heard.endswith(GREETING):
                heard += connection.recv(MEBIBYTE)
            connection.sendall(GREETED)
            while data := connection.recv(MEBIBYTE):
                connection.sendall(data)

    def talk(engine: socket.socket) -> None:
        engine.setblocking(True)
        for number in range(20):
            engine.sendall(b"%03d" % number)
            assert engine.recv(3, socket.MSG_WAITALL) == b"%03d" % number
        done.set()

    async def test() -> None:
        async with crossings.at(listener.getsockname()[1]) as crossing:
            await crossing.say(b"first")
            assert await crossing.hear(5) == b"first"
            talking, end = threading.Thread(target=talk, args=(crossing.engine,)), time.monotonic() + 60
            talking.start()
            while not done.is_set() and time.monotonic() < end:  # and nothing else happens on the loop
                pass
            assert done.is_set()
            talking.join()

    serving = threading.Thread(target=serve)
    serving.start()
    asyncio.run(test())
    serving.join()
    listener.close()
