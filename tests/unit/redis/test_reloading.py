"""Settings that are taken up while the ambassador runs: the whole of them, or nothing."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Collection
from pathlib import Path

import pytest

from podmates_common.health import Health
from podmates_common.settings import Loaded, load
from podmates_redis.app import App
from podmates_redis.operating.reloading import Reloading
from podmates_redis.servers.topology import Topology
from podmates_redis.settings import PREFIX, Settings


def loaded(*flags: str) -> Loaded[Settings]:
    servers = () if "--servers" in flags else ("--servers", "a:1")
    return load(Settings, PREFIX, [*servers, "--admin-listen", "", *flags], {})


# every setting that something keeps in a form of its own, with another value than the default
KEPT = (
    *("--servers", "a:1,b:2", "--consistency", "bounded", "--read-from", "any", "--balance", "random"),
    *("--master-weight", "0.5", "--zone", "z", "--zones", "a=z", "--max-lag-bytes", "1kB", "--max-lag", "3s"),
    *("--min-healthy", "2", "--fallback", "error", "--fallback-max-rps", "7", "--stale-ok", "4s"),
    *("--learn-replicas", "--split-brain", "refuse", "--master-wait", "5s", "--connect-timeout", "6s"),
    *("--failover-wait", "7s", "--op-timeout", "8s", "--retries", "9", "--on-unknown", "error"),
    *("--blocking-failover", "unblock", "--admin-commands", "allow", "--route", "GET=master,KEYS=deny"),
    *("--ttl-reads", "master", "--module-reads", "on", "--script-cache", "on", "--eval-no-writes", "replica"),
    *("--accept-any-auth", "--rewrite-ro", "on", "--address-map", "a=b", "--max-clients", "5"),
    *("--max-dedicated", "4", "--switch-grace", "8s"),
    *("--slowlog-slower-than", "3s", "--slowlog-max-len", "3", "--client-idle-timeout", "9s"),
)


def decides(app: App) -> list[object]:
    """Return all by which *app* decides."""
    parts, shared = app.parts, app.parts.shared
    assert isinstance(parts.topology, Topology)
    table = {command.name: command for command in shared.table}
    found: list[object] = [
        *(shared.policy, parts.rules, parts.manner, parts.topology.master_wait, parts.opener.limit),
        *(parts.doorman.most, shared.slowlog.threshold, shared.home.share, parts.dialer._rules, table),
        *(parts.doorman.leases.most, shared.slowlog._kept.maxlen, app.settings.switch_grace),
        *(parts.topology.watched(), app.settings.client_idle_timeout, shared._falls is not None),
    ]
    return copy.deepcopy(found)  # some change in place


def test_everything_that_decides_decides_by_the_new_settings() -> None:
    async def body() -> tuple[list[object], list[object], list[object]]:
        found = [loaded(*KEPT)]
        reloaded = App(loaded(), lambda: found[0])
        reloaded.parts.finding.start()
        before = decides(reloaded)
        outcome = await reloaded.reloading.reload("a test")
        assert set(outcome.changed) >= {flag[2:].replace("-", "_") for flag in KEPT if flag.startswith("--")}
        new = App(loaded(*KEPT))
        new.parts.finding.start()
        found_now = decides(reloaded), decides(new)
        for app in (reloaded, new):
            await app.topology.stop()
        return before, *found_now

    before, now, wanted = asyncio.run(body())
    assert now == wanted
    assert [a != b for a, b in zip(before, now, strict=True)] == [True] * len(now)


def test_a_reload_without_a_change_changes_nothing_that_is_held() -> None:
    async def body() -> None:
        app = App(loaded(*KEPT), lambda: loaded(*KEPT))
        limits, tls = app.parts.rules.limits, app.parts.dialer._tls
        outcome = await app.reloading.reload("a test")

        assert outcome.changed == outcome.restart == outcome.problems == ()
        assert app.parts.rules.limits is limits
        assert app.parts.dialer._tls is tls

    asyncio.run(body())


def test_what_needs_a_restart_stays_and_the_rest_is_taken_up() -> None:
    async def body() -> None:
        app = App(loaded(), lambda: loaded("--listen", "127.0.0.1:1", "--consistency", "strict"))
        outcome = await app.reloading.reload("a test")

        assert (outcome.changed, outcome.restart) == (("consistency",), ("listen",))
        assert app.settings.consistency == "strict"
        assert [str(place) for place in app.settings.listen] == ["localhost:6379"]
        assert app.reloading.loaded.origins["listen"] == "default"

    asyncio.run(body())


def test_what_makes_sense_only_after_a_restart_is_refused_as_a_whole(tmp_path: Path) -> None:
    """`--accept-any-auth` goes with `--auth fixed`, which a reload cannot bring."""
    secret = tmp_path / "logins"
    secret.write_text("me:word")

    def read(*flags: str) -> Loaded[Settings]:
        env = {"PODMATES_REDIS_LOGINS_FILE": str(secret)}
        return load(Settings, PREFIX, ["--servers", "a:1", "--admin-listen", "", *flags], env)

    async def body() -> None:
        app = App(read("--auth", "local"), lambda: read("--accept-any-auth"))
        outcome = await app.reloading.reload("a test")

        assert outcome.problems
        assert not app.settings.accept_any_auth
        assert app.reloading.outcomes == {"success": 0, "failure": 1}

    asyncio.run(body())


def test_two_reloads_at_once_come_one_after_the_other() -> None:
    applied: list[str] = []
    modes = iter(("strict", "eventual"))

    def apply(settings: Settings, changed: Collection[str]) -> None:
        applied.append(settings.consistency)

    async def body() -> None:
        again = lambda: loaded("--consistency", next(modes))  # noqa: E731
        reloading = Reloading(loaded(), again, apply, Health())
        await asyncio.gather(reloading.reload("one"), reloading.reload("two"))

    asyncio.run(body())
    assert applied == ["strict", "eventual"]


@pytest.mark.parametrize("name", ["listen", "admin_listen", "auth", "config"])
def test_the_table_says_what_needs_a_restart(name: str) -> None:
    row = next(row for row in loaded().rows if row.name == name)
    assert "restart" in row.shown
