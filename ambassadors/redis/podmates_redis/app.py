"""Puts the parts together and runs them from start to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from podmates_common.errors import PodmatesError
from podmates_common.health import Health
from podmates_common.lifecycle import until_stopped
from podmates_common.logs import setup
from podmates_common.redact import Redactor
from podmates_common.version import VERSION
from podmates_redis import metrics
from podmates_redis.asking import Asker
from podmates_redis.listening import Doorman, listen, remove_paths
from podmates_redis.sentinels import Sentinels
from podmates_redis.settings import Settings
from podmates_redis.shared import Policy, Shared
from podmates_redis.topology import Topology

if TYPE_CHECKING:
    from podmates_common.admin import Server

T = TypeVar("T")

log = logging.getLogger(__name__)

_LAST_WORDS = 1.0  # seconds for clients whose time is up


class App:
    """The running service."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.health = Health()
        self.shared = Shared(policy=policy(settings))
        self.topology = Topology(
            self.shared,
            self.health,
            lambda address: Asker(address, self._login),
            max_lag=0 if settings.consistency == "eventual" else settings.max_lag_bytes,
            login=self._login,
        )
        self.doorman = Doorman(self.topology, self.shared, settings, settings.max_clients)

    def _login(self) -> tuple[bytes, bytes | None]:
        password = self.settings.password.reveal()
        return self.settings.username.encode(), password.encode() if password else None

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until *stop* is set, then drain."""
        servers, bound = await _bound(listen(self.settings.listen, self.doorman), "listen")
        admin = await self._start_admin() if self.settings.admin_listen else None
        sentinels = self._watch_sentinels()
        self.topology.watch(self.settings.servers)
        at = ",".join(map(str, admin.addresses)) if admin else "off"
        log.info("ready listen=%s admin=%s", ",".join(bound), at)
        try:
            await stop.wait()
            self.health.draining = True
            for server in servers:
                server.close()
            remove_paths(self.settings.listen)
            await self._drain()
        finally:
            if sentinels:
                sentinels.cancel()
            await self.topology.stop()
            if admin:
                await admin.stop()

    def _watch_sentinels(self) -> asyncio.Task[None] | None:
        settings = self.settings
        if not settings.sentinels:
            return None
        # a sentinel has a password of its own, and ours is not for it to see
        found = Sentinels(settings.sentinels, settings.sentinel_master, lambda at: Asker(at, _nobody))
        return asyncio.get_running_loop().create_task(found.follow(self.topology))

    async def _start_admin(self) -> Server:
        from podmates_common.admin import About, Server, application

        about = About("podmates-redis", VERSION, {"engine": "asyncio"})
        app = application(self.health, metrics.registry(self._sources()), about)
        assert self.settings.admin_listen is not None  # noqa: S101  (the caller looked)
        return await _bound(Server.start(app, [self.settings.admin_listen]), "admin_listen")

    async def _drain(self) -> None:
        log.info("draining clients=%d", len(self.topology.clients))
        for client in list(self.topology.clients):
            client.drain()
        await self._until_empty(self.settings.drain_timeout)
        for client in list(self.topology.clients):
            client.close()
        await self._until_empty(_LAST_WORDS)

    async def _until_empty(self, seconds: float) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while self.topology.clients and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)

    def _sources(self) -> Mapping[str, Callable[[], Iterable[metrics.Value]]]:
        tally, topology, doorman = self.shared.tally, self.topology, self.doorman
        prefix = "redis_ambassador_"
        return {
            prefix + "commands_total": lambda: tally.commands.items(),
            prefix + "reads_total": lambda: tally.reads.items(),
            prefix + "retries_total": lambda: (((cause,), n) for cause, n in tally.retries.items()),
            prefix + "failovers_total": lambda: [((), topology.failovers)],
            prefix + "clients": self._clients,
            prefix + "clients_total": lambda: [((), doorman.accepted)],
            prefix + "clients_rejected_total": lambda: [((), doorman.rejected)],
            prefix + "protocol_errors_total": lambda: [((), tally.broken)],
            prefix + "upstream_up": topology.roles,
            prefix + "upstream_lag_bytes": topology.lags,
            prefix + "upstream_clients": lambda: (((f.name,), f.clients) for f in self.shared.followers),
        }

    def _clients(self) -> list[metrics.Value]:
        sessions = [client.session for client in self.topology.clients]
        blocked = sum(session.blocked is not None for session in sessions)
        subscribed = sum(session.subscriptions.active() for session in sessions)
        return [(("connected",), len(sessions)), (("blocked",), blocked), (("subscribed",), subscribed)]


def _nobody() -> tuple[bytes, bytes | None]:
    return b"", None


def policy(settings: Settings) -> Policy:
    """Return what the settings say about single commands."""
    return Policy(
        consistency=settings.consistency,
        read_from=settings.read_from,
        administrative=settings.admin_commands == "allow",
        passthrough=settings.auth == "passthrough",
    )


def redactor(settings: Settings) -> Redactor:
    """Return what keeps the password out of the log."""
    found = Redactor()
    found.add(settings.password)
    return found


async def _bound(work: Awaitable[T], setting: str) -> T:
    """Wait for *work*, which binds the addresses of *setting*.

    Raises:
        PodmatesError: an address cannot be bound.
    """
    try:
        return await work
    except OSError as error:
        raise PodmatesError(f"{setting}: {error.strerror or error}") from None


def serve(settings: Settings) -> int:
    """Run the service until a signal ends it; return the exit status."""
    setup(form=settings.log_format, level=settings.log_level, redactor=redactor(settings))
    asyncio.run(until_stopped(App(settings).run))
    return 0
