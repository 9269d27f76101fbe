"""The server that json_exporter's command line starts: probes, a page of its own metrics, nothing else."""

from __future__ import annotations

import asyncio
import html
import logging
import signal
from functools import partial

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from podmates_common.admin import About, routes
from podmates_common.health import Health
from podmates_common.logs import Condition
from podmates_common.version import VERSION
from podmates_metrics.access import Access
from podmates_metrics.admission import serve
from podmates_metrics.background import aside
from podmates_metrics.changes import compare
from podmates_metrics.collector import SelfMetrics
from podmates_metrics.json_exporter.loading import Loaded, read
from podmates_metrics.json_exporter.probes import CONTENT_TYPE, Probes
from podmates_metrics.json_exporter.settings import Settings
from podmates_metrics.metrics import CONFIG, PROBES
from podmates_metrics.reloading import Reloading, Taken
from podmates_metrics.trouble import done

log = logging.getLogger(__name__)


class JsonServer:
    """One server. The file is read again when it changes and on SIGHUP; a bad one changes nothing.

    Args:
        settings: the flags.
        loaded: the file.

    Raises:
        Fault: the web configuration cannot be used.
    """

    def __init__(self, settings: Settings, loaded: Loaded) -> None:
        self._settings, self._named = settings, loaded.named
        self._access = Access(settings.web_config_file)
        self._probes = Probes(
            loaded.modules, report=settings.json_probe_metrics, allowed=settings.json_allow_target
        )
        watching = {settings.config_file: loaded.watched}
        self._reloading = Reloading(watching, self._take_up, look=lambda _: settings.config_watch)
        self._registry = CollectorRegistry()
        own = [self._probes.totals, self._reloading.totals]
        self._registry.register(SelfMetrics(own, (*PROBES, *CONFIG)))
        ProcessCollector(registry=self._registry)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until *stop* is set.

        Raises:
            OSError: an address cannot be bound.
        """
        addresses = [address for address in self._settings.web_listen_address if address is not None]
        health = Health()
        health.expect("listeners", within=float("inf"))
        server = await serve(self._application(health), addresses, secure=self._access.secure)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reloading.ask)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # one that came meanwhile comes now
        looking = asyncio.create_task(self._look())
        reloading = asyncio.create_task(self._reloading.run())
        try:
            health.ok("listeners")
            listening = ",".join(map(str, server.addresses))
            log.info("ready", extra={"fields": {"web": listening, "modules": len(self._probes.modules)}})
            await stop.wait()
            health.draining = True
        finally:
            reloading.cancel()
            asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
            looking.cancel()
            await server.stop()

    async def _look(self) -> None:
        looking = Condition(log, "looking at the web port's files")
        while True:
            await asyncio.sleep(1)
            await done(self._access.look(), looking)

    async def _take_up(self) -> Taken:
        loaded, old = await aside(partial(read, self._settings.config_file), "configuration"), self._named
        self._probes.modules, self._named = loaded.modules, loaded.named
        fields = compare(old, loaded.named).fields()
        return Taken({self._settings.config_file: loaded.watched}, {"modules": len(loaded.modules), **fields})

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
