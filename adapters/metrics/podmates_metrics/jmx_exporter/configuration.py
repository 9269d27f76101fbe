"""A jmx_exporter file: from a tree to what the adapter does; what is wrong is found at load. No I/O.

Keys that the exporter does not know either are ignored as it ignores them, with a note for the log; keys
that it knows and we do not offer are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from podmates_metrics.jmx.messages import Credentials
from podmates_metrics.jmx.target import Target, parse_target
from podmates_metrics.jmx_exporter.customizers import Customizer, decode_customizers
from podmates_metrics.jmx_exporter.encryption import Encryption, decode_encryption
from podmates_metrics.jmx_exporter.httpserver import HttpServer, decode_http_server
from podmates_metrics.jmx_exporter.rules import Rule, boolean, decode_rules, seconds
from podmates_metrics.jmx_exporter.selection import Selection, decode_selection
from podmates_metrics.jmx_exporter.shape import KEYS
from podmates_metrics.jmx_exporter.telemetry import decode_telemetry
from podmates_metrics.otlp.config import Push
from podmates_metrics.tree import Keys, Place, Scalar, Table, Tree, keys

_EVERYTHING = Selection()
_VARIABLE = re.compile(r"\$\{(.+)\}", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a file says.

    Attributes:
        target: the JVM; None when the file names none, as those of the agent.
        registry_encrypted: with encryption the registry is asked by TLS as well.
        rules: none at all means that nothing is exported.
        start_delay: seconds from the start until the JVM is read.
        timeout: seconds that a scrape may take; None: what the adapter's settings say.
        standard: the JVM's own metrics are wanted.
        http: the web port of the standalone exporter.
        push: where the standalone exporter sends its figures.
        notes: sentences for the log.
    """

    target: Target | None = None
    credentials: Credentials | None = None
    encryption: Encryption | None = None
    registry_encrypted: bool = True
    rules: tuple[Rule, ...] = (Rule(),)
    selection: Selection = _EVERYTHING
    customizers: tuple[Customizer, ...] = ()
    lower_names: bool = False
    lower_labels: bool = False
    infer_counters: bool = False
    standard: bool = True
    start_delay: int = 0
    timeout: int | None = None
    http: HttpServer | None = None
    push: Push | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def connection(self) -> tuple[object, ...]:
        """What cannot change without a restart."""
        return self.target, self.credentials, self.encryption, self.http, self.push


def decode(tree: Tree | None, environ: Mapping[str, str], *, standalone: bool = False) -> Configuration:
    """Return what a file says.

    Args:
        tree: its content.
        environ: for names and passwords written as ``${NAME}``.
        standalone: the file is that of the exporter's own command line, and says who may see the page, and
            who is sent it.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    top = keys(tree or Table({}, {}, 1), Place("", 1), "file")
    if "openTelemetry" in top.table.entries and not standalone:
        raise top.place("openTelemetry").fault("is for the standalone command; use otlp in a native file")
    if "httpServer" in top.table.entries and not standalone:
        raise top.place("httpServer").fault("is for the standalone command; use the flags --web.*")
    resolve = _resolver(environ)
    http, without_effect = decode_http_server(top, resolve)
    push, silent = decode_telemetry(top, environ)
    encryption, unmatched = decode_encryption(top)
    jvm = not top.scalar("excludeJvmMetrics", boolean, False)
    top.scalar("autoExcludeObjectNameAttributes", boolean, True)  # what never gives a sample is never read
    rules, notes = _rules(top)
    customizers, more = decode_customizers(top.list_at("metricCustomizers"))
    return Configuration(
        target=_target(top),
        credentials=_credentials(top, resolve),
        encryption=encryption,
        registry_encrypted=environ.get("RMI_REGISTRY_SSL_DISABLED", "").lower() != "true",
        rules=rules,
        selection=decode_selection(top, jvm),
        customizers=customizers,
        lower_names=top.scalar("lowercaseOutputName", boolean, False),
        lower_labels=top.scalar("lowercaseOutputLabelNames", boolean, False),
        infer_counters=top.scalar("inferCounterTypeFromName", boolean, False),
        standard=jvm,
        start_delay=top.scalar("startDelaySeconds", seconds(0), 0),
        timeout=top.scalar("scrapeTimeoutSeconds", seconds(1), None),
        http=http,
        push=push,
        notes=(*_strange(top), *without_effect, *unmatched, *silent, *notes, *more),
    )


def _strange(top: Keys) -> list[str]:
    found = [key for key in top.table.entries if key not in KEYS and key != "rules"]
    return [f"line {top.place(key).line}: {key}: unknown" for key in found]


def _rules(top: Keys) -> tuple[tuple[Rule, ...], list[str]]:
    if "rules" not in top.table.entries:
        return (Rule(),), []
    if top.get("rules") is None:
        raise top.place("rules").fault("want a list of rules; without any, leave the key out")
    return decode_rules(top.list_at("rules"))


def _target(top: Keys) -> Target | None:
    place, url = top.text("hostPort"), top.text("jmxUrl")
    if "hostPort" in top.table.entries and "jmxUrl" in top.table.entries:
        raise top.place("jmxUrl").fault("there is a hostPort already; at most one of both")
    if not place and not url:
        return None
    try:
        return parse_target(place or url)
    except ValueError as error:
        raise top.place("hostPort" if place else "jmxUrl").fault(str(error)) from None


def _credentials(top: Keys, resolve: Callable[[Scalar], str]) -> Credentials | None:
    username, password = top.scalar("username", resolve, ""), top.scalar("password", resolve, "")
    return Credentials(username, password) if username and password else None


def _resolver(environ: Mapping[str, str]) -> Callable[[Scalar], str]:
    """Return what puts in the value of a variable for a text that is ``${NAME}`` and nothing else."""

    def resolve(scalar: Scalar) -> str:
        found = _VARIABLE.fullmatch(scalar.text.strip())
        if not found:
            return scalar.text
        value = environ.get(found[1], "").strip()
        if not value:
            raise ValueError(f"environment variable {found[1][:60]} is not set, or blank")
        return value

    return resolve
