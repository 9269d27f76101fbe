"""json_exporter's file, decoded: modules, and in each the metrics to extract.

Keys that nobody knows are passed over, as json_exporter does, and told in *notes*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from podmates_metrics.json_exporter.core import client, paths
from podmates_metrics.json_exporter.core.bodies import Body, Refused
from podmates_metrics.json_exporter.core.bodies import parse as parse_body
from podmates_metrics.json_exporter.core.secrets import note_unknown
from podmates_metrics.sources.base import Kind
from podmates_metrics.tree import Keys, Place, Scalar, Tree, flag, keys, whole

_FOREIGN = re.compile(r"[^a-zA-Z0-9_:]")
_FOREIGN_LABEL = re.compile(r"[^a-zA-Z0-9_]")
_KINDS: dict[str, Kind] = {"gauge": "gauge", "counter": "counter"}
_HOP = frozenset({"content-length", "transfer-encoding", "trailer", "host"})  # Go's client sets these itself
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Metric:
    """One series, or with *each* one for every match of it."""

    name: str  # as Prometheus allows it
    kind: Kind
    help: str
    each: paths.Template | None  # where the records are; None: the document is the only one
    value: paths.Template
    labels: dict[str, paths.Template]  # by name, sorted
    timestamp: paths.Template | None  # milliseconds
    lenient: bool  # a missing key is no failure


@dataclass(frozen=True, slots=True)
class Module:
    name: str
    metrics: tuple[Metric, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: Body | None = None
    statuses: frozenset[int] = frozenset()  # empty: 2xx
    client: client.Client = field(default_factory=client.Client)
    fault: str = ""  # why it yields nothing, told at each probe


@dataclass(frozen=True, slots=True)
class Modules:
    by_name: dict[str, Module]
    notes: tuple[str, ...]  # what in the file has no effect, with its place


def decode(tree: Tree | None) -> Modules:
    """Return the modules of a file.

    Raises:
        Fault: a value has the wrong form, or cannot be had.
    """
    if tree is None:
        return Modules({}, ())
    top = keys(tree, Place("", 1), "config")
    notes: list[str] = []
    named = top.table_at("modules", "modules")
    found: dict[str, Module] = {}
    for name in named.table.entries if named else ():
        inner = named.table_at(name, "module") if named else None
        found[name] = _module(name, inner, notes) if inner else Module(name)
    note_unknown(top, notes)
    return Modules(found, tuple(notes))


def _module(name: str, told: Keys, notes: list[str]) -> Module:
    metrics: list[Metric] = []
    fault = ""
    for number, item in enumerate(told.list_at("metrics")):
        place = Place(f"{told.path}.metrics[{number}]", item.line)
        if isinstance(item, Scalar) and item.tag == "null":
            continue
        more, why = _metrics(keys(item, place, "metric"), notes)
        metrics += more
        fault = fault or why
    module = Module(
        name,
        () if fault else tuple(metrics),
        _headers(told, notes),
        _body(told, notes),
        frozenset(_statuses(told)),
        client.decode(told.table_at("http_client_config", "http_client_config"), notes),
        fault,
    )
    note_unknown(told, notes)
    return module


def _statuses(told: Keys) -> list[int]:
    place = told.place("valid_status_codes")
    found = []
    for item in told.list_at("valid_status_codes"):
        try:
            found.append(whole(item) if isinstance(item, Scalar) else 0)
        except ValueError as error:
            raise place.fault(str(error)) from None
    return found


def _headers(told: Keys, notes: list[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for name, value in told.texts_at("headers").items():
        place = told.place("headers")
        if not _HEADER.fullmatch(name):
            raise place.fault("a name that is no header's")  # untold: a secret may stand there
        if _CONTROL.search(value):
            raise place.fault(f"{name!r} cannot be sent as a header")
        if name.lower() in _HOP:
            notes.append(str(place.fault(f"{name} is not sent")))
        else:
            found.append((name, value))
    return tuple(found)


def _body(told: Keys, notes: list[str]) -> Body | None:
    inner = told.table_at("body", "body")
    if inner is None:
        return None
    content = inner.text("content")
    templated = inner.scalar("templatize", flag, False)
    note_unknown(inner, notes)
    try:
        body = parse_body(content, templated=templated) if content else None
    except Refused as error:
        raise inner.place("content").fault(str(error)) from None
    if body and body.fault:
        notes.append(str(inner.place("content").fault(f"sent as it stands, for {body.fault}")))
    return body


def _metrics(told: Keys, notes: list[str]) -> tuple[list[Metric], str]:
    """Return what an entry of `metrics` makes, or why its module yields nothing."""
    kind, name = told.text("type") or "value", told.text("name")
    labels = [(label, path) for label, path in told.texts_at("labels").items()]
    for label, _ in labels:
        if not label or label.startswith("__"):
            raise told.place("labels").fault(f"{label!r} cannot be the name of a label")
    clean = {_escaped(label, _FOREIGN_LABEL): paths.Template(path) for label, path in labels}
    if len(clean) < len(labels):
        raise told.place("labels").fault("two names are equal once they are made fit for Prometheus")
    path, epoch = told.text("path"), told.text("epochtimestamp")
    single = Metric(
        name=_escaped(name, _FOREIGN),
        kind=_KINDS.get(told.text("valuetype"), "untyped"),
        help=told.text("help") or name,
        each=None,
        value=paths.Template(path),
        labels=dict(sorted(clean.items())),
        timestamp=paths.Template(epoch) if epoch else None,
        lenient=told.scalar("allow_missing_key", flag, False),
    )
    values = told.texts_at("values")
    _notes(told, single, notes)
    if kind == "object":
        each = paths.Template(path)
        return [
            replace(single, name=_escaped(f"{name}_{part}", _FOREIGN), each=each, value=paths.Template(value))
            for part, value in values.items()
        ], ""
    if kind != "value":
        return [], f"Unknown metric type: '{kind}', for metric: '{name}'"
    if not name:
        raise told.place("name").fault("a metric needs a name")
    return [single], ""


def _notes(told: Keys, metric: Metric, notes: list[str]) -> None:
    """Tell what in an entry cannot work."""
    note_unknown(told, notes)
    for key, template in (("path", metric.value), *metric.labels.items()):
        if template.fault:
            notes.append(str(told.place(key).fault(f"{template.text!r} cannot be read: {template.fault}")))


def _escaped(name: str, foreign: re.Pattern[str]) -> str:
    """Return *name* with every character that Prometheus has not as one ``_``."""
    clean = foreign.sub("_", name)
    return "_" + clean[1:] if clean[:1].isdigit() else clean
