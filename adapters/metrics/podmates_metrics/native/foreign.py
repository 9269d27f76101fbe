"""The key ``files`` of a native file: foreign files that are loaded with it, as they are. Strict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from podmates_metrics.native.rules import NativeRule, Origin
from podmates_metrics.tree import Keys, Place, Scalar, Table, Tree

KINDS = {"statsd": "statsd_exporter", "jmx": "jmx_exporter"}  # of sources, and whose files can be theirs


@dataclass(frozen=True, slots=True)
class Foreign:
    """A file of statsd_exporter, jmx_exporter or json_exporter.

    *path* may be relative to the native file's folder. *source* is the native source that it is for, of a
    kind in `KINDS`; empty: none is named. *wants* is whose file it must be then; empty: any of the three.
    """

    path: str
    source: str
    wants: str
    place: Place


def decode_files(top: Keys, known: Mapping[str, Origin], rules: Sequence[NativeRule]) -> tuple[Foreign, ...]:
    """Return what stands at ``files``.

    Args:
        top: the file.
        known: its sources.
        rules: its rules.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    made: list[Foreign] = []
    for number, item in enumerate(top.list_at("files")):
        place = Place(f"files[{number}]", item.line)
        source, path = _named(item, place)
        if source and source not in known:
            raise place.fault(f"there is no source {source}")
        if source and known[source].kind not in KINDS:
            raise place.fault(f"source {source} takes no file: only sources of kind statsd and jmx do")
        if source and any(other.source == source for other in made):
            raise place.fault(f"there is a file for source {source} already")
        if source and any(rule.source == source for rule in rules):
            raise place.fault(f"source {source} has rules of its own: want one of them")
        made.append(Foreign(path, source, KINDS[known[source].kind] if source else "", place))
    return tuple(made)


def _named(item: Tree, place: Place) -> tuple[str, str]:
    """Return a source, or nothing, and a path."""
    found: tuple[str, Tree] = ("", item)
    if isinstance(item, Table) and len(item.entries) == 1:
        found = next(iter(item.entries.items()))
    source, path = found
    if not isinstance(path, Scalar) or path.tag == "null" or not path.text or "\0" in path.text:
        raise place.fault("want the path of a file, or SOURCE: PATH")
    return source, path.text
