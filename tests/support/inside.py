"""The ambassador within the test's own process, so that its tasks, timers and objects can be counted."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Any, Self

from podmates_common.settings import load
from podmates_redis.app import App
from podmates_redis.session.tally import Tally
from podmates_redis.settings import PREFIX, Settings
from tests.support.ports import free_port
from tests.support.waiting import pause, until

_COUNTED = ("Client", "Session", "Pair", "Upstream", "Slot", "Task", "Transaction", "Follower")


class Inside:
    """A running ambassador with *flags*; its event loop has a thread of its own."""

    def __init__(self, *flags: str, pure: bool = False) -> None:
        self.port, self._pure = free_port(), pure
        argv = ["--listen", f"127.0.0.1:{self.port}", "--admin-listen", "", *flags]
        self._loaded = load(Settings, PREFIX, argv, {})
        self._loop = asyncio.new_event_loop()
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="ambassador", daemon=True)
        self._app: App | None = None
        self._thread.start()
        until(
            lambda: self._app is not None and self._app.topology.known(),
            what="the ambassador to know a master",
        )

    def _run(self) -> None:
        async def body() -> None:
            self._stop, self._app = asyncio.Event(), App(self._loaded, pure=self._pure)
            await self._app.run(self._stop)

        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(body())

    @property
    def tally(self) -> Tally:
        """What it has counted."""
        assert self._app is not None
        return self._app.shared.tally

    def lodgers(self) -> int:
        """Return how many clients the engine has, or its twin."""
        assert self._app is not None
        return len(self._app.commons.lodgers) if self._app.commons is not None else 0

    def holdings(self) -> Counter[str]:
        """Return how many there are of what a client may leave behind, by name.

        It waits then, so that the loop is not held up by looks alone and can let go of things.
        """

        async def look() -> Counter[str]:
            gc.collect()
            found = Counter(type(thing).__name__ for thing in gc.get_objects())
            kept = Counter({name: found[name] for name in _COUNTED})
            kept["tasks"] = len(asyncio.all_tasks()) - 1
            loop: Any = self._loop
            kept["watchers"] = len(loop._selector.get_map())
            kept["timers"] = sum(not timer.cancelled() for timer in loop._scheduled)
            return kept

        start = time.monotonic()
        found = asyncio.run_coroutine_threadsafe(look(), self._loop).result(60)
        pause(2 * (time.monotonic() - start))
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
