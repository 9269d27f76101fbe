"""The server that json_exporter's command line starts: probes, a page of its own metrics, nothing else."""

from __future__ import annotations

import asyncio
import html
import logging
import signal
from collections.abc import Iterable

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from podmates_common.admin import About, Server, routes
from podmates_common.health import Health
from podmates_common.version import VERSION
from podmates_metrics.access import Access
from podmates_metrics.collector import families
from podmates_metrics.json_exporter.core.modules import Modules
from podmates_metrics.json_exporter.loading import read
from podmates_metrics.json_exporter.probes import CONTENT_TYPE, Probes
from podmates_metrics.json_exporter.settings import Settings
from podmates_metrics.metrics import PROBES
from podmates_metrics.tree import Fault

log = logging.getLogger(__name__)


class JsonServer:
    """One server. SIGHUP reads the file again; a bad one leaves the modules as they are.

    Raises:
        Fault: the web configuration cannot be used.
    """

    def __init__(self, settings: Settings, modules: Modules) -> None:
        self._settings = settings
        self._access = Access(settings.web_config_file)
        self._probes = Probes(
            modules.by_name, report=settings.json_probe_metrics, allowed=settings.json_allow_target
        )
        self._registry = CollectorRegistry()
        self._registry.register(_Own(self._probes))
        ProcessCollector(registry=self._registry)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until *stop* is set.

        Raises:
            OSError: an address cannot be bound.
        """
        addresses = [address for address in self._settings.web_listen_address if address is not None]
        health = Health()
        health.expect("listeners", within=float("inf"))
        server = await Server.start(self._application(health), addresses, secure=self._access.context)
        looking = asyncio.create_task(self._look())
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # one that came meanwhile comes now
        try:
            health.ok("listeners")
            listening = ",".join(map(str, server.addresses))
            log.info("ready", extra={"fields": {"web": listening, "modules": len(self._probes.modules)}})
            await stop.wait()
            health.draining = True
        finally:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
            looking.cancel()
            await server.stop()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(1)
            self._access.look()

    def reload(self) -> None:
        """Read the file again."""
        try:
            self._probes.modules = read(self._settings.config_file).by_name
        except Fault as error:
            log.error("configuration not loaded, the old modules stay: %s", error)
        else:
            log.info("configuration loaded", extra={"fields": {"modules": len(self._probes.modules)}})

    def _application(self, health: Health) -> web.Application:
        app = web.Application(client_max_size=64 * 1024, middlewares=[self._access.guard])
        telemetry = self._settings.web_telemetry_path
        about = About("podmates-metrics", VERSION, {"started_as": "json_exporter"})
        taken = {"/metrics", telemetry, "/probe"}
        app.add_routes([route for route in routes(health, self._registry, about) if route.path not in taken])
        app.router.add_route("*", "/probe", self._probes.handle)
        app.router.add_route("*", telemetry, self._metrics)
        if telemetry != "/":
            app.router.add_route("*", "/", self._landing)
        return app

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE})

    async def _landing(self, _: web.Request) -> web.Response:
        path = html.escape(self._settings.web_telemetry_path)
        page = (
            "<!doctype html><title>podmates metrics adapter</title><h1>podmates metrics adapter</h1>"
            f'<p><a href="{path}">Metrics</a> {path}</p>'
            '<form action="/probe"><label>Module <input name="module" value="default"></label>'
            '<label>Target <input name="target"></label><input type="submit" value="Probe"></form>\n'
        )
        return web.Response(text=page, content_type="text/html")


class _Own(Collector):
    """The metrics about probes."""

    def __init__(self, probes: Probes) -> None:
        self._probes = probes

    def collect(self) -> Iterable[Metric]:
        return families(PROBES, self._probes.totals())
