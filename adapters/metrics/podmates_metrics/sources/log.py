"""A log as a source: its lines are events, counted as they come, shown at a scrape."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import suppress
from typing import NamedTuple

from podmates_common.logs import Condition
from podmates_metrics.background import aside
from podmates_metrics.formats.rows import line_record
from podmates_metrics.native.logs import Log
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.rules.keeping import Kept
from podmates_metrics.rules.ledger import Ledger
from podmates_metrics.sources.base import Family, Source
from podmates_metrics.statsd.engine import Totals
from podmates_metrics.tailing.following import Following
from podmates_metrics.tailing.state import load, save
from podmates_metrics.tailing.tail import Tail

log = logging.getLogger(__name__)
POLL = 0.25  # seconds between two looks
SAVE = 5.0  # seconds between two writings of the state


class _Come(NamedTuple):
    """How far a log was read, and what its lines have come to."""

    tail: Tail
    kept: Kept
    lines: int
    skipped: int


class LogSource:
    """The files of one log and the rules for their lines. The first question begins to read."""

    def __init__(self, entry: Log, rules: Ruleset) -> None:
        self._entry = entry
        self.made_of = (entry, rules.made_of)
        self._before: LogSource | None = None  # that has read until now
        self._over = False  # another reads on
        self._kept = Kept(rules)
        self._condition = Condition(log, f"source {entry.name}")
        self._record = line_record(entry.format)
        self._tail: Tail | None = None
        self._turn = asyncio.Lock()  # one look at a time
        self._busy = threading.Lock()  # also when nobody waits for the look any more
        self._task: asyncio.Task[None] | None = None
        self._lines = self._skipped = 0
        self._saved = 0.0  # monotonic, of the last writing of the state
        self._unsaved = ""  # why that failed
        self._totals: Totals = {}

    @property
    def name(self) -> str:
        return self._entry.name

    @property
    def problem(self) -> str:
        return self._condition.reason

    def take_over(self, before: Source) -> None:
        """Read the files that both read on where *before* has come to: no line is lost or doubled.

        With rules that do the same, series go on, too.
        """
        if isinstance(before, LogSource):
            self._before, before._over = before, True

    def renamed(self, before: Source) -> bool:
        """Take over from a source of another name if it has read the same; tell whether it has."""
        same = isinstance(before, LogSource) and before._entry.paths == self._entry.paths
        if same:
            self.take_over(before)
        return same

    def _hand_over(self) -> _Come | None:
        with self._busy:  # the last look may not be over
            tail, self._tail = self._tail, None
        if tail is not None:
            return _Come(tail, self._kept, self._lines, self._skipped)
        return self._before._hand_over() if self._before else None

    def _begin(self) -> str:
        """Have a tail; return what is wrong with the saved state."""
        entry, come = self._entry, None
        if self._before is not None:
            come, self._before = self._before._hand_over(), None
        saved, problem = load(entry.state) if entry.state else (None, "")
        if come is None:
            self._tail = Tail(entry.paths, Following(entry.start, saved))
        else:
            self._tail, self._lines, self._skipped = come.tail, come.lines, come.skipped
            self._kept.go_on(come.kept)
            self._tail.turn(entry.paths, entry.start, saved)
        return problem

    async def collect(self) -> list[Family]:
        """Return what all lines until now have come to."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        async with self._turn:
            await self._look()
            if self._over:  # another one adds to what is kept here
                return []
            families = self._kept.families(time.monotonic())
            self._totals = self._count()
            return families

    async def _run(self) -> None:
        while True:
            async with self._turn:
                more = await self._look()
            await asyncio.sleep(0 if more else POLL)

    async def _look(self) -> bool:
        more, problem = await aside(self._read, f"log {self.name}")
        if problem:
            self._condition.fail(problem)
        else:
            self._condition.ok()
        return more

    def _read(self) -> tuple[bool, str]:
        """Read what is new; return whether there is more, and what is wrong."""
        with self._busy:
            return self._look_at_files(time.monotonic(), time.time())

    def _look_at_files(self, now: float, wall: float) -> tuple[bool, str]:
        if self._over:
            return False, ""
        problem = self._begin() if self._tail is None else ""
        tail = self._tail
        assert tail is not None  # noqa: S101
        more = tail.look(now, lambda line, names: self._take(line, names, (now, wall)))
        problem = tail.problem or problem
        if self._entry.state and now - self._saved >= SAVE:
            self._saved = now
            self._unsaved = save(self._entry.state, tail.following.places())
        return more, self._unsaved or problem

    def _take(self, line: str, names: frozenset[str], at: tuple[float, float]) -> None:
        self._lines += 1
        record = self._record(line, min(names))
        if record is None:
            self._skipped += 1
        else:
            self._kept.record(record, *at)

    def _count(self) -> Totals:
        name, tail, ledger = self.name, self._tail, Ledger(self.name)
        ledger.add(self._kept)
        totals: Totals = {
            "podmates_log_lines_total": {(name,): self._lines},
            "podmates_source_skipped_lines_total": {(name,): self._skipped},
        }
        if tail is not None:
            totals["podmates_log_files"] = {(name,): len(tail.following.files)}
            totals["podmates_log_truncations_total"] = {(name,): tail.following.truncations}
            totals["podmates_log_cut_lines_total"] = {(name,): tail.cut_lines}
        return ledger.totals() | totals

    def totals(self) -> Totals:
        """Return the values of the self metrics as of the last question."""
        return self._totals

    async def close(self) -> None:
        """Write the state and let go of the files, unless a look hangs."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await aside(self._end, f"log {self.name}")

    def _end(self) -> None:
        if self._over or not self._busy.acquire(timeout=1):
            return
        if self._tail is not None:
            if self._entry.state:
                save(self._entry.state, self._tail.following.places())
            self._tail.close()
