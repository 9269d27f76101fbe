"""The entry of a JVM: where it is, what is read of it, and how its series are finished. Strict."""

from __future__ import annotations

from dataclasses import dataclass, replace

from podmates_metrics.jmx.querytext import parse_query
from podmates_metrics.jmx.target import Target, parse_target
from podmates_metrics.jmx_exporter.selection import Selection, attributes, patterns
from podmates_metrics.native.pulls import required
from podmates_metrics.tree import Keys, Scalar, flag

_ALL = Selection()


@dataclass(frozen=True, slots=True)
class Finish:
    """The key ``as_jmx_exporter``: names, types and duplicates are what jmx_exporter makes of them."""

    lower_names: bool = False
    lower_labels: bool = False
    infer_counters: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """How a JVM is seen. *finish* None: as all other sources; *standard*: with the usual ``jvm_*``."""

    selection: Selection = _ALL
    standard: bool = True
    finish: Finish | None = None


EVERYTHING = Seen()


@dataclass(frozen=True, slots=True)
class Jvm:
    """A source of kind ``jmx``."""

    target: Target
    seen: Seen = EVERYTHING


def decode_jvm(name: str, entry: Keys) -> Jvm:
    """Return the source *name*.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    text, queries = required(entry, "target"), entry.list_at("queries")
    place = entry.place("target")
    try:
        target = parse_target(f"{name}={text}")
        place = entry.place("queries")
        texts = [query.text if isinstance(query, Scalar) else "" for query in queries]
        target = replace(target, queries=tuple(parse_query(text) for text in texts))
    except ValueError as error:
        raise place.fault(str(error)) from None
    standard = entry.scalar("jvm_metrics", flag, True)
    selection = Selection(
        patterns(entry, "include"),
        patterns(entry, "exclude") or (),
        standard,
        attributes(entry, "include_attributes"),
        attributes(entry, "exclude_attributes"),
    )
    return Jvm(target, Seen(selection, standard, _finish(entry)))


def _finish(entry: Keys) -> Finish | None:
    inner = entry.table_at("as_jmx_exporter", "as_jmx_exporter")
    if inner is None:
        return None
    made = Finish(
        inner.scalar("lowercase_names", flag, False),
        inner.scalar("lowercase_labels", flag, False),
        inner.scalar("infer_counters", flag, False),
    )
    inner.finish()
    return made
