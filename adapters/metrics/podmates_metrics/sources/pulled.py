"""A source that is asked at every scrape: a way to its answer, a format, and rules."""

from __future__ import annotations

import logging
import time

from podmates_common.logs import Condition
from podmates_metrics.background import aside
from podmates_metrics.formats.base import FormatProblem
from podmates_metrics.formats.reading import feed
from podmates_metrics.native.pulls import Command, Files, Http, Pull
from podmates_metrics.rules.apply import Applied
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.rules.ledger import Ledger
from podmates_metrics.sources.asking import Answer, SourceProblem, Way
from podmates_metrics.sources.base import Family
from podmates_metrics.statsd.engine import Totals

log = logging.getLogger(__name__)
_SMALL = 1 << 16  # bytes; what is larger is read beside the event loop


class Pulled:
    """One target and the rules for it."""

    def __init__(self, pull: Pull, way: Way, rules: Ruleset) -> None:
        self._pull, self._way = pull, way
        self.made_of = (pull, rules.made_of)
        self._rules = rules
        self._condition = Condition(log, f"source {pull.name}")
        self._several = isinstance(pull.via, Files)  # what is wrong with one file does not spoil the others
        self._last: list[Family] = []
        self._unread = ""  # what was wrong with the last answer
        self._answered = float("-inf")  # monotonic, of the last success
        self._skipped = 0
        self._ledger = Ledger(pull.name)

    @property
    def name(self) -> str:
        return self._pull.name

    @property
    def problem(self) -> str:
        return self._condition.reason

    async def collect(self) -> list[Family]:
        """Return what the rules make of the answer now; without one, of the last while it counts."""
        try:
            answer = await self._way.fetch()
            if not answer.same:
                self._unread = await self._take(answer)
            problem = answer.problem or self._unread
        except SourceProblem as error:
            problem = str(error)
            if self._several:
                self._drop()
        if problem:
            self._condition.fail(problem)
            if time.monotonic() - self._answered > self._pull.stale_after and not self._several:
                self._drop()
        else:
            self._answered = time.monotonic()
            self._condition.ok()
        return self._last

    def _drop(self) -> None:
        self._last = []
        self._ledger.gone()

    async def _take(self, answer: Answer) -> str:
        """Put the bodies through the rules; return what is wrong with one of them."""
        large = sum(len(body) for _, body in answer.bodies) > _SMALL
        if large:
            applied, skipped, problem = await aside(lambda: self._apply(answer), f"read {self.name}")
        else:
            applied, skipped, problem = self._apply(answer)
        if not problem or self._several:
            self._last = list(applied.families.values())
        self._skipped += skipped
        self._ledger.add(applied)
        return problem

    def _apply(self, answer: Answer) -> tuple[Applied, int, str]:
        applied = Applied(self._rules)
        skipped, problem = 0, ""
        for applied.file, body in answer.bodies:
            try:
                skipped += feed(body, self._pull.format, applied)
            except FormatProblem as error:
                problem = problem or str(error)
        return applied, skipped, problem

    def totals(self) -> Totals:
        """Return the values of the self metrics that this source keeps."""
        skipped: Totals = {"podmates_source_skipped_lines_total": {(self.name,): self._skipped}}
        return self._way.totals() | self._ledger.totals() | skipped

    async def close(self) -> None:
        await self._way.close()


def pulled(pull: Pull, rules: Ruleset) -> Pulled:
    """Return the source that *pull* describes; what only one kind needs is imported with the first of it."""
    via = pull.via
    way: Way
    if isinstance(via, Http):
        from podmates_metrics.sources.http import HttpWay

        way = HttpWay(pull, via)
    elif isinstance(via, Files):
        from podmates_metrics.sources.files import FilesWay

        way = FilesWay(pull, via)
    elif isinstance(via, Command):
        from podmates_metrics.sources.command import CommandWay

        way = CommandWay(pull, via)
    else:
        from podmates_metrics.sources.socket import SocketWay

        way = SocketWay(pull, via)
    return Pulled(pull, way, rules)
