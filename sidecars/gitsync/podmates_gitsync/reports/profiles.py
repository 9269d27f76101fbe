"""`/debug/pprof/`: where time and memory go, under the paths of Go's profiles and in the terms of Python.

Imported only when it is asked for. All of it is bounded: one profile at a time, of at most `LONGEST` seconds.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from aiohttp import web

LONGEST = 60.0  # seconds of one profile or trace
_STEP = 0.01  # seconds between two looks at every thread
_DEEPEST = 64  # frames kept of a stack
_TYPES = 40  # lines of the table of objects
_PAGES = {
    "cmdline": "the command line, without secrets, its words separated by NUL",
    "goroutine": "where every thread is now",
    "heap": "memory of the process, and the commonest kinds of objects",
    "profile": "where threads were, 100 looks a second: stacks and counts, for a flame graph; ?seconds=30",
    "symbol": "for Go's tools only: there are no addresses to look up",
    "threadcreate": "the names of the threads",
    "trace": "the same as profile, as events of Chrome's trace viewer; ?seconds=1",
}

Stack = tuple[str, ...]  # from the outermost function to the innermost


class Look(NamedTuple):
    """Where a thread was at one moment."""

    seconds: float  # since the beginning
    thread: str
    stack: Stack


def routes(command: Sequence[str]) -> list[web.RouteDef]:
    """Return the routes; *command* is the command line as it may be shown."""
    sampling = asyncio.Lock()

    async def redirect(_: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": "/debug/pprof/"})

    async def page(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name in {"profile", "trace"}:
            return await _sampled(name, request.query.get("seconds", ""), sampling)
        texts = {"": _index, "goroutine": _stacks, "heap": _memory, "threadcreate": _threads}
        if name in texts:
            kind = "text/plain" if name else "text/html"
            return web.Response(text=texts[name](), content_type=kind)
        if name == "cmdline":
            return web.Response(text="\0".join(command))
        if name == "symbol":
            return web.Response(text="num_symbols: 0\n")
        return web.Response(status=404, text="Unknown profile\n")

    return [web.route("*", "/debug/pprof", redirect), web.route("*", "/debug/pprof/{name:[^/]*}", page)]


async def _sampled(name: str, text: str, sampling: asyncio.Lock) -> web.Response:
    try:
        seconds = float(text or {"profile": 30, "trace": 1}[name])
    except ValueError:
        seconds = -1
    if not 0 < seconds <= LONGEST:
        return web.Response(status=400, text=f"seconds must be a number of at most {LONGEST:.0f}\n")
    if sampling.locked():
        return web.Response(status=503, text="another profile is being made\n")
    async with sampling:
        looks = await _look_around(seconds)
    if name == "trace":
        return web.Response(text=trace_events(looks), content_type="application/json")
    return web.Response(text=folded(looks))


async def _look_around(seconds: float) -> list[Look]:
    """Look at every thread but our own for *seconds*."""
    began = time.monotonic()
    looks: list[Look] = []
    while (now := time.monotonic() - began) < seconds:
        looks += [Look(now, name, stack) for name, stack in _now()]
        await asyncio.sleep(min(_STEP, seconds - now))
    return looks


def _now() -> list[tuple[str, Stack]]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    ours = threading.get_ident()
    frames = sys._current_frames()
    return [
        (names.get(ident, f"thread {ident}"), _stack(frame))
        for ident, frame in frames.items()
        if ident != ours
    ]


def _stack(frame: FrameType | None) -> Stack:
    found: list[str] = []
    while frame is not None and len(found) < _DEEPEST:
        found.append(f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}")
        frame = frame.f_back
    return tuple(reversed(found))


def folded(looks: Sequence[Look]) -> str:
    """Return a line per stack and how often it was seen: what flame graphs are made of."""
    seen = Counter(";".join((look.thread, *look.stack)) for look in looks)
    return "".join(f"{stack} {count}\n" for stack, count in sorted(seen.items()))


def trace_events(looks: Sequence[Look]) -> str:
    """Return events for Chrome's trace viewer: one for each time that a thread stayed in one place."""
    events: list[dict[str, object]] = []
    open_: dict[str, tuple[Look, dict[str, object]]] = {}  # by thread: how its event began, and the event
    for look in looks:
        first, event = open_.get(look.thread, (None, {}))
        if first is None or first.stack != look.stack:
            innermost = look.stack[-1] if look.stack else ""
            event = {"name": innermost, "ph": "X", "pid": 1, "tid": look.thread, "ts": look.seconds * 1e6}
            event["args"] = {"stack": list(look.stack)}
            events.append(event)
            first, open_[look.thread] = look, (look, event)
        event["dur"] = (look.seconds - first.seconds + _STEP) * 1e6
    return json.dumps({"traceEvents": events})


def _index() -> str:
    rows = "".join(
        f'<tr><td><a href="{name}">{name}</a></td><td>{escape(text)}</td></tr>\n'
        for name, text in _PAGES.items()
    )
    return f"<!doctype html>\n<title>/debug/pprof/</title>\n<h1>/debug/pprof/</h1>\n<table>\n{rows}</table>\n"


def _stacks() -> str:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    parts = []
    for ident, frame in sys._current_frames().items():
        lines = traceback.format_list(traceback.extract_stack(frame, _DEEPEST))
        parts.append(f"thread {names.get(ident, ident)}:\n{''.join(lines)}")
    return "\n".join(parts)


def _threads() -> str:
    return "".join(f"{thread.name}\n" for thread in threading.enumerate())


def _memory() -> str:
    """Kinds of objects, counted among those that the collector knows; a look of some milliseconds."""
    lines = Path("/proc/self/status").read_text().splitlines()
    sizes = [line for line in lines if line.startswith(("VmRSS", "VmHWM", "VmSize", "VmData", "Rss"))]
    kinds = Counter(f"{type(thing).__module__}.{type(thing).__qualname__}" for thing in gc.get_objects())
    collections = [f"generation {n}: {stats}" for n, stats in enumerate(gc.get_stats())]
    counted = [f"{count:8} {kind}" for kind, count in kinds.most_common(_TYPES)]
    return "\n".join([*sizes, "", *collections, "", *counted]) + "\n"
