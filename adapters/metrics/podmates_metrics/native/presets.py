"""The key ``preset`` of a source: the keys and rules of a file that comes with the adapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from podmates_metrics.tree import Keys, Listing, Table, Tree

Presets = Callable[[str], Tree | None]  # a rule file with one source called NAME; None: there is none
NAME = "preset"
_FORMAT = ("format", "separator", "columns", "pattern", "over", "records")


def no_presets(name: str) -> Tree | None:
    """Return None: there is no preset."""
    return None


def expanded(entry: Keys, kind: str, presets: Presets) -> tuple[Keys, Sequence[Tree]]:
    """Return the keys of a source with those of its preset beneath them, and the preset's rules.

    Of a preset of another kind only the format counts; nothing of it does where the source has its own.

    Raises:
        Fault: there is no such preset.
    """
    chosen = entry.text(NAME)
    if not chosen:
        return entry, ()
    found = presets(chosen)
    if not isinstance(found, Table):
        raise entry.place(NAME).fault(f"there is no preset {chosen[:80]}")
    base, rules = _parts(found, kind)
    own = {key: value for key, value in entry.table.entries.items() if key != NAME}
    if "format" in own:
        base = {key: value for key, value in base.items() if key not in _FORMAT}
    lines = dict.fromkeys(base, entry.place(NAME).line) | entry.table.lines
    return Keys(Table(base | own, lines, entry.table.line), entry.path, entry.kind), rules


def _parts(tree: Table, kind: str) -> tuple[dict[str, Tree], Sequence[Tree]]:
    """Return the keys of a preset's source that a source of *kind* takes over, and the rules."""
    sources, rules = tree.entries["sources"], tree.entries["rules"]
    source = sources.entries[NAME] if isinstance(sources, Table) else None
    keys: dict[str, Tree] = {}
    for own, inner in source.entries.items() if isinstance(source, Table) else ():
        if isinstance(inner, Table):
            keys = {key: value for key, value in inner.entries.items() if own == kind or key in _FORMAT}
    return keys, rules.items if isinstance(rules, Listing) else ()
