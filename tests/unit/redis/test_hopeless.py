"""Nobody waits for a master when there has been none for long."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import pytest

from podmates_common.health import Health
from podmates_common.parse import Address
from podmates_redis.clients.pair import Pair
from podmates_redis.clients.wants import Limits, World
from podmates_redis.servers.asking import Asker
from podmates_redis.servers.reporting import Report
from podmates_redis.servers.topology import Topology
from tests.unit.redis.rig import Rig, shared


class Nowhere:
    """A world whose master is away."""

    def __init__(self, *, hopeless: bool) -> None:
        self._hopeless = hopeless

    def master(self) -> Address | None:
        return None

    def known(self) -> bool:
        return True

    def hopeless(self) -> bool:
        return self._hopeless

    def serving(self) -> bool:
        return True

    async def changed(self) -> None:
        await asyncio.Event().wait()


class Patience:
    """The settings that matter here."""

    def __init__(self, master_wait: float) -> None:
        self.master_wait = self.startup_wait = master_wait


def raise_it(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(("hopeless", "wait"), [(True, 9999.0), (False, 0.01)])
def test_a_command_waits_for_a_master_only_while_there_is_hope(hopeless: bool, wait: float) -> None:
    async def body() -> None:
        rig, told = Rig(shared(replica=False), up=False), asyncio.Event()
        world, limits = cast(World, Nowhere(hopeless=hopeless)), cast(Limits, Patience(wait))
        pair = Pair(rig.session, world, limits, flush=told.set, fail=raise_it)
        rig.send("SET k v")
        pair.work()
        assert rig.told() == b""
        async with asyncio.timeout(30):
            await told.wait()
        assert rig.told().startswith(b"-READONLY ")
        pair.close()

    asyncio.run(body())


@pytest.mark.parametrize(
    ("gone", "wait", "hopeless"),
    [(1.0, 2.0, False), (11.0, 2.0, True), (11.0, 30.0, False), (31.0, 30.0, True)],
)
def test_hope_lasts_ten_seconds_or_as_long_as_a_command_waits(
    gone: float, wait: float, hopeless: bool
) -> None:
    ask, login = lambda _: cast(Asker, None), lambda: (b"", None)
    topology = Topology(shared(), Report(Health()), ask, login=login, master_wait=wait)
    assert not topology.hopeless()
    topology.report.absence.look(time.monotonic() - gone, True)
    assert topology.hopeless() is hopeless
