"""Whatever happens to the JVM, or whoever answers in its place: the page says so in time, and recovers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import time

import pytest

from podmates_metrics.jmx import keeper
from podmates_metrics.jmx.source import JmxSource
from podmates_metrics.jmx.target import parse_target
from tests.support.jmx_pages import collected, is_down, is_up, scrape, series, source
from tests.support.jvm import Jvm
from tests.support.ports import free_port
from tests.support.waiting import pause


def test_the_stub_host_that_nobody_reaches_is_replaced_by_the_registry_host() -> None:
    with Jvm(properties={"java.rmi.server.hostname": "does-not-exist.invalid"}) as jvm:
        assert is_up(scrape(jvm.address))
        assert is_up(scrape(jvm.address, stub_host="target"))
        assert is_down(scrape(jvm.address, stub_host="stub"))


def test_the_connector_may_be_on_another_port_than_the_registry() -> None:
    with Jvm(properties={"com.sun.management.jmxremote.rmi.port": str(free_port())}) as jvm:
        assert is_up(scrape(jvm.url))


def test_a_session_outlives_its_lease() -> None:
    """The server grants 5 s and closes a session whose lease is not renewed."""

    async def run(address: str) -> int:
        async with source(address) as made:
            await made.collect()
            end = time.monotonic() + 12
            while time.monotonic() < end:
                assert is_up(series(await made.collect()))
                await asyncio.to_thread(pause, 0.2)
            return made.sessions

    with Jvm(properties={"java.rmi.dgc.leaseValue": "5000", "sun.rmi.dgc.checkInterval": "500"}) as jvm:
        assert asyncio.run(run(jvm.address)) == 1


@pytest.mark.parametrize(
    ("heartbeat", "sessions"), [(0.5, 1), (50.0, 2)], ids=["kept awake", "fallen asleep"]
)
def test_a_session_outlives_the_patience_of_the_server(heartbeat: float, sessions: int) -> None:
    """The server closes a session after 5 s without a call; one that is lost so is replaced unnoticed."""
    port = free_port()

    async def run() -> None:
        made = JmxSource(parse_target(f"127.0.0.1:{port}"), deadline=30.0, heartbeat=heartbeat)
        try:
            assert is_up(series(await made.collect()))
            await asyncio.to_thread(pause, 10.0)
            assert is_up(series(await made.collect()))
            assert made.sessions == sessions
        finally:
            await made.close()

    with Jvm("Awkward", arguments=["impatient", str(port), "5000"]):
        asyncio.run(run())


def test_a_killed_jvm_is_down_and_comes_back_by_itself() -> None:
    port = free_port()

    async def run() -> None:
        async with source(f"127.0.0.1:{port}") as made:
            assert is_down(series(await made.collect()))
            assert made.problem == "Connection refused"
            for _ in range(2):
                with await asyncio.to_thread(Jvm, port=port):
                    await collected(made, is_up)
                    assert made.problem == ""
                down = await collected(made, is_down)
                assert down["jmx_scrape_error", ()] == 1
                assert {name for name, _ in down if not name.startswith("jmx_")} == set()

    asyncio.run(run())


def test_a_stopped_jvm_does_not_hold_up_the_page() -> None:
    """The first scrape gives up at its deadline, later ones sooner; afterwards all is well again."""

    async def run(jvm: Jvm) -> None:
        async with source(jvm.address, deadline=2.0) as made:
            await collected(made, is_up)
            jvm.process.send(signal.SIGSTOP)
            for limit in (2.0, keeper.GRACE):
                began = time.monotonic()
                found = series(await made.collect())
                assert is_down(found) and made.problem
                assert found["jmx_scrape_duration_seconds", ()] < limit + 15  # of a busy machine
                assert time.monotonic() - began < 30
            jvm.process.send(signal.SIGCONT)
            await collected(made, is_up)
            assert made.problem == ""

    with Jvm() as jvm:
        asyncio.run(run(jvm))


def test_what_came_before_the_deadline_is_served_and_the_slow_bean_named() -> None:
    async def run(jvm: Jvm) -> None:
        async with source(jvm.address, deadline=8.0) as made:
            found = series(await made.collect())
            assert is_down(found) and found["jmx_scrape_error", ()] == 1
            assert found["jmx_slow_beans", (("objectname", "awkward:type=Slow"),)] == 1
            assert len(found) > 6

    with Jvm("Awkward", arguments=["slow"]) as jvm:
        asyncio.run(run(jvm))


GARBAGE: dict[str, tuple[bytes, str]] = {
    "HTTP": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "answers like HTTP"),
    "TLS alert": (b"\x15\x03\x03\x00\x02\x02\x28", "answers like TLS"),
    "another protocol": (b"-ERR unknown command\r\n", "no RMI server"),
    "nothing": (b"", "closed the connection"),
    "JRMP that refuses": (b"\x4f", "does not speak"),
    "greeting, then noise": (b"\x4e\x00\x00\x00\x00\x00\x00" + os.urandom(500), "reply|closed"),
}


@pytest.mark.parametrize(("answer", "reason"), GARBAGE.values(), ids=GARBAGE.keys())
def test_a_stranger_on_the_port_is_named(answer: bytes, reason: str) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        async with server, source(f"127.0.0.1:{server.sockets[0].getsockname()[1]}") as made:
            assert is_down(series(await made.collect()))
            assert re.search(reason, made.problem), made.problem

    asyncio.run(run())
