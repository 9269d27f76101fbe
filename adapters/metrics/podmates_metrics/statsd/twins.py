"""Which hot path runs: the compiled one where it was built, its twin in Python elsewhere."""

from __future__ import annotations

import importlib
from typing import Any

from podmates_metrics.statsd import hot


def choose(*, pure: bool = False) -> Any:
    """Return the module of the hot path; *pure* asks for the twin in Python."""
    if pure:
        return hot
    try:
        return importlib.import_module("podmates_metrics.plane._plane")
    except ImportError:
        return hot


def name(twin: Any) -> str:
    """Return how ``--version`` calls it."""
    return "compiled" if twin.COMPILED else "pure"
