"""A JVM as a source of the page: keeps a session, scrapes it on request, says what is wrong."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections import Counter
from collections.abc import Callable

from podmates_common.logs import Condition
from podmates_metrics.jmx.catalogue import Catalogue
from podmates_metrics.jmx.keeper import HEARTBEAT, Keeper, Unreachable
from podmates_metrics.jmx.scrape import Scrape
from podmates_metrics.jmx.session import FAILURES, Answer, Options, Session
from podmates_metrics.jmx.standard import PROPERTIES, RUNTIME, system_properties
from podmates_metrics.jmx.target import Target
from podmates_metrics.jmx.view import Plain, View, Views
from podmates_metrics.sources.base import Family, Labels, Sample

log = logging.getLogger(__name__)
DEADLINE = 8.0  # seconds; Prometheus gives up after 10 unless told otherwise
_READING = 0.9  # share of the deadline for the JVM; the rest is for making the page


class JmxSource:
    """Reads the MBeans of one JVM at every scrape.

    Args:
        target: the JVM.
        deadline: seconds after which a scrape comes back with what it has.
        options: how to connect.
        labelled: put the label `target` on every sample, so that several JVMs can share a page;
            `jmx_up` always has it.
        heartbeat: seconds without a scrape after which the session is kept awake.
        views: gives the view to use; without it everything is shown in the default format.
    """

    def __init__(
        self,
        target: Target,
        *,
        deadline: float = DEADLINE,
        options: Options | None = None,
        labelled: bool = False,
        heartbeat: float = HEARTBEAT,
        views: Views | None = None,
    ) -> None:
        self._target, self._deadline = target, deadline
        self.made_of = (target, deadline, options, labelled, getattr(views, "made_of", views))
        self._label: Labels = (("target", target.label),) if labelled else ()
        self._keeper = Keeper(target, options or Options(), heartbeat)
        self._session: Session | None = None  # that the last scrape has used
        self._condition = Condition(log, f"JVM {target.label}")
        self._view: View = Plain()
        self._views = views
        self._catalogue = Catalogue()
        self._brought = self._nothing()
        self._properties: tuple[Session | None, dict[str, str]] = (None, {})
        self._dropped: Counter[str] = Counter()
        self._timeouts = 0
        self._asked: list[Family] = []
        self._flight: asyncio.Task[list[Family]] | None = None

    @property
    def name(self) -> str:
        """The name of the JVM, or its address."""
        return self._target.label

    @property
    def problem(self) -> str:
        """Why the last scrape was not complete; empty when it was."""
        return self._condition.reason

    @property
    def sessions(self) -> int:
        """How many sessions were opened so far; more than one tells of a JVM that went away."""
        return self._keeper.sessions

    async def collect(self) -> list[Family]:
        """Return what the JVM says; scrapes at the same time share one answer."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._scrape())
            self._flight.add_done_callback(self._landed)
        return await asyncio.shield(self._flight)

    def _landed(self, _: asyncio.Task[list[Family]]) -> None:
        """Keep no page between scrapes."""
        self._flight, self._brought, self._asked = None, self._nothing(), []

    def totals(self) -> dict[str, dict[tuple[str, ...], float]]:
        """Return the values of the self metrics that the view keeps."""
        more: Callable[[], dict[str, dict[tuple[str, ...], float]]] | None = getattr(
            self._views, "totals", None
        )
        return more() if more else {}

    async def close(self) -> None:
        """End the session on the JVM, if it answers within a second, and stop everything."""
        if self._flight:
            self._flight.cancel()
            await asyncio.wait({self._flight})
        await self._keeper.close()

    async def _scrape(self) -> list[Family]:
        start, slow = time.monotonic(), ""
        limit = self._deadline * _READING
        deadline = asyncio.timeout(limit)
        try:
            async with deadline:
                await self._read_all()
        except FAILURES as error:
            slow = self._session.waiting_for if deadline.expired() and self._session else ""
            self._timeouts += deadline.expired()
            self._condition.fail(
                f"no answer within {limit:g} s" if deadline.expired() else str(error) or repr(error)
            )
        else:
            self._condition.ok()
        families = self._brought.families(self._properties[1]) + self._asked
        self._dropped += self._brought.report.dropped
        families += self._own(time.monotonic() - start, slow)
        return [self._labelled(family) for family in families]

    async def _read_all(self) -> None:
        """Read all beans; a session that the JVM has ended meanwhile is replaced once."""
        try:
            await self._read_once()
        except Unreachable:
            raise
        except ConnectionError:
            await self._read_once()

    async def _read_once(self) -> None:
        if self._views and (view := self._views.current()) is not self._view:
            self._view, self._catalogue = view, Catalogue()
        self._session, self._brought, self._asked = None, self._nothing(), []
        self._session = session = await self._keeper.session()
        async with self._keeper.using(session):
            await self._read(session, self._brought)

    def _nothing(self) -> Scrape:
        return Scrape(self._catalogue, self._view)

    async def _read(self, session: Session, brought: Scrape) -> None:
        now = time.monotonic()
        unknown = self._catalogue.unknown(self._view.wanted(await session.names()), now)
        infos = await session.infos(unknown)
        self._catalogue.describe({bean: self._view.readable(bean, infos[bean]) for bean in infos}, now)
        if self._view.standard and self._properties[0] is not session:
            self._properties = session, await _system_properties(session)

        def take(answer: Answer) -> None:
            if not answer.gone:
                brought.take(answer.bean, answer.values, answer.broken)

        await session.read(self._catalogue.plan(), take)
        brought.learn()
        if self._target.queries:
            from podmates_metrics.jmx.queries import as_row, ask, families

            self._asked = families(await ask(session, [as_row(query) for query in self._target.queries]))

    def _own(self, seconds: float, slow: str) -> list[Family]:
        failed = bool(self.problem)
        up = Family("jmx_up", "gauge", "Whether the JVM answered the last scrape completely.")
        up.add(float(not failed), target=self._target.label)
        took = Family("jmx_scrape_duration_seconds", "gauge", "Seconds that this scrape took.")
        took.add(seconds)
        error = Family("jmx_scrape_error", "gauge", "1 when this scrape failed or is not complete.")
        error.add(float(failed))
        cached = Family("jmx_scrape_cached_beans", "gauge", "Beans with the outcome of a rule remembered.")
        cached.add(float(self._brought.report.cached))
        timeouts = Family("jmx_scrape_timeout_total", "counter", "Scrapes without a full answer in time.")
        timeouts.add(float(self._timeouts))
        lost = Family("podmates_jmx_samples_dropped_total", "counter", "Readings not on the page, by reason.")
        for reason, count in self._dropped.items():
            lost.add(float(count), reason=reason)
        waited = Family("jmx_slow_beans", "gauge", "The bean whose answer had not come when the time was up.")
        if slow:
            waited.add(1.0, objectname=slow)
        made = [up, took, error, cached, timeouts, lost, waited]
        made += self._views.families() if self._views else []
        return [family for family in made if family.samples]

    def _labelled(self, family: Family) -> Family:
        if not self._label or family.name == "jmx_up":
            return family
        return dataclasses.replace(family, samples=[_with(sample, self._label) for sample in family.samples])


async def _system_properties(session: Session) -> dict[str, str]:
    answers: list[Answer] = []
    await session.read([(RUNTIME, [PROPERTIES])], answers.append)
    return system_properties(answers[0].values.get(PROPERTIES)) if answers else {}


def _with(sample: Sample, label: Labels) -> Sample:
    found = {f"exported_{key}" if key == label[0][0] else key: value for key, value in sample.labels}
    return dataclasses.replace(sample, labels=tuple(sorted({**found, **dict(label)}.items())))
