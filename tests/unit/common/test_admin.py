"""The probe paths answer what health says, over real HTTP, and the probe reads them."""

from __future__ import annotations

import asyncio
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from podmates_common.admin import About, application
from podmates_common.crowd import Crowd, start
from podmates_common.health import Health
from podmates_common.parse import Address
from podmates_common.probe import probe

ABOUT = About("podmates-thing", "1.2.3", {"parser": "compiled"})


@contextmanager
def serving(health: Health, registry: CollectorRegistry) -> Iterator[Address]:
    """An admin server in a thread of its own, as gitsync has it."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: object) -> Crowd:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)  # type: ignore[arg-type]

    server = run(start(application(health, registry, ABOUT), [Address("127.0.0.1", 0)], ()))
    try:
        yield server.addresses[0]
    finally:
        run(server.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def get(address: Address, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_every_path_answers(capsys: pytest.CaptureFixture[str]) -> None:
    health, registry = Health(), CollectorRegistry()
    Counter("things", "Things.", registry=registry).inc(3)
    health.expect("master", within=60)
    with serving(health, registry) as address:
        assert get(address, "/livez") == (200, "ok\n")
        assert get(address, "/startupz") == (503, "not started\nmaster: has not reported yet\n")
        assert get(address, "/readyz") == (503, "not ready\nmaster: has not reported yet\n")
        assert (probe("live", address), probe("ready", address)) == (0, 1)
        assert "master: has not reported yet" in capsys.readouterr().out

        health.ok("master")
        assert get(address, "/readyz") == (200, "ok\nmaster: ok\n")
        assert [probe(kind, address) for kind in ("live", "started", "ready")] == [0, 0, 0]

        status, version = get(address, "/version")
        assert (status, json.loads(version)) == (
            200,
            {"name": "podmates-thing", "version": "1.2.3", "parser": "compiled"},
        )
        families = {f.name: f for f in text_string_to_metric_families(get(address, "/metrics")[1])}
        assert families["things"].samples[0].value == 3
        assert get(address, "/nothing")[0] == 404


def test_the_probe_of_a_port_where_nobody_listens_says_no(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]

    assert probe("live", Address("0.0.0.0", port)) == 1
    assert "refused" in capsys.readouterr().err


def test_an_address_in_use_is_an_error_and_nothing_listens() -> None:
    async def body(taken: int, free: int) -> None:
        app = application(Health(), CollectorRegistry(), ABOUT)
        with pytest.raises(OSError, match="in use"):
            await start(app, [Address("127.0.0.1", free), Address("127.0.0.1", taken)], ())
        with socket.create_server(("127.0.0.1", free)):
            pass

    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        socket.create_server(("127.0.0.1", 0)) as unused,
    ):
        taken, free = other.getsockname()[1], unused.getsockname()[1]
        unused.close()
        asyncio.run(body(taken, free))
