"""Rule files that come with the adapter, for applications that many have."""

from __future__ import annotations

from pathlib import Path

from podmates_metrics.documents import load
from podmates_metrics.tree import Tree

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return what there is."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def preset(name: str) -> Tree | None:
    """Return the rule file of that name; None: there is none."""
    return load(str(_FOLDER / f"{name}.yaml")) if name in names() else None
