"""All sources at one scrape: each with its deadline, none holding up the others."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from podmates_common.health import Health
from podmates_metrics.exposition.names import series
from podmates_metrics.metrics import OWN
from podmates_metrics.sources.base import Family, Source
from podmates_metrics.sources.clashes import clashes, joined
from podmates_metrics.statsd.engine import Totals
from podmates_metrics.statsd.store import StoredFamily

log = logging.getLogger(__name__)
REFRESH = 15.0  # seconds without a scrape after which sources are asked all the same, for /readyz


@dataclass(slots=True, eq=False)
class _State:
    """What is known of a source."""

    source: Source
    task: asyncio.Task[list[Family]] | None = None  # a question still unanswered
    asked: float = 0.0  # when the question that is open was asked
    up: float = 0.0
    took: float = 0.0
    succeeded: float = 0.0  # wall clock of the last success; 0: never
    dropped: Counter[str] = field(default_factory=Counter)
    doubles: int = 0  # series that are another's as well
    gone: bool = False  # another took its place, or none


class Answers(NamedTuple):
    """What sources said.

    *whole*: whoever has not answered had all the time that a source may take.
    """

    given: list[tuple[_State, list[Family]]]
    whole: bool


NOTHING = Answers([], whole=False)


class Gatherer:
    """Asks sources and keeps `podmates_source_up` and the readiness report true."""

    def __init__(self, sources: Sequence[Source], health: Health, *, critical: bool) -> None:
        self._states: list[_State] = []
        self._health, self._critical = health, critical
        self._asked = 0.0
        self._put(sources)

    def _put(self, sources: Sequence[Source]) -> list[_State]:
        """Put *sources* in the place of the others; return those that have gone."""
        before = {state.source.name: state for state in self._states}
        known, states = frozenset(before), []
        for source in sources:
            old = before.get(source.name)
            if old is not None and same(old.source, source):
                states.append(before.pop(source.name))
            else:
                states.append(_State(source))
                if old is not None and (take_over := getattr(source, "take_over", None)):
                    take_over(old.source)
        _rename([state for state in states if state.source.name not in known], before.values())
        for name, state in before.items():
            state.gone = True
            self._health.forget(name)
        for state in states:
            if state not in self._states:
                self._health.expect(state.source.name, within=float("inf"), critical=self._critical)
        self._states = states
        return list(before.values())

    async def replace(self, sources: Sequence[Source]) -> None:
        """Ask *sources* from now on; those that are what they were go on with all they know."""
        gone = self._put(sources)
        self._asked = 0.0  # have the new ones asked soon
        await _end(gone)

    async def collect(
        self, timeout: float, beside: Mapping[str, StoredFamily] | None = None
    ) -> dict[str, Family]:
        """Return what `merged` makes of what `ask` returns."""
        return self.merged(await self.ask(timeout), beside or {})

    async def ask(self, timeout: float, patience: float | None = None) -> Answers:
        """Return the answers of all sources, after at most *timeout* seconds, or *patience* if that is less.

        A source that has not answered has failed when it had *timeout* seconds, however short *patience* is.
        """
        self._asked = time.monotonic()
        states = self._states
        limit = min(timeout, patience or timeout)
        answers = await asyncio.gather(*(self._ask(state, limit, timeout) for state in states))
        given = [(state, answer) for state, answer in zip(states, answers, strict=True) if answer is not None]
        return Answers(given, len(given) == len(states))

    def merged(self, answers: Answers, beside: Mapping[str, StoredFamily]) -> dict[str, Family]:
        """Return the families of all sources by name.

        *beside* are StatsD's, which stand on the same page: what does not go with them is left out.
        """
        families: dict[str, Family] = {}
        for state, answer in answers.given:
            for family in answer:
                _merge(families, family, state, beside)
        return families

    async def _ask(self, state: _State, limit: float, timeout: float) -> list[Family] | None:
        """Ask one source; a question that is still open is waited for instead of asked again.

        None: it has not answered within *limit* seconds, but has not had its *timeout* either.
        """
        started = time.monotonic()
        if state.task is None:
            state.task, state.asked = asyncio.create_task(state.source.collect()), started
        task, had = state.task, started - state.asked
        done, _ = await asyncio.wait([task], timeout=limit)
        if not done and limit < timeout and had + limit < timeout:
            return None
        state.took = time.monotonic() - started
        families: list[Family] = []
        problem = f"no answer within {timeout:g} s"
        if done:
            if state.task is task:  # of two scrapes that waited for it, the first comes by here
                state.task = None
            problem, families = self._answer(state, task)
        if state.gone:
            return families
        state.up = 0.0 if problem else 1.0
        if problem:
            self._health.fail(state.source.name, problem)
        else:
            state.succeeded = time.time()
            self._health.ok(state.source.name)
        return families

    def _answer(self, state: _State, task: asyncio.Task[list[Family]]) -> tuple[str, list[Family]]:
        if task.cancelled():
            return "stopped", []
        error = task.exception()
        if error is None:
            return state.source.problem, task.result()
        log.error("source %s: %r", state.source.name, error, exc_info=error)
        return f"internal error: {error!r}", []

    async def run(self) -> None:
        """Ask now and then while nobody scrapes, so that readiness stays true; until cancelled."""
        while True:
            if self._states and (time.monotonic() - self._asked >= REFRESH or not self._asked):
                await self.collect(REFRESH)
            await asyncio.sleep(REFRESH / 3)

    def totals(self) -> Totals:
        """Return the values of the self metrics about sources."""
        named = [((state.source.name,), state) for state in self._states]
        own = "podmates_source_"
        totals: Totals = {
            f"{own}up": {key: state.up for key, state in named},
            f"{own}duration_seconds": {key: state.took for key, state in named},
            f"{own}last_success_timestamp_seconds": {k: s.succeeded for k, s in named if s.succeeded},
            f"{own}dropped_series_total": {key: state.doubles for key, state in named if state.doubles},
            f"{own}dropped_families_total": {k: s.dropped.total() for k, s in named if s.dropped},
        }
        for state in self._states:
            more: Callable[[], Totals] | None = getattr(state.source, "totals", None)
            for name, values in more().items() if more else ():
                totals.setdefault(name, {}).update(values)
        return totals

    async def close(self) -> None:
        """Let go of everything."""
        await _end(self._states)


def _rename(new: Sequence[_State], gone: Collection[_State]) -> None:
    """Have sources with new names read on where one that has gone has come to, each from one only."""
    left = list(gone)
    for state in new:
        take = getattr(state.source, "renamed", None)
        first = next((old for old in left if take and take(old.source)), None)
        if first is not None:
            left.remove(first)


async def _end(states: Sequence[_State]) -> None:
    for state in states:
        if state.task is not None:
            state.task.cancel()
        with suppress(Exception):
            await state.source.close()


def same(one: Source, other: Source) -> bool:
    """Tell whether two sources were made of the same; of those that do not say it is not known."""
    made = getattr(one, "made_of", None)
    return made is not None and type(one) is type(other) and made == getattr(other, "made_of", None)


def _merge(
    families: dict[str, Family], family: Family, state: _State, beside: Mapping[str, StoredFamily]
) -> None:
    """Add *family*; of two sources with the same name and kind the samples are put together.

    Of one series that several give the first is shown, but StatsD's before all.
    """

    def known(name: str) -> str:
        other: Family | StoredFamily | None = families.get(name)
        if other is None and (stored := beside.get(name)) and stored.series:
            other = stored
        return other.kind if other is not None else ""

    first = families.get(family.name)
    there = known(family.name)
    joins = there == family.kind and (first is not None or there in ("counter", "gauge"))
    if family.name in OWN or (there and not joins) or clashes(family.name, family.kind, known):
        state.dropped[family.name] += 1
        return
    stored = beside.get(family.name)
    lost = [sample for sample in family.samples if sample.labels in stored.series] if stored else []
    if first is None:
        families[family.name] = family
    else:
        # A new one: the source's own answer may be on its way to another scrape as well.
        families[family.name], doubles = joined(first, family)
        lost += [sample for sample in doubles if not stored or sample.labels not in stored.series]
    if lost and not state.doubles:
        shown = series(f"{family.name}{lost[0].suffix}", lost[0].labels)
        log.warning("source %s: %s is given by another source, too: left out", state.source.name, shown[:500])
    state.doubles += len(lost)
