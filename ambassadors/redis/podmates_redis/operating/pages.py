"""The admin pages beside the probes and metrics: what goes on, as JSON. They ask no server anything.

Whoever reaches the port may read them; what changes something is `acting`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from podmates_redis.operating import views
from podmates_redis.operating.gathering import Parts
from podmates_redis.session.shared import Shared

_SLICE = 50  # clients between two turns of the event loop

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Told:
    """What the pages need to be told."""

    parts: Parts
    settings: Callable[[], list[dict[str, Any]]]  # effective, secrets masked


def _page(shared: Shared, make: Callable[[], Any]) -> Page:
    async def answer(_: web.Request) -> web.StreamResponse:
        shared.look()
        return web.json_response(make(), dumps=_dumps)

    return answer


def routes(told: Told) -> list[web.RouteDef]:
    """Return the routes."""
    shared, topology = told.parts.shared, told.parts.topology

    def slowlog() -> Any:
        return views.slow(shared.slowlog.newest(), time.time() - shared.clock())

    def seen() -> Any:
        sentinels = told.parts.finding.sentinels
        return {
            **topology.figures.seen(time.monotonic()),
            "failovers": sum(topology.report.absence.gaps.counts),
            "sentinels": {name: bool(up) for (name,), up in sentinels.up()} if sentinels else {},
            "consistency": shared.policy.consistency,
            "read_from": shared.policy.choice.read_from,
        }

    async def clients(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        shared.look()
        await tell(response)
        return response

    async def tell(response: web.StreamResponse) -> None:
        members, separator = list(shared.roster), "["
        for first in range(0, len(members), _SLICE):
            now, lines = shared.clock(), []
            for member in members[first : first + _SLICE]:
                lines.append(separator + json.dumps(views.client(member.facts(now))))
                separator = ",\n"
            await response.write("".join(lines).encode())
            await asyncio.sleep(0)  # which a write alone is not, as long as its reader keeps up
        await response.write(b"]\n" if members else b"[]\n")

    return [
        web.get("/topology", _page(shared, seen)),
        web.get("/config", _page(shared, told.settings)),
        web.get("/slowlog", _page(shared, slowlog)),
        web.get("/stats", _page(shared, lambda: views.stats(shared))),
        web.get("/clients", clients),
    ]


def _dumps(value: Any) -> str:
    return json.dumps(value, indent=1) + "\n"
