"""How the servers are found: listed, by names, or by sentinels; begun anew when that changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from podmates_common.health import Health
from podmates_common.parse import Address
from podmates_redis.cluster.cluster import Cluster
from podmates_redis.servers.asking import Asker
from podmates_redis.servers.dialing import Dialer
from podmates_redis.servers.names import Names
from podmates_redis.servers.sentinels import COMPONENT, Sentinels
from podmates_redis.servers.topology import Topology
from podmates_redis.settings import Settings

# the settings that say where to look
SETTINGS = frozenset(["servers", "sentinels", "sentinel_master", "dns", "dns_stale"])


class Finding:
    """Has *topology* watch the servers that *settings* name; *ask* makes who asks a sentinel.

    What the sentinels are like stands in *health*.

    Attributes:
        sentinels: who is asked, if the settings say so.
    """

    def __init__(
        self,
        topology: Topology | Cluster,
        settings: Settings,
        dialer: Dialer,
        ask: Callable[[Address], Asker],
        *,
        health: Health,
    ) -> None:
        self._health = health
        self._topology, self._settings, self._dialer, self._ask = topology, settings, dialer, ask
        self._task: asyncio.Task[None] | None = None
        self.sentinels: Sentinels | None = None

    def start(self) -> None:
        """Begin, or begin anew by the settings as they are now."""
        self.stop()
        settings, topology = self._settings, self._topology
        if isinstance(topology, Cluster):
            self._task = topology.start()
            return
        if settings.sentinels:
            self.sentinels = Sentinels(
                settings.sentinels, settings.sentinel_master, self._ask, health=self._health
            )
            self._task = asyncio.get_running_loop().create_task(self.sentinels.follow(topology))
            return
        if self.sentinels is not None:
            self.sentinels = None
            self._health.forget(COMPONENT)
            topology.claimed(None)
        if settings.dns:
            names = Names(settings.dns, settings.dns_stale, self._dialer)
            self._task = asyncio.get_running_loop().create_task(names.follow(topology))
            return
        topology.watch(settings.servers, gently=True)

    def stop(self) -> None:
        """Look no more; who is watched is watched on."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
