"""Puts the parts together and runs them from start to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import signal
import time
from collections.abc import Awaitable, Callable
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from podmates_common.errors import PodmatesError, UpstreamError
from podmates_common.health import Health
from podmates_common.lifecycle import until_stopped
from podmates_common.parse import Address
from podmates_common.redact import Redactor, Secret
from podmates_common.reference import shown
from podmates_common.settings import Loaded
from podmates_common.version import VERSION
from podmates_common.watching import Watched
from podmates_redis import descriptors, faults, metrics
from podmates_redis.clients.commons import Commons
from podmates_redis.clients.keyring import Keyring
from podmates_redis.clients.listening import Doorman, listen, remove_paths
from podmates_redis.cluster.cluster import Cluster
from podmates_redis.commands.table import builtin
from podmates_redis.engine import choice
from podmates_redis.operating.applying import Applying, set_up_log, take_up
from podmates_redis.operating.draining import drain
from podmates_redis.operating.finding import Finding
from podmates_redis.operating.gathering import Gathering, Parts
from podmates_redis.operating.live import Live
from podmates_redis.operating.reloading import Reloading
from podmates_redis.policies import manner, policy, rules
from podmates_redis.resources import for_clients
from podmates_redis.servers.asking import Asker
from podmates_redis.servers.pacing import Opener
from podmates_redis.servers.reaching import dialer, loudly
from podmates_redis.servers.reporting import Report
from podmates_redis.servers.topology import Topology
from podmates_redis.session.logins import parsed
from podmates_redis.session.shared import Shared
from podmates_redis.settings import Settings

if TYPE_CHECKING:
    from podmates_common.crowd import Crowd

T = TypeVar("T")
Login = tuple[bytes, bytes | None]

log = logging.getLogger(__name__)

_LOOK = 1.0  # seconds between two looks at the file of the settings


class App:
    """The running service; *again* reads its settings anew."""

    def __init__(
        self,
        loaded: Loaded[Settings],
        again: Callable[[], Loaded[Settings]] | None = None,
        *,
        pure: bool = False,
    ) -> None:
        live = Live(loaded.settings)
        self.settings = settings = live.settings
        self.health = Health()
        wanted = policy(settings)
        table = wanted.overrides.applied(builtin())
        self.shared = Shared(
            policy=wanted, table=table, learnt=False, clock=time.monotonic, chance=random.random
        )
        self.shared.ledger.limit = for_clients(settings.max_memory)
        if settings.auth == "local":
            self.shared.logins = Keyring(settings.logins)
        self.parts = self._parts()
        self.topology, self.doorman = self.parts.topology, self.parts.doorman
        loudly(settings, self.health)
        take_up(self.parts, settings)
        self.shared.resume = self.doorman.resume
        self.shared.login = self._login
        self.commons = self.parts.commons = self._commons(pure=pure)
        self.engine = choice.name(pure=pure) if self.commons else choice.PURE
        applying = Applying(self.parts, live, self.health, redactor(settings))
        self.reloading = Reloading(loaded, again or (lambda: loaded), applying.apply, self.health)
        self.gathering = Gathering(self.parts, engine=self.engine, reloads=self.reloading.outcomes)

    def _commons(self, *, pure: bool) -> Commons | None:
        """Return what plain clients share, where the engine can do what is asked."""
        settings = self.settings
        if not choice.fits(settings) or isinstance(self.topology, Cluster):
            return None
        engine = choice.engine(settings, self.shared.ledger.limit, pure=pure)
        commons = Commons(engine, self.topology, self.shared, settings)
        commons.counts.traffic = self.parts.dialer.counts
        self.doorman.commons, commons.door = commons, self.doorman
        self.topology.dependents.add(commons)
        return commons

    def _topology(self, shared: Shared, health: Health) -> Topology:
        """Return what watches a master and its replicas."""
        return Topology(
            shared,
            Report(health, critical=not self.settings.ready_without_master),
            self._ask,
            rules=self.rules,
            login=self._login,
            master_wait=self.settings.master_wait,
            opener=self.opener,
            manner=self.manner,
        )

    def _ask(self, address: Address) -> Asker:
        return Asker(address, self._login, self.dialer)

    def _parts(self) -> Parts:
        settings, shared = self.settings, self.shared
        self.dialer, sentinels = dialer(settings), dialer(settings, "sentinel_")
        self.opener = Opener(self.dialer, settings.connect_timeout)
        self.rules, self.manner = rules(settings), manner(settings)
        topology: Topology | Cluster
        if settings.cluster:
            topology = Cluster(settings.cluster, shared, self.health, build=self._topology, ask=self._ask)
        else:
            topology = self._topology(shared, self.health)
        # a sentinel has a password of its own, and that of the servers is not for it to see
        ask = lambda at: Asker(at, self._sentinel_login, sentinels)  # noqa: E731  (used once)
        return Parts(
            shared=shared,
            topology=topology,
            opener=self.opener,
            doorman=Doorman(topology, shared, settings, settings.max_clients),
            dialer=self.dialer,
            sentinel_dialer=sentinels,
            finding=Finding(topology, settings, self.dialer, ask, health=self.health),
            rules=self.rules,
            manner=self.manner,
        )

    def _login(self) -> Login:
        return _credentials(self.settings.username, self.settings.password)

    def _sentinel_login(self) -> Login:
        return _credentials(self.settings.sentinel_username, self.settings.sentinel_password)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until *stop* is set, then drain."""
        too_few = descriptors.raise_limit(self.settings.max_clients)
        asyncio.get_running_loop().set_exception_handler(faults.handler(self.shared.tally))
        if self.commons is not None:
            self.commons.start()
        servers, bound = await _bound(listen(self.settings.listen, self.doorman), "listen")
        admin = await self._start_admin(stop) if self.settings.admin_listen else None
        if too_few:
            log.warning("%s", too_few)
        self.parts.finding.start()
        self.gathering.start()
        watching = asyncio.get_running_loop().create_task(self._watch(self._hang_ups()))
        at = ",".join(map(str, admin.addresses)) if admin else "off"
        log.info("ready listen=%s admin=%s", ",".join(bound), at)
        try:
            await self._stopped(stop)
            self.health.draining = True
            await asyncio.sleep(self.settings.drain_delay)
            for server in servers:
                server.close()
            if self.commons is not None:
                self.commons.close()
            remove_paths(self.settings.listen)
            await drain(self.doorman, self.settings.drain_timeout)
        finally:
            watching.cancel()
            self.gathering.stop()
            self.parts.finding.stop()
            if self.commons is not None:
                self.commons.stop()
            await self.topology.stop()
            if admin:
                await admin.stop()

    async def _stopped(self, stop: asyncio.Event) -> None:
        """Wait until somebody stops the service.

        Raises:
            UpstreamError: with `--fail-fast`: there was no master in time.
        """
        if self.settings.fail_fast:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.settings.startup_wait):
                    await stop.wait()
            if not stop.is_set() and not self.topology.known():
                raise UpstreamError("--fail-fast: no server has said that it is the master")
        await stop.wait()

    @staticmethod
    def _hang_ups() -> asyncio.Event:
        """Return what SIGHUP sets from now on."""
        asked = asyncio.Event()
        with contextlib.suppress(ValueError, RuntimeError):  # signals are for the main thread only
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)
        return asked

    async def _watch(self, asked: asyncio.Event) -> None:
        """Take up the settings again when their file changes, or somebody asks for it."""
        file = Watched(self.settings.config)
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await asked.wait()
            if self.commons is not None:
                self.commons.permit()  # a replica's share of clients grows with time alone
            if asked.is_set():
                asked.clear()
                await self.reloading.reload("asked by a signal")
            elif file.changed():
                await self.reloading.reload("the file has changed")

    async def _start_admin(self, stop: asyncio.Event) -> Crowd:
        from podmates_common.admin import About, application
        from podmates_common.crowd import start
        from podmates_redis.operating import acting, pages

        about = About("podmates-redis", VERSION, {"engine": self.engine})
        registry = metrics.registry(self.gathering.sources())
        app = application(self.health, registry, about, look=self.gathering.look)
        app.add_routes(pages.routes(pages.Told(self.parts, self._shown)))
        reins = acting.Reins(self.parts, self.reloading, stop.set, self.settings.admin_token)
        app.add_routes(acting.routes(reins))
        assert self.settings.admin_listen is not None  # noqa: S101  (the caller looked)
        return await _bound(start(app, [self.settings.admin_listen], ()), "admin_listen")

    def _shown(self) -> list[dict[str, Any]]:
        """Return the settings and where they came from, without secrets."""
        found = self.reloading.loaded
        return [
            {"name": row.name, "value": shown(found.settings, row), "from": found.origins[row.name]}
            for row in found.rows
        ]


def _credentials(user: str, secret: Secret) -> Login:
    password = secret.reveal()  # read again each time, since it may have been rotated
    return user.encode(), password.encode() if password else None


def redactor(settings: Settings) -> Redactor:
    """Return what keeps the password out of the log."""
    found = Redactor()
    found.add(settings.password)
    found.add(settings.sentinel_password)
    found.add(settings.admin_token)
    for password in chain.from_iterable(parsed(settings.logins.reveal()).values()):
        found.add(password.decode())
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


def serve(loaded: Loaded[Settings], again: Callable[[], Loaded[Settings]], *, pure: bool = False) -> int:
    """Run the service until a signal ends it; return the exit status. *again* reads the settings anew."""
    settings = loaded.settings
    set_up_log(settings, redactor(settings))
    asyncio.run(until_stopped(App(loaded, again, pure=pure).run))
    return 0
