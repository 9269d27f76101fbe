"""What a configuration says, by the names that people know it by, so that two readings can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from podmates_metrics.tree import Listing, Scalar, Table, Tree

SHOWN = 20  # names in a line of the log
Named = dict[str, int]  # what is said → a hash of what is said about it
_LISTS = ("rules", "mappings")


class Changes(NamedTuple):
    """Names that came, went, and mean something else now; each sorted."""

    added: list[str]
    removed: list[str]
    changed: list[str]

    def fields(self) -> dict[str, str]:
        """Return what there is of it as fields of a log line."""
        parts = {"added": self.added, "removed": self.removed, "changed": self.changed}
        return {what: shown(names) for what, names in parts.items() if names}


def listed(tree: Tree | None) -> Named:
    """Return what a file of any of the four shapes says: sources, series, modules, and the rest by its key.

    Rules for one series count as one, in their order: the first that matches wins.
    """
    found: dict[str, list[object]] = {}
    for name, part in _parts(tree):
        found.setdefault(name, []).append(_plain(part))
    return {name: hash(tuple(parts)) for name, parts in found.items()}


def merge(into: Named, more: Named) -> None:
    """Add what another file says."""
    for name, said in more.items():
        into[name] = hash((into[name], said)) if name in into else said


def compare(old: Mapping[str, int], new: Mapping[str, int]) -> Changes:
    """Return what is different."""
    both = old.keys() & new.keys()
    changed = sorted(name for name in both if old[name] != new[name])
    return Changes(sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys()), changed)


def shown(names: list[str]) -> str:
    """Return some names in one text."""
    rest = len(names) - SHOWN
    return ", ".join(name[:100] for name in names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _parts(tree: Tree | None) -> Iterator[tuple[str, Tree]]:
    for key, part in tree.entries.items() if isinstance(tree, Table) else ():
        if key in _LISTS and isinstance(part, Listing):
            for item in part.items:
                yield _series(item), item
        elif key == "sources" and isinstance(part, Table):
            yield from ((f"source {name}", entry) for name, entry in part.entries.items())
        elif key == "modules" and isinstance(part, Table):
            for name, module in part.entries.items():
                yield from _module(name, module)
        else:
            yield key, part


def _module(name: str, module: Tree) -> Iterator[tuple[str, Tree]]:
    """Yield a module of json_exporter: how it asks, and each of its series."""
    yield f"module {name}", _without(module, "metrics")
    metrics = module.entries.get("metrics") if isinstance(module, Table) else None
    for item in metrics.items if isinstance(metrics, Listing) else ():
        yield _series(item), item


def _without(tree: Tree, key: str) -> Tree:
    if not isinstance(tree, Table):
        return tree
    return Table({name: part for name, part in tree.entries.items() if name != key}, tree.lines, tree.line)


def _series(rule: Tree) -> str:
    """Return what a rule is known by: the name of its series, or what it looks for."""
    entries = rule.entries if isinstance(rule, Table) else {}
    for key in ("name", "pattern", "action"):
        part = entries.get(key)
        if isinstance(part, Scalar):
            return f"series {part.text}" if key == "name" else f"{key} {part.text}"
    return "a rule without a name"


def _plain(tree: Tree) -> object:
    """Return *tree* without its lines, as something with a hash; the order of keys does not count."""
    if isinstance(tree, Scalar):
        return tree.tag, tree.text
    if isinstance(tree, Listing):
        return tuple(map(_plain, tree.items))
    return frozenset((key, _plain(part)) for key, part in tree.entries.items())
