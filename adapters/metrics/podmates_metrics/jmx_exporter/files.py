"""jmx_exporter files as sources of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from podmates_metrics.jmx.session import Options
from podmates_metrics.jmx.source import JmxSource
from podmates_metrics.jmx.target import Target
from podmates_metrics.jmx_exporter.configuration import Configuration, decode
from podmates_metrics.jmx_exporter.watched import Watched
from podmates_metrics.tree import Fault, Tree


@dataclass(slots=True)
class JmxFile:
    """A file, and the JVMs that it is for.

    Attributes:
        standalone: it is that of the exporter's own command line, which makes no ``jvm_*`` metrics; else they
            are made, as by an agent, if the file does not say no.
    """

    path: str
    configuration: Configuration
    environ: Mapping[str, str]
    standalone: bool = False
    targets: tuple[Target, ...] = ()
    options: Options = field(default_factory=Options)


def decoded(path: str, tree: Tree | None, environ: Mapping[str, str], *, standalone: bool = False) -> JmxFile:
    """Return the file with the content *tree*; *standalone*: of the exporter's own command line.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    configuration = decode(tree, environ, standalone=standalone)
    target = configuration.target
    made = JmxFile(path, configuration, environ, standalone=standalone, targets=(target,) if target else ())
    made.options = Options(credentials=configuration.credentials)
    if configuration.http and configuration.http.encryption:
        from podmates_metrics.jmx_exporter.tls import served

        served(configuration.http.encryption)  # what is wrong with its stores is to be found here
    if configuration.encryption:
        from podmates_metrics.jmx_exporter.tls import context

        tls = context(configuration.encryption)
        registry = tls if configuration.registry_encrypted else None
        made.options = Options(credentials=configuration.credentials, tls=tls, registry_tls=registry)
    return made


def assign(files: Sequence[JmxFile], flagged: Sequence[Target]) -> list[Target]:
    """Give the JVMs of flags to the file that names none; return those that stay without a file.

    Raises:
        Fault: there are several such files, or no JVM for one.
    """
    without = [file for file in files if not file.targets]
    if not without:
        return list(flagged)
    if len(without) > 1:
        raise Fault(f"{without[1].path}: hostPort or jmxUrl is missing, and in {without[0].path} as well")
    if not flagged:
        raise Fault(f"{without[0].path}: hostPort or jmxUrl is missing, and there is no --jmx.target")
    without[0].targets = tuple(flagged)
    return []


def sources(file: JmxFile, *, deadline: float, labelled: bool) -> list[JmxSource]:
    """Return the sources that read the JVMs of *file*; *deadline* in seconds is a scrape's at most."""
    said = file.configuration
    limit = deadline if said.timeout is None else min(deadline, said.timeout)
    return [
        JmxSource(
            target,
            deadline=limit,
            options=file.options,
            labelled=labelled,
            views=Watched(file.path, file.environ, said, standalone=file.standalone),
        )
        for target in file.targets
    ]
