"""A jmx_exporter file that is looked at before every scrape, as the exporter does."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path

from podmates_common.files import TooLarge, read_small
from podmates_common.version import VERSION
from podmates_metrics.documents import MAX_FILE, load
from podmates_metrics.jmx_exporter.configuration import Configuration, decode
from podmates_metrics.jmx_exporter.view import RuledView
from podmates_metrics.sources.base import Family
from podmates_metrics.tree import Fault

log = logging.getLogger(__name__)
Mark = tuple[int, int, int]


def _read(path: str, environ: Mapping[str, str], *, standalone: bool) -> Configuration:
    """Return what the file says.

    Raises:
        Fault: it cannot be read, or is wrong; with file, line and key path.
    """
    tree = load(path)
    try:
        return decode(tree, environ, standalone=standalone)
    except Fault as error:
        raise Fault(f"{path}: {error}") from None


class Watched:
    """Gives the view of the file as it is; of one that became wrong the last good one.

    Args:
        configuration: what the file said at the start.
        standalone: it is that of the exporter's own command line: no ``jvm_*`` metrics beside the rules.
    """

    def __init__(
        self, path: str, environ: Mapping[str, str], configuration: Configuration, *, standalone: bool
    ) -> None:
        self._path, self._environ, self._standalone = path, environ, standalone
        self.made_of = (path, standalone)  # what the file says is looked at here
        self._view = RuledView(configuration, standard=not standalone)
        self._mark, self._digest = _mark(path), _digest(path)
        self._begins = time.monotonic() + configuration.start_delay
        self._good = self._bad = 0  # reloads

    def current(self) -> RuledView:
        """Return the view for the next scrape.

        Raises:
            OSError: `startDelaySeconds` are not over.
        """
        if time.monotonic() < self._begins:
            raise OSError("startDelaySeconds are not over")
        mark = _mark(self._path)
        if mark != self._mark:
            self._mark = mark
            digest = _digest(self._path)
            if digest != self._digest:
                self._digest = digest
                self._reload()
        return self._view

    def _reload(self) -> None:
        """Take up a file with another content; a bad one is said once."""
        old = self._view.configuration
        try:
            new = _read(self._path, self._environ, standalone=self._standalone)
            if new.connection != old.connection:
                lasting = "another JVM, password, encryption, httpServer or openTelemetry"
                raise Fault(f"{self._path}: {lasting} needs a restart")
        except Fault as error:
            self._bad += 1
            log.error("jmx_exporter file not loaded, the old rules stay: %s", error)
            return
        self._good += 1
        self._view = RuledView(new, standard=not self._standalone)
        log.info("jmx_exporter file loaded", extra={"fields": {"file": self._path, "rules": len(new.rules)}})
        for note in new.notes:
            log.warning("%s: %s", self._path, note)

    def families(self) -> list[Family]:
        """Return how often the file was taken up, and how often it could not be."""
        good = Family("jmx_config_reload_success_total", "counter", "Changes of the file that were taken up.")
        good.add(float(self._good))
        bad = Family("jmx_config_reload_failure_total", "counter", "Changes of the file that were wrong.")
        bad.add(float(self._bad))
        if not self._standalone:
            return [good, bad]
        build = Family("jmx_exporter_build_info", "gauge", "Always 1; what stands in for the exporter.")
        build.add(1.0, name="podmates-metrics", version=VERSION)
        return [good, bad, build]


def _mark(path: str) -> Mark | None:
    """Return what changes when the file does; None when there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _digest(path: str) -> bytes:
    try:
        return hashlib.sha256(read_small(path, MAX_FILE)).digest()
    except (OSError, TooLarge):
        return b""
