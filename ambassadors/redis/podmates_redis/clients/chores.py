"""What goes on for one client beside its bytes: tasks and timers, one of each name at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


class Chores:
    """Tasks and timers; *ended* is called with the error, if any, when a task has ended by itself, or a
    timer's work has failed."""

    __slots__ = ("_ended", "_tasks", "_timers")

    def __init__(self, ended: Callable[[BaseException | None], None]) -> None:
        self._ended = ended
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def start(self, name: str, job: Callable[[], Coroutine[None, None, None]]) -> None:
        """Begin *job*, unless one of that name goes on."""
        running = self._tasks.get(name)
        if running is None or running.done():
            task = asyncio.get_running_loop().create_task(job())
            self._tasks[name] = task
            task.add_done_callback(self._stopped)

    def _stopped(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._ended(task.exception())

    def timer(self, name: str, seconds: float, job: Callable[[], None]) -> None:
        """Do *job* in so many seconds, and nothing else of that name."""
        self.cancel(name)
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, self._run, job)

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
        except Exception as error:
            self._ended(error)

    def timed(self, name: str) -> bool:
        """Tell whether there is such a timer, or it has gone off and was not cancelled."""
        return name in self._timers

    def cancel(self, name: str) -> None:
        """Let the timer of that name not go off."""
        running = self._timers.pop(name, None)
        if running is not None:
            running.cancel()

    def stop(self) -> None:
        """End all of it."""
        tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            task.cancel()
        for name in list(self._timers):
            self.cancel(name)
