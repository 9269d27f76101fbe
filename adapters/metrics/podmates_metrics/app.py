"""The running adapter: sockets, sources, clock and web port around the engine."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

from podmates_common.admin import About
from podmates_common.crowd import Crowd
from podmates_common.health import Health
from podmates_common.logs import Condition
from podmates_metrics.access import Access
from podmates_metrics.admission import serve
from podmates_metrics.background import aside
from podmates_metrics.changes import compare
from podmates_metrics.collector import Own
from podmates_metrics.config import Files
from podmates_metrics.exposition import text
from podmates_metrics.metrics import PROCESS, RESERVED, STATSD
from podmates_metrics.otlp.starting import pusher
from podmates_metrics.parts import listening, probes, sources
from podmates_metrics.readers import Readers
from podmates_metrics.reloading import Reloading, Taken
from podmates_metrics.scraping import Found, Scraping
from podmates_metrics.settings import Settings, listener
from podmates_metrics.sources.gather import Gatherer
from podmates_metrics.statsd.affected import affected
from podmates_metrics.statsd.engine import Engine, Totals
from podmates_metrics.statsd.line import Styles
from podmates_metrics.statsd.listeners import Datagrams, nobody
from podmates_metrics.statsd.mapper import Mapper
from podmates_metrics.statsd.relay import Relay
from podmates_metrics.statsd.sockets import socket_totals
from podmates_metrics.statsd.store import Store
from podmates_metrics.statsd.streams import Streams
from podmates_metrics.tree import Fault
from podmates_metrics.trouble import done, going_on
from podmates_metrics.web import HEALTHY, JMX_HEALTHY, Pages, application

log = logging.getLogger(__name__)
_LISTENERS = "own listeners"  # no source's name has a blank


class App:
    """One adapter.

    Args:
        settings: the flags.
        files: the configuration files.
        twin: module of the hot path.
        about: what `/version` says.
        read: reads the configuration files again.
    """

    def __init__(
        self, settings: Settings, files: Files, twin: Any, about: About, *, read: Callable[[], Files]
    ) -> None:
        self.settings, self._files, self._about, self._read = settings, files, about, read
        self.health = Health()
        self._http = files.http_server
        self._access = Access(settings.web_config_file, self._http)
        self._stop: asyncio.Event | None = None
        limit, window = settings.statsd_max_series, settings.statsd_set_window
        store = Store(twin.Cell, reserved=RESERVED, limit=limit, window=window)
        self.engine = Engine(twin, self._mapper(files), _styles(settings, files), store=store)
        self._gatherer = Gatherer(
            sources(settings, files), self.health, critical=settings.ready_require_targets
        )
        readers = Readers()
        self._udp: Datagrams | None = None
        self._unix: Datagrams | None = None
        self._tcp: Streams | None = None
        self._stream: Streams | None = None
        self._relay: Relay | None = None
        self._probes = probes(settings, files, None)
        self._pusher = pusher(files.push, self._look, about.version)
        self._reloading = Reloading(
            files.watching, self._take_up, look=self._looked_at, outcomes=self.engine.reloads
        )
        own = [
            self.engine.totals,
            self._gatherer.totals,
            self._totals,
            self._reloading.totals,
            readers.totals,
        ]
        self._scraping = Scraping(
            store.families,
            self._gatherer,
            Own([*own, *([self._pusher.totals] if self._pusher else [])]),
            readers=readers,
            timeout=settings.source_timeout,
            hidden=self._hidden,
            numbers=getattr(twin, "numbers", text.numbers),
        )

    def _mapper(self, files: Files) -> Mapper:
        settings, rules = self.settings, files.statsd_rules()
        if rules is not None and files.statsd is not None:
            from podmates_metrics.statsd.ruled import Ruled

            name, recent = files.statsd.name, settings.statsd_cache_type == "lru"
            return Ruled(rules, name, settings.statsd_cache_size, recent=recent)
        return Mapper(files.mapping, settings.statsd_cache_size, recent=settings.statsd_cache_type == "lru")

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until *stop* is set.

        Raises:
            OSError: a socket cannot be opened.
        """
        self._stop = stop
        self.health.expect(_LISTENERS, within=float("inf"))
        tasks: list[asyncio.Task[None]] = []
        server: Crowd | None = None
        try:
            await self._listen()
            if where := self.settings.web_listen_address:
                server = await serve(application(self._pages()), [where], secure=self._access.secure)
            self.health.ok(_LISTENERS)
            self._announce(server)
            tasks = [asyncio.create_task(job) for job in self._jobs()]
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reloading.ask)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # one that came meanwhile comes now
            await stop.wait()
            self.health.draining = True
        finally:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
            await self._close(tasks, server)

    def _jobs(self) -> list[Any]:
        jobs = [self._sweep(), self._gatherer.run(), self._reloading.run()]
        return jobs + [part.run() for part in (self._relay, self._pusher) if part]

    async def _close(self, tasks: Sequence[asyncio.Task[None]], server: Crowd | None) -> None:
        closing = Condition(log, "closing")
        for part in (self._udp, self._unix, self._tcp, self._stream):
            with going_on(closing):
                if part is not None:
                    part.close()
        for task in tasks:
            task.cancel()
        if self._pusher is not None:
            await asyncio.gather(*tasks, return_exceptions=True)  # a push that was under way is over
            await done(self._pusher.close(), closing)
        last = [self._gatherer.close(), *([server.stop()] if server is not None else [])]
        await asyncio.gather(*(done(work, closing) for work in last))
        if self._relay is not None:
            self._relay.close()

    async def _listen(self) -> None:
        settings, own = self.settings, self._files.statsd
        udp = listener(own.udp) if own else settings.statsd_listen_udp
        tcp = listener(own.tcp) if own else settings.statsd_listen_tcp
        if settings.statsd_relay_address:
            self._relay = Relay(settings.statsd_relay_address, settings.statsd_relay_packet_length)
        # A relay gets every line, which Python has to see then.
        threaded = nobody if self._relay else self.engine.receiver
        if udp:
            self._udp = Datagrams.udp(udp, self._feed, settings.statsd_read_buffer, threaded=threaded)
        path, mode = settings.statsd_listen_unixgram, settings.statsd_unixsocket_mode
        if mode is None and (path or settings.statsd_listen_unix):
            log.warning("statsd.unixsocket-mode: not octal digits; the mode is left alone")
        if path:
            size = settings.statsd_read_buffer
            self._unix = Datagrams.unix(path, self._feed, size, mode, threaded=threaded)
        if tcp:
            self._tcp = Streams(self._feed)
            await self._tcp.tcp(tcp)
        if settings.statsd_listen_unix:
            self._stream = Streams(self._feed)
            await self._stream.unix(settings.statsd_listen_unix, mode)

    def _announce(self, server: Crowd | None) -> None:
        parts = {
            "web": server.addresses[0] if server else "off",
            "udp": self._udp.address if self._udp else "off",
            "tcp": self._tcp.address if self._tcp else "off",
            "unixgram": self.settings.statsd_listen_unixgram or "off",
            "unix": self.settings.statsd_listen_unix or "off",
            "parser": self._about.detail["parser"],
            "rules": len(self.engine.mapper.mapping.rules),
        }
        log.info("ready", extra={"fields": parts})

    def _feed(self, data: bytes) -> None:
        if self._relay is not None:
            self._relay.feed(data)
        self.engine.feed(data, time.monotonic())

    async def _sweep(self) -> None:
        looking = Condition(log, "looking at the web port's files")
        while True:
            await asyncio.sleep(1)
            self.engine.sweep(time.monotonic(), time.time())
            await done(self._access.look(), looking)

    def _looked_at(self, path: str) -> bool:
        """Tell whether a file is read again without being asked to; the original's mapping file has a say."""
        own = path == self.settings.statsd_mapping_config
        return self.settings.statsd_mapping_watch if own else self.settings.config_watch

    async def _take_up(self) -> Taken:
        """Read all files again and put them in force.

        Raises:
            Fault: something is wrong with them; nothing has changed.
        """
        files, old = await aside(self._read, "configuration"), self._files
        if listening(files) != listening(old):
            raise Fault("the addresses of the statsd source have changed: that needs a restart")
        if files.push != old.push:
            raise Fault("where figures are pushed to has changed: that needs a restart")
        self._files = files
        before, mapper = self.engine.mapper, self._mapper(files)
        moved = affected(before, mapper) if type(before) is type(mapper) else []
        self.engine.use(mapper)
        self._probes = probes(self.settings, files, self._probes)
        await self._gatherer.replace(sources(self.settings, files))
        for note in files.notes:
            log.warning("%s", note)
        fields: dict[str, object] = dict(compare(old.named, files.named).fields())
        if moved:
            fields |= {"moved": len(moved), "such_as": "; ".join(moved[:5])}
        return Taken(files.watching, fields)

    async def _look(self, patience: float) -> Found:
        return await self._scraping.look(patience)

    def _hidden(self) -> list[str]:
        """Return which of our own metrics are not told; a JVM's process_* mean it also while it is away."""
        jvms, alone = self._files.standard_jvms, self._files.standalone
        return [*(PROCESS if jvms else ()), *(STATSD if alone else ())]

    def _pages(self) -> Pages:
        lifecycle = self.settings.web_enable_lifecycle
        return Pages(
            health=self.health,
            about=self._about,
            telemetry=(self._http and self._http.path) or self.settings.web_telemetry_path,
            healthy=JMX_HEALTHY if self._files.standalone else HEALTHY,
            standalone=self._files.standalone,
            scrape=self._scraping.scrape,
            openmetrics=lambda: self._files.shapes == {"native"},
            utf8=lambda: any(rule.utf8 for rule in self._files.rules),
            reload=self._reloading.reload if lifecycle else None,
            quit=self._quit if lifecycle else None,
            trials=lifecycle,
            guard=self._access.guard,
            ready=self._unready,
            probe=lambda: self._probes.handle if self._probes and self._files.modules else None,
        )

    def _unready(self) -> str:
        return "; ".join(f"{name}: {why}" for name, why in self.health.problems().items() if why)

    def _quit(self) -> None:
        if self._stop is not None:
            self._stop.set()

    def _totals(self) -> Totals:
        own = "statsd_exporter_"
        build = (self._about.version, self._about.detail["parser"])
        totals: Totals = {f"{own}build_info": {build: 1}}
        if self._files.statsd is not None:  # which is asked nothing
            totals["podmates_source_up"] = {(self._files.statsd.name,): 1}
        totals |= socket_totals(self._udp, self._unix, self._tcp, self._stream)
        totals |= self._probes.totals() if self._probes else {}
        return totals | (self._relay.totals() if self._relay else {})


def _styles(settings: Settings, files: Files) -> Styles:
    return Styles(
        settings.statsd_parse_dogstatsd_tags,
        settings.statsd_parse_influxdb_tags,
        settings.statsd_parse_librato_tags,
        settings.statsd_parse_signalfx_tags,
        settings.statsd_container_label,
        settings.statsd_dogstatsd_extensions or files.statsd is not None,
    )
