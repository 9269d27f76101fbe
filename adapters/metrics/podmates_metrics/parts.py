"""From configuration files to the parts of the adapter that they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podmates_metrics.config import Files
from podmates_metrics.settings import Settings
from podmates_metrics.sources.base import Source
from podmates_metrics.sources.pulled import pulled

if TYPE_CHECKING:
    from podmates_metrics.json_exporter.probes import Probes


def sources(settings: Settings, files: Files) -> list[Source]:
    """Return the sources that flags and files name."""
    made: list[Source] = [pulled(pull, files.ruleset(pull.name)) for pull in files.pulls]
    if files.logs:
        from podmates_metrics.sources.log import LogSource

        made += [LogSource(entry, files.ruleset(entry.name)) for entry in files.logs]
    several, deadline = len(files.jvms) > 1, settings.source_timeout
    if files.targets:
        from podmates_metrics.jmx.source import JmxSource

        for target in files.targets:
            views = files.bean_rules(target.label)
            made.append(JmxSource(target, deadline=deadline, labelled=several, views=views))
    for file in files.jmx:
        from podmates_metrics.jmx_exporter.files import sources as ruled

        made += ruled(file, deadline=deadline, labelled=several)
    return made


def listening(files: Files) -> tuple[str, str] | None:
    """Return where the statsd source of a native file listens, if there is one."""
    return (files.statsd.udp, files.statsd.tcp) if files.statsd else None


def probes(settings: Settings, files: Files, there: Probes | None) -> Probes | None:
    """Return what answers probes of the files' modules: what is *there*, if something is."""
    if there is not None:
        there.modules = files.modules
        return there
    if not files.modules:
        return None
    from podmates_metrics.json_exporter.probes import Probes  # late: few have such a file

    return Probes(files.modules, report=settings.json_probe_metrics, allowed=settings.json_allow_target)
