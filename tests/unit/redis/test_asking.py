"""A connection for questions that is lost takes nothing and nobody with it."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from podmates_common.parse import Address
from podmates_redis.servers import asking
from podmates_redis.servers.asking import Asker, Unanswered


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine be slow with an answer."""
    monkeypatch.setattr(asking, "PATIENCE", 30.0)


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every command with OK, until the client leaves."""
    while line := await reader.readline():
        for _ in range(2 * int(line[1:])):
            await reader.readline()
        writer.write(b"+OK\r\n")
    writer.close()


async def at(descriptor: int, end: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return the streams of *end*, which gets the number *descriptor*."""
    if end.fileno() != descriptor:
        os.dup2(end.fileno(), descriptor)
        end.close()
        end = socket.socket(fileno=descriptor)
    end.setblocking(False)
    return await asyncio.open_connection(sock=end)


def test_who_gets_the_descriptor_of_a_lost_connection_is_heard() -> None:
    """Asked after the loss and before the event loop has dealt with it."""

    async def body() -> None:
        server = await asyncio.start_server(answering, "127.0.0.1", 0)
        asker = Asker(Address("127.0.0.1", server.sockets[0].getsockname()[1]), lambda: (b"", None))
        assert await asker.ask(("PING",)) == [b"OK"]
        connection = asker._connection
        assert connection is not None and connection._writer is not None
        transport = connection._writer.transport
        descriptor = transport.get_extra_info("socket").fileno()
        transport.abort()
        with pytest.raises(Unanswered):
            await asker.ask(("PING",))

        ours, theirs = socket.socketpair()
        reader, writer = await at(descriptor, ours)
        theirs.sendall(b"hello\n")
        assert await asyncio.wait_for(reader.readline(), 30) == b"hello\n"
        assert await asker.ask(("PING",)) == [b"OK"]
        asker.close()
        theirs.close()
        assert await reader.read() == b""
        writer.close()
        server.close()

    asyncio.run(body())


def test_an_answer_that_comes_late_answers_no_later_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """The master's answer proves what replicas have: one of an earlier question would prove too much."""

    async def body() -> None:
        late = asyncio.Event()
        asked = 0
        talks: list[asyncio.Task[None] | None] = []

        async def numbering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            talks.append(asyncio.current_task())
            while line := await reader.readline():
                words = [await reader.readline() for _ in range(2 * int(line[1:]))]
                if words[1] != b"PING\r\n":
                    writer.write(b"+OK\r\n")
                    continue
                asked += 1
                mine = asked
                if mine == 2:
                    await late.wait()
                writer.write(b":%d\r\n" % mine)
            writer.close()

        server = await asyncio.start_server(numbering, "127.0.0.1", 0)
        asker = Asker(Address("127.0.0.1", server.sockets[0].getsockname()[1]), lambda: (b"", None))
        assert await asker.ask(("PING",)) == [1]
        with monkeypatch.context() as impatient:
            impatient.setattr(asking, "PATIENCE", 2.0)
            with pytest.raises(Unanswered):
                await asker.ask(("PING",))
        late.set()
        try:
            assert await asker.ask(("PING",)) == [3]
        finally:
            asker.close()
            server.close()
            await asyncio.wait([talk for talk in talks if talk], timeout=30)

    asyncio.run(body())


def test_what_a_server_said_before_it_was_busy_is_not_mixed_up_with_what_it_says_after() -> None:
    said = {b"replication": b"role:slave\r\n", b"server": b"run_id:x\r\n", b"persistence": b"loading:1\r\n"}

    async def body() -> None:
        busy, heard = False, list[bytes]()
        talks: list[asyncio.Task[None] | None] = []

        async def serving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talks.append(asyncio.current_task())
            while line := await reader.readline():
                words = [(await reader.readline()).strip() for _ in range(2 * int(line[1:]))][1::2]
                if words[0] == b"HELLO":
                    writer.write(b"*2\r\n$4\r\nrole\r\n$7\r\nreplica\r\n")
                elif busy:
                    writer.write(b"-BUSY with a script\r\n")
                elif words[0] == b"INFO":
                    heard.append(words[1])
                    writer.write(b"$%d\r\n%b\r\n" % (len(said[words[1]]), said[words[1]]))
                else:
                    writer.write(b"+OK\r\n")
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(serving, "127.0.0.1", 0)
        asker = Asker(Address("127.0.0.1", server.sockets[0].getsockname()[1]), lambda: (b"", None))
        whole = {"role": "slave", "run_id": "x", "loading": "1"}
        assert await asker.replication() == whole
        busy = True
        assert await asker.replication() == {"role": "slave", "busy": "1"}
        busy = False
        heard.clear()
        for _ in range(3):
            assert await asker.replication() == whole
        assert heard.count(b"server") == 1
        asker.close()
        server.close()
        await asyncio.wait([talk for talk in talks if talk], timeout=30)

    asyncio.run(body())


def test_a_server_that_is_busy_with_a_script_says_its_role_and_keeps_the_connection() -> None:
    async def body() -> None:
        busy, heard = True, list[bytes]()
        talks: list[asyncio.Task[None] | None] = []

        async def serving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talks.append(asyncio.current_task())
            while line := await reader.readline():
                words = [await reader.readline() for _ in range(2 * int(line[1:]))][1::2]
                heard.append(b" ".join(word.strip() for word in words))
                info = b"role:master\r\nrun_id:x\r\n"
                if words[0] == b"HELLO\r\n":
                    writer.write(b"*4\r\n$4\r\nrole\r\n$7\r\nreplica\r\n$2\r\nid\r\n:7\r\n")
                elif busy:
                    writer.write(b"-BUSY with a script\r\n")
                else:
                    writer.write(
                        b"$%d\r\n%b\r\n" % (len(info), info) if words[0] == b"INFO\r\n" else b"+OK\r\n"
                    )
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(serving, "127.0.0.1", 0)
        asker = Asker(Address("127.0.0.1", server.sockets[0].getsockname()[1]), lambda: (b"", None))
        try:
            for _ in range(2):
                assert await asker.replication() == {"role": "slave", "busy": "1"}
            assert b"CLIENT SETNAME podmates-redis" in heard
            busy = False
            assert await asker.replication() == {"role": "master", "run_id": "x"}
            assert len(talks) == 1
        finally:
            asker.close()
            server.close()
            await asyncio.wait([talk for talk in talks if talk], timeout=30)

    asyncio.run(body())
