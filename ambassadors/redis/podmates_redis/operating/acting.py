"""What changes something, at the admin port: only for who knows the token, and only while there is one.

Nothing here waits for a server. What is changed lasts until the process ends; a setting, until a reload.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from podmates_common.parse import duration
from podmates_common.redact import Secret
from podmates_redis.operating.census import count
from podmates_redis.operating.gathering import Parts
from podmates_redis.operating.reloading import Reloading
from podmates_redis.tokens import Tokens

log = logging.getLogger(__name__)

_PAUSE = 60.0  # seconds at most
_GUESSES, _AT_ONCE = 1.0, 10.0  # wrong tokens a second, and at once


@dataclass(frozen=True, slots=True)
class Reins:
    """What is acted on."""

    parts: Parts
    reloading: Reloading
    stop: Callable[[], None]  # begins the end of the process
    token: Secret


class _Wrong(Exception):
    """What was asked for makes no sense; the text says why."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


Act = Callable[[web.Request], Awaitable[Any]]


def routes(reins: Reins) -> list[web.RouteDef]:
    """Return the routes."""
    guesses = Tokens(_GUESSES, _AT_ONCE)
    acts = Acts(reins)

    def guarded(act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            refusal = _refusal(request, reins.token.reveal(), guesses)
            if refusal is not None:
                return refusal
            try:
                found = await act(request)
            except _Wrong as error:
                return web.json_response({"error": str(error)}, status=error.status)
            log.info("admin: %s", request.path_qs)
            return web.json_response(found)

        return answer

    table: dict[str, Act] = {
        "/reload": acts.reload,
        "/drain": acts.drain,
        "/pause": acts.pause,
        "/resume": acts.resume,
        "/loglevel": acts.log_level,
        "/consistency": acts.consistency,
        "/route/{command}": acts.route,
        "/nodes/{node}/eject": acts.eject,
        "/nodes/{node}/admit": acts.admit,
        "/clients/{client}/kill": acts.kill,
    }
    return [web.post(path, guarded(act)) for path, act in table.items()]


def _refusal(request: web.Request, token: str, guesses: Tokens) -> web.Response | None:
    """Return what is said to who may not act; None: it may."""
    if not token:
        return web.json_response({"error": "nobody may: PODMATES_REDIS_ADMIN_TOKEN is not set"}, status=403)
    given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    if hmac.compare_digest(given, b"Bearer " + token.encode()):
        return None
    if guesses.take(time.monotonic()):
        return web.json_response({"error": "too many wrong tokens"}, status=429, headers={"Retry-After": "1"})
    headers = {"WWW-Authenticate": "Bearer"}
    return web.json_response({"error": "the token is wrong, or missing"}, status=401, headers=headers)


class Acts:
    """Each takes a request and returns what to say of it, or raises _Wrong."""

    def __init__(self, reins: Reins) -> None:
        self._reins, self._parts = reins, reins.parts

    async def reload(self, _: web.Request) -> Any:
        outcome = await self._reins.reloading.reload("asked at the admin port")
        if outcome.problems:
            raise _Wrong("; ".join(outcome.problems), 422)
        return asdict(outcome)

    async def drain(self, _: web.Request) -> Any:
        self._reins.stop()
        return {"draining": True}

    async def pause(self, request: web.Request) -> Any:
        seconds = self._read(duration, request.query.get("for", ""))
        what = request.query.get("what", "all")
        if not 0 < seconds <= _PAUSE or what not in ("all", "write"):
            raise _Wrong(f"want for=DURATION, at most {_PAUSE:.0f}s, and what=all or write")
        shared = self._parts.shared
        now = shared.clock()
        shared.pause.begin(now + seconds, what == "all")
        shared.resume(shared.pause.end - now)
        census = await count(self._parts.doorman.clients)
        return {
            "paused_seconds": round(shared.pause.end - now, 3),
            "everything": shared.pause.everything,
            "in_flight": sum(census.waiting.values()),
        }

    async def resume(self, _: web.Request) -> Any:
        self._parts.shared.pause.over()
        self._parts.shared.resume(0)
        return {"paused_seconds": 0}

    async def log_level(self, request: web.Request) -> Any:
        return self._put("log_level", request.query.get("level", ""))

    async def consistency(self, request: web.Request) -> Any:
        return self._put("consistency", request.query.get("mode", ""))

    async def route(self, request: web.Request) -> Any:
        name, where = request.match_info["command"].lower(), request.query.get("to", "")
        others = [f"{n}={w}" for n, w in self._reins.reloading.loaded.settings.route if n != name]
        return self._put("route", ",".join([*others, f"{name}={where}"] if where != "default" else others))

    async def eject(self, request: web.Request) -> Any:
        name, role = self._node(request)
        if role == "master":
            raise _Wrong("that is the master", 409)
        self._parts.rules.barred.add(name)
        self._parts.topology.suspect()
        return {"ejected": sorted(self._parts.rules.barred)}

    async def admit(self, request: web.Request) -> Any:
        self._parts.rules.barred.discard(self._node(request)[0])
        self._parts.topology.suspect()
        return {"ejected": sorted(self._parts.rules.barred)}

    async def kill(self, request: web.Request) -> Any:
        text = request.match_info["client"]
        roster = self._parts.shared.roster
        member = roster.find(int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else None
        if member is None:
            raise _Wrong("there is no such client", 404)
        member.cut()
        return {"killed": member.id}

    def _node(self, request: web.Request) -> tuple[str, str]:
        """Return the name of the server that is meant, and its role."""
        wanted = request.match_info["node"]
        for (name, role, _), _ in self._parts.topology.figures.roles():
            if name == wanted:
                return name, role
        raise _Wrong("there is no such server", 404)

    def _put(self, name: str, text: str) -> Any:
        """Put a setting in force that *text* says."""
        return {name: self._read(lambda value: self._reins.reloading.put(name, value), text)}

    @staticmethod
    def _read(parse: Callable[[str], Any], text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise _Wrong(str(error)) from None
