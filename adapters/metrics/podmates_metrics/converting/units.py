"""Whether a native rule would see a unit in a name, and convert values that a foreign file leaves alone."""

from __future__ import annotations

from podmates_metrics.rules.units import named
from podmates_metrics.statsd.names import escape


def has_unit(name: str) -> bool:
    """Tell whether a rule with this name needs ``unit: none`` to leave its values as they are."""
    return "{" in name or any(named(escape(name), "", total).unit for total in (False, True))
