"""Act two: an application on localhost, a master and a replica behind it, and a failover."""

from __future__ import annotations

import contextlib
import html
import re
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.support.ambassador import Ambassador
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import redis_server
from tests.support.redis_groups import Sentinels
from tests.support.redis_servers import Pair, Server
from tests.support.waiting import until
from tools.demo.stage import Stage

APPLICATION = Path(__file__).parents[2] / "images" / "example-app" / "app.py"
VISITS = 200


def visit(port: int) -> dict[str, str]:
    """Return what the application's page shows: name → value."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as response:
        found = re.findall(r"<dd id=(\w+)>(.*)", response.read().decode())
    return {name: html.unescape(value) for name, value in found}


def counted(server: Server) -> str:
    calls = {name: server.calls(name) for name in ("incrby", "get")}
    return "   ".join(f"{name.upper()} {number:4}" for name, number in calls.items())


def play(stage: Stage) -> None:
    """Run the act.

    Raises:
        AssertionError: something that was announced did not happen.
    """
    stage.act("2. Ambassador redis: one plain Redis on localhost")
    with contextlib.ExitStack() as parts:
        stage.say(f"the servers are {Path(redis_server()[0]).name} processes")
        with stage.step("a master, a replica and a sentinel start"):
            pair = parts.enter_context(Pair())
            parts.enter_context(Sentinels(pair, down_after=1000))
        with stage.step("the ambassador finds out who is who"):
            ambassador = parts.enter_context(Ambassador("--servers", pair.addresses))
        port = free_port()
        settings = {"REDIS_URL": f"redis://127.0.0.1:{ambassador.port}", "LISTEN": f"127.0.0.1:{port}"}
        application = parts.enter_context(Process([sys.executable, APPLICATION], env=settings))
        application.wait_line("listens on")
        _split(stage, pair, ambassador, port)
        _fail_over(stage, pair, port)
        with stage.step("SIGTERM drains it (status 0)"):
            assert ambassador.process.stop() == 0, ambassador.process.output


def _split(stage: Stage, pair: Pair, ambassador: Ambassador, port: int) -> None:
    for server in pair.servers:
        server.client().config_resetstat()
    with stage.step(f"{VISITS} visits of the application, each one INCR and one GET of what it wrote"):
        pages = [visit(port) for _ in range(VISITS)]
    stale = [page for page in pages if page["wrote"] != page["read"]]
    assert not stale, f"a visit did not read what it wrote: {stale[0]}"
    stage.say("every visit read its own write. Who served what:")
    stage.show(f"master   {counted(pair.master)}")
    stage.show(f"replica  {counted(pair.replica)}")
    client: Any = ambassador.client()
    before = pair.replica.calls("get")
    with stage.step("the replica is proven to have what the visits wrote"):
        until(lambda: client.get("visits") and pair.replica.calls("get") > before, what="a read there")
    before = pair.replica.calls("get")
    for _ in range(VISITS):
        client.get("visits")
    reads = {route: int(n) for (route, _), n in sorted(ambassador.reads().items())}
    stage.say(f"{VISITS} more GETs by a client that wrote nothing:")
    stage.show(f"master   {counted(pair.master)}")
    stage.show(f"replica  {counted(pair.replica)}")
    assert pair.replica.calls("get") - before >= VISITS * 0.95, f"reads belong to the replica: {reads}"
    assert pair.replica.calls("incrby") in (0, VISITS), "a replica gets writes by replication only"


def _fail_over(stage: Stage, pair: Pair, port: int) -> None:
    before = int(visit(port)["wrote"])
    pair.settle()
    stage.say("now the master is killed (kill -9); the sentinel will promote the replica")
    pair.master.kill()
    begin = time.monotonic()
    with stage.step("the replica is promoted"):
        until(lambda: pair.replica.info("replication")["role"] == "master", 60, "a new master")
    promoted = time.monotonic()

    def goes_on() -> bool:
        return visit(port).get("wrote", "").isdigit()

    with stage.step("the application writes again, never having reconnected to anything but localhost"):
        until(goes_on, 60, "a write", ignoring=(OSError,))
    now = time.monotonic()
    after = visit(port)
    stage.show(f"outage {now - begin:.2f} s; {now - promoted:.2f} s after the new master said that it is one")
    stage.show(f"wrote {after['wrote']}, read {after['read']}")
    assert int(after["wrote"]) > before, "an acknowledged write was lost"
    assert now - promoted < 3, "writes go on within 3 s"
