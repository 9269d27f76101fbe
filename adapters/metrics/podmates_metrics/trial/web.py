"""``POST /-/try``: rules and a sample in a JSON object, answered with the page that they make."""

from __future__ import annotations

import asyncio
import json
import time

from aiohttp import web

from podmates_metrics.documents import parse
from podmates_metrics.presets.load import preset
from podmates_metrics.tree import Fault
from podmates_metrics.trial.run import NoTrial, Trial, run

MAX_PARTS = 20_000  # of a rule file, what its aliases multiply it to included
PATIENCE = 5.0  # seconds that a trial may take
_KEYS = {"rules", "sample", "from"}
_WANT = (
    'want a JSON object with "rules" (a file\'s text), "sample", and "from" where there are several sources'
)


class Handler:
    """One trial at a time, beside the event loop."""

    def __init__(self) -> None:
        self._busy = asyncio.Lock()

    async def __call__(self, request: web.Request) -> web.Response:
        """Answer 200 with the page (``X-Try: good`` or ``bad``), 400 or 422 with what is wrong."""
        try:
            asked = json.loads(await request.read())
        except (ValueError, RecursionError, ConnectionError):  # or whoever asks has gone
            asked = None
        if not isinstance(asked, dict) or not {"rules", "sample"} <= asked.keys() <= _KEYS:
            return web.Response(text=_WANT + "\n", status=400)
        if not all(isinstance(text, str) for text in asked.values()):
            return web.Response(text=_WANT + "\n", status=400)
        source = asked.get("from", "").encode(errors="replace").decode()  # it is told in the answer
        async with self._busy:
            try:
                trial = await asyncio.to_thread(tried, asked["rules"], asked["sample"], source)
            except (Fault, NoTrial) as error:
                return web.Response(text=f"{error}\n", status=422)
        return web.Response(text=trial.text, headers={"X-Try": "good" if trial.good else "bad"})


def tried(rules: str, sample: str, source: str, *, patience: float = PATIENCE) -> Trial:
    """Return what `run` does within *patience* seconds.

    Raises:
        Fault: the rules are wrong.
        NoTrial: the sample cannot be read, or it takes too long.
    """
    until = time.monotonic() + patience

    def check() -> None:
        if time.monotonic() > until:
            raise NoTrial(f"it takes longer than {patience:g} s; podmates-metrics try has no such limit")

    return run(parse(rules, most=MAX_PARTS), sample.encode(errors="replace"), source, preset, check=check)
