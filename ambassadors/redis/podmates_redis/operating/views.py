"""What the admin pages show, as plain data for JSON. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from podmates_redis.session.shared import Shared
from podmates_redis.session.slowlog import Slow


def text(data: bytes) -> str:
    """Return bytes that anybody may have sent as text."""
    return data.decode("utf-8", "backslashreplace")


def client(facts: Mapping[bytes, bytes]) -> dict[str, str]:
    """Return the line of a client in CLIENT LIST as names and values."""
    return {text(name): text(value) for name, value in facts.items()}


def slow(entries: Iterable[Slow], ago: float) -> list[dict[str, Any]]:
    """Return the slow log; *ago* is what makes a time on the clock one of the calendar, seconds."""
    return [_slow(entry, ago) for entry in entries]


def _slow(entry: Slow, ago: float) -> dict[str, Any]:
    return {
        "id": entry.id,
        "time": round(entry.at + ago, 3),
        "seconds": round(entry.took, 6),
        "queued_seconds": round(entry.queued, 6),
        "upstream_seconds": round(entry.served, 6),
        "command": [text(word) for word in entry.words],
        "client": entry.client,
        "client_address": text(entry.addr),
        "client_name": text(entry.name),
        "route": entry.route,
        "node": entry.node,
        "reply_bytes": entry.size,
    }


def stats(shared: Shared) -> dict[str, Any]:
    """Return the counts that answer most questions."""
    routes, outcomes, reads = Counter[str](), Counter[str](), Counter[str]()
    for (_, route, outcome), number in shared.tally.commands.items():
        routes[route] += number
        outcomes[outcome] += number
    for (route, reason, _), number in shared.tally.reads.items():
        reads[f"{route} {reason}".strip()] += number
    return {
        "clients": len(shared.roster),
        "commands_by_route": dict(sorted(routes.items())),
        "commands_by_outcome": dict(sorted(outcomes.items())),
        "reads": dict(sorted(reads.items())),
        "errors": dict(sorted(shared.tally.errors.items())),
        "clients_closed": dict(sorted(shared.tally.closed.items())),
        "slowlog_entries": shared.slowlog.added,
    }
