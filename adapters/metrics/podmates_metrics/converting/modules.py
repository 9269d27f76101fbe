"""json_exporter's modules in the native form: the same series from the same document.

What the native form has no words for is refused with its place, never left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from podmates_metrics.converting.templates import Parts, Ref, anchored, native_path, read, written
from podmates_metrics.converting.units import has_unit
from podmates_metrics.converting.writing import AS_IT_IS, document
from podmates_metrics.json_exporter.core.extract import number
from podmates_metrics.json_exporter.core.modules import Metric, Module, decode
from podmates_metrics.native.entries import SOURCE
from podmates_metrics.native.rulekeys import LABEL
from podmates_metrics.statsd.names import escape
from podmates_metrics.tree import Fault, Keys, Place, Scalar, Tree, flag, keys

# As many as a probe may have, and a label as long as the native form lets it be.
_LIMITS = {"series_per_family": 100_000, "series_total": 100_000, "label_value_length": 4096}
_NOTES = (
    "other than json_exporter: a record without what a label names is counted as missing_field;",
    "and in labels numbers have all their digits; null, lists and objects count as missing",
)
_COUNTERS = "other than json_exporter: OpenMetrics is offered, where a counter without _total is unknown"
Rule = dict[str, object]


def convert(tree: Tree | None, targets: Mapping[str, str]) -> str:
    """Return the native form of a file of json_exporter: a source for each module.

    Args:
        tree: its content.
        targets: the page of each module by its name; under an empty name that of the only one.

    Raises:
        Fault: the file is wrong, or says what the native form cannot; with line and key path.
    """
    told = decode(tree)
    top = keys(tree, Place("", 1), "file") if tree is not None else None
    named = top.table_at("modules", "modules") if top else None
    if named is None or not told.by_name:
        raise Fault("there is no module in it")
    _check_targets(told.by_name, targets)
    notes = [f"left out, for json_exporter passes over it: {note}" for note in told.notes]
    sources: dict[str, object] = {}
    rules: list[Rule] = []
    for name, module in told.by_name.items():
        entry = named.table_at(name, "module")
        if not SOURCE.fullmatch(name):
            raise named.place(name).fault("a native source has a name of letters, digits, _ and -")
        url = targets.get(name) or (targets.get("") if len(told.by_name) == 1 else None)
        if not url:
            raise named.place(name).fault(f"which page is it for? Say it by --target={name}=URL")
        made = list(_rules(module, entry)) if entry else []
        if any(metric.lenient for metric in module.metrics):
            notes.append(f"left out, for it changes no series: allow_missing_key in module {name}")
        sources[name] = {"http": _source(module, entry, url), "unmapped": "drop"}
        rules += [{"from": name, **rule} for rule in made]
    notes += _NOTES if any("labels" in rule for rule in rules) else ()
    if any(rule["type"] == "counter" and not str(rule["name"]).endswith("_total") for rule in rules):
        notes.append(_COUNTERS)
    return document(notes, {"sources": sources, "limits": _LIMITS}, rules)


def _check_targets(modules: Mapping[str, Module], targets: Mapping[str, str]) -> None:
    for name in targets:
        if name and name not in modules:
            raise Fault(f"--target: there is no module {name}")
    if "" in targets and len(modules) > 1:
        raise Fault(f"--target: which module is it for? Say MODULE=URL; there are {', '.join(modules)}")


def _source(module: Module, entry: Keys | None, url: str) -> dict[str, object]:
    """Return how the page is asked for."""
    made: dict[str, object] = {"url": url}
    if module.statuses and entry:
        raise entry.place("valid_status_codes").fault(f"a native source takes any status of 2xx; {AS_IT_IS}")
    if module.headers:
        made["headers"] = dict(module.headers)
    body = entry.table_at("body", "body") if entry else None
    if body and body.text("content"):
        if body.scalar("templatize", flag, False):
            raise body.place("templatize").fault(
                f"a native source has no query to fill a body from; {AS_IT_IS}"
            )
        made["body"] = body.text("content")
    client = entry.table_at("http_client_config", "http_client_config") if entry else None
    return made | (_client(client) if client else {})


def _client(section: Keys) -> dict[str, object]:
    made: dict[str, object] = {}
    for key in section.table.entries:
        if key not in ("follow_redirects", "tls_config", "enable_http2") and section.get(key) is not None:
            raise section.place(key).fault(f"a native source cannot do so; {AS_IT_IS}")
    if section.scalar("follow_redirects", flag, True):
        raise section.place("follow_redirects").fault(
            "json_exporter follows redirects where there is this section, a native source does not; say false"
        )
    tls = section.table_at("tls_config", "tls_config")
    for key in tls.table.entries if tls else ():
        assert tls is not None  # noqa: S101
        if key == "ca_file":
            made[key] = tls.text(key)
        elif key == "insecure_skip_verify":
            made[key] = tls.scalar(key, flag, False)
        else:
            raise tls.place(key).fault(f"a native source has ca_file and insecure_skip_verify; {AS_IT_IS}")
    return made


def _rules(module: Module, entry: Keys) -> Iterator[Rule]:
    """Yield the native rules; of those for the same records all but the last let others look, too."""
    if module.fault:
        raise entry.place("metrics").fault(f"{module.fault}: json_exporter makes nothing of the module")
    made: list[Rule] = []
    series: dict[tuple[object, ...], str] = {}
    kinds: dict[str, str] = {}
    for metric, place in _placed(module, entry):
        rule = _rule(metric, place)
        if kinds.setdefault(metric.name, metric.kind) != metric.kind:
            raise place.fault(f"{metric.name} has another type before: json_exporter answers with status 500")
        key = (metric.name, str(rule.get("labels")))
        if key in series and "{" not in key[1]:
            raise place.fault(f"the same series as {series[key]}: json_exporter answers with status 500")
        series[key] = place.path
        made.append(rule)
    for position, rule in enumerate(made):
        later = any(other["each"] == rule["each"] for other in made[position + 1 :])
        yield rule | ({"action": "continue"} if later else {})


def _placed(module: Module, entry: Keys) -> Iterator[tuple[Metric, Place]]:
    """Yield the metrics with the place of the entry that each comes from."""
    metrics = iter(module.metrics)
    for position, item in enumerate(entry.list_at("metrics")):
        if isinstance(item, Scalar):
            continue
        place = Place(f"{entry.path}.metrics[{position}]", item.line)
        told = keys(item, place, "metric")
        several = len(told.texts_at("values")) if told.text("type") == "object" else 1
        if told.text("epochtimestamp"):
            raise told.place("epochtimestamp").fault(f"a native rule sets no time; {AS_IT_IS}")
        for _ in range(several):
            yield next(metrics), place


def _rule(metric: Metric, place: Place) -> Rule:
    if escape(metric.name) != metric.name or not metric.name:
        raise place.fault(f"{metric.name!r}: the native form has names of letters, digits and _")
    for label in metric.labels:
        if not LABEL.fullmatch(label):
            raise place.fault(f"{label!r}: no label has such a name in the native form")
    base = _base(metric, place)
    value = read(metric.value, place)
    labels = {name: read(template, place) for name, template in metric.labels.items()}
    _check_value(metric, value, place)
    if metric.each is not None and _many(base) and not any(_refs(parts) for parts in labels.values()):
        raise place.fault("every match gives the same series: json_exporter answers with status 500")
    refs = [ref for parts in (value, *labels.values()) for ref in _refs(parts)]
    alone = metric.each is None and len(refs) == 1 and value == (refs[0],)
    anchor = refs[0].steps if alone else anchored(refs, place)
    made: Rule = {"each": native_path((*base, *anchor), place), "name": metric.name, "type": metric.kind}
    if has_unit(metric.name):
        made["unit"] = "none"
    made["help"] = metric.help
    shown = written(value, len(anchor), place)
    if shown != "{value}":
        made["value"] = shown
    texts = {name: written(parts, len(anchor), place) for name, parts in labels.items()}
    if any(texts.values()):
        made["labels"] = {name: text for name, text in texts.items() if text}
    return made


def _base(metric: Metric, place: Place) -> tuple[object, ...]:
    """Return the steps to the records."""
    if metric.each is None:
        return ()
    parts = read(metric.each, place, several=True)
    if len(parts) != 1 or isinstance(parts[0], str):
        raise place.fault(f"path {metric.each.text[:80]!r}: want one path in braces")
    return parts[0].steps


def _check_value(metric: Metric, value: Parts, place: Place) -> None:
    if not _refs(value):
        text = "".join(part for part in value if isinstance(part, str))
        try:
            number(text)
        except ValueError:
            raise place.fault(f"{text[:80]!r} is no number, and a path stands in braces") from None


def _refs(parts: Parts) -> list[Ref]:
    return [part for part in parts if isinstance(part, Ref)]


def _many(steps: tuple[object, ...]) -> bool:
    return any(not isinstance(step, str | int) for step in steps)
