"""How a jmx_exporter file is told from others. No I/O."""

from __future__ import annotations

from collections.abc import Mapping

from podmates_metrics.tree import Listing, Table, Tree

_KEYS = (
    "hostPort jmxUrl username password ssl startDelaySeconds scrapeTimeoutSeconds lowercaseOutputName"
    " lowercaseOutputLabelNames inferCounterTypeFromName excludeJvmMetrics includeObjectNames"
    " whitelistObjectNames excludeObjectNames blacklistObjectNames includeObjectNameAttributes"
    " excludeObjectNameAttributes autoExcludeObjectNameAttributes metricCustomizers httpServer"
    " openTelemetry"
)
KEYS = frozenset(_KEYS.split())  # what the exporter knows, besides rules


def looks_like_one(entries: Mapping[str, Tree]) -> bool:
    """Whether a file with these keys is one of jmx_exporter."""
    if KEYS & set(entries):
        return True
    rules = entries.get("rules")
    first = rules.items[0] if isinstance(rules, Listing) and rules.items else None
    return isinstance(first, Table) and bool(first.entries.keys() & {"pattern", "attrNameSnakeCase"})
