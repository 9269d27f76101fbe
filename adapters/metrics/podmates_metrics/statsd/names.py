"""Names as Prometheus allows them, made from names as StatsD clients send them."""

from __future__ import annotations

import re

_FOREIGN = re.compile(r"-+|[^A-Za-z0-9_]")


def escape(name: str) -> str:
    """Return *name* with every character outside ``[A-Za-z0-9_]`` as one ``_``, a run of dashes as one.

    A digit in front gets a ``_`` before it. Different names may become equal: that is the point.
    """
    clean = _FOREIGN.sub("_", name)
    return "_" + clean if clean[:1].isdigit() and clean[:1].isascii() else clean
