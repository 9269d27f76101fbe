"""Which families may stand on one page: a summary `t` exposes `t_sum` and `t_count`, so nobody else may."""

from __future__ import annotations

from collections.abc import Callable

PARTS = {"summary": ("_sum", "_count"), "histogram": ("_sum", "_count", "_bucket")}


def clashes(name: str, kind: str, known: Callable[[str], str]) -> bool:
    """Tell whether a family exposes a name that a family of another name exposes as well.

    Args:
        known: the kind of the family of a name; empty: there is none.
    """
    if any(known(name + part) for part in PARTS.get(kind, ())):
        return True
    return any(
        part in PARTS.get(known(name.removesuffix(part)), ())
        for part in PARTS["histogram"]
        if name.endswith(part)
    )
