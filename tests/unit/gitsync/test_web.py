"""The HTTP endpoint by itself: profiles where they are asked for, and an end that is noticed."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from aiohttp import web as aiohttp_web

from podmates_common.parse import Address
from podmates_gitsync.flags.load import Loader
from podmates_gitsync.metrics import Metrics
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.reports.profiles import Look, folded, trace_events
from podmates_gitsync.service import web
from podmates_gitsync.settings import Settings
from podmates_gitsync.sync.state import State


class Told(NamedTuple):
    name: str
    state: State
    metrics: Metrics
    settings: Settings
    log: Log


def repository(state: State) -> Told:
    return Told("", state, Metrics(), Loader({}).command(["--repo=r", "--root=/r"]).settings, Log())


class Answer(NamedTuple):
    status: int
    body: str
    location: str | None


def ask(port: int, path: str, method: str = "GET") -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return Answer(response.status, response.read().decode(), response.headers["Location"])
    finally:
        connection.close()


def serve(app: aiohttp_web.Application, died: threading.Event) -> int:
    """Return the port."""
    (address,) = web.serve(app, Address("127.0.0.1", 0), died.set)
    return address.port


@pytest.fixture(scope="module")
def port() -> int:
    command = ["git-sync", "--repo=https://***@h/r"]
    app = web.application([repository(State())], metrics=False, profiles=command)
    return serve(app, threading.Event())


@pytest.fixture
def busy() -> Iterator[None]:
    """A thread with a name that can be found."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="the-busy-one")
    thread.start()
    yield
    over.set()
    thread.join(30)


def test_the_index_links_every_profile_and_without_its_slash_it_is_a_redirect(port: int) -> None:
    index = ask(port, "/debug/pprof/")
    assert index.status == 200
    for name in ("cmdline", "goroutine", "heap", "profile", "symbol", "threadcreate", "trace"):
        assert f'<a href="{name}">' in index.body
    moved = ask(port, "/debug/pprof")
    assert (moved.status, moved.location) == (301, "/debug/pprof/")
    assert ask(port, "/debug/pprof/nonesuch").status == 404


def test_each_profile_tells_something(port: int, busy: None) -> None:
    assert ask(port, "/debug/pprof/cmdline").body == "git-sync\0--repo=https://***@h/r"
    assert "num_symbols: 0" in ask(port, "/debug/pprof/symbol").body
    stacks = ask(port, "/debug/pprof/goroutine?debug=1").body
    assert "thread the-busy-one:" in stacks
    assert "in wait" in stacks
    assert "the-busy-one\n" in ask(port, "/debug/pprof/threadcreate").body
    memory = ask(port, "/debug/pprof/heap").body
    assert "VmRSS:" in memory
    assert "builtins.function" in memory


def test_a_profile_is_stacks_with_counts_and_a_trace_is_events(port: int, busy: None) -> None:
    lines = ask(port, "/debug/pprof/profile?seconds=1").body.splitlines()
    (line,) = [line for line in lines if line.startswith("the-busy-one;")]
    stack, _, count = line.rpartition(" ")
    assert "threading.Event.wait" in stack
    assert int(count) > 1
    events = json.loads(ask(port, "/debug/pprof/trace?seconds=1").body)["traceEvents"]
    assert [event["ph"] for event in events if event["tid"] == "the-busy-one"] == ["X"]


@pytest.mark.parametrize("seconds", ["0", "-1", "61", "x", "nan", "inf"])
def test_a_profile_is_bounded(port: int, seconds: str) -> None:
    assert ask(port, f"/debug/pprof/profile?seconds={seconds}").status == 400


def test_one_profile_at_a_time(port: int) -> None:
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(ask(port, "/debug/pprof/profile?seconds=4").status))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == [200, 503, 503]


def test_profiles_that_are_off_are_like_every_other_path() -> None:
    state = State()
    off = serve(web.application([repository(state)], metrics=False), threading.Event())
    for path in ("/debug/pprof/", "/debug/pprof", "/debug/pprof/heap", "/metrics"):
        assert ask(off, path).status == 503
    state.ready.set()
    for path in ("/debug/pprof/", "/debug/pprof", "/debug/pprof/heap", "/metrics"):
        assert ask(off, path)[:2] == (200, "")


@pytest.mark.parametrize(("status", "expected"), [(0, 200), (1, 503)])
def test_one_that_has_ended_is_ready_only_if_it_ended_well(status: int, expected: int) -> None:
    states = (State(), State())
    app = web.application([repository(state) for state in states], metrics=False)
    port = serve(app, threading.Event())
    for state in states:
        state.ready.set()
    states[1].end(status)

    assert ask(port, "/").status == expected
    assert [state.shown for state in states] == ["running", "ended"]


def test_looks_become_counts_and_events() -> None:
    looks = [
        Look(0.0, "a", ("f", "g")),
        Look(0.01, "a", ("f", "g")),
        Look(0.02, "a", ("f",)),
        Look(0, "b", ()),
    ]

    assert folded(looks) == "a;f 1\na;f;g 2\nb 1\n"
    events = json.loads(trace_events(looks))["traceEvents"]
    assert [(event["name"], event["tid"], round(event["dur"])) for event in events] == [
        ("g", "a", 20000),
        ("f", "a", 10000),
        ("", "b", 10000),
    ]


def test_the_end_of_the_server_is_noticed() -> None:
    async def die(_: aiohttp_web.Request) -> aiohttp_web.Response:
        (serving,) = (task for task in asyncio.all_tasks() if "serve.<locals>.body" in repr(task.get_coro()))
        serving.cancel()
        return aiohttp_web.Response()

    app, died = aiohttp_web.Application(), threading.Event()
    app.router.add_get("/", die)
    port = serve(app, died)
    assert not died.is_set()
    with contextlib.suppress(OSError, http.client.HTTPException):
        ask(port, "/")

    assert died.wait(30)
