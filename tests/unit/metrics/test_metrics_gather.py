"""Sources are asked once for all scrapes that wait, under a deadline, and none spoils another's answer."""

from __future__ import annotations

import asyncio

import pytest

from podmates_common.health import Health
from podmates_metrics.rules.limits import OVERFLOW
from podmates_metrics.sources.base import Family, Sample
from podmates_metrics.sources.gather import Gatherer
from tests.unit.metrics.engines import engine


class Slow:
    """Answers with one sample, once it is let go."""

    problem = ""

    def __init__(self, name: str, *, free: bool = True) -> None:
        self.name = name
        self.asked = 0
        self.free = asyncio.Event()
        if free:
            self.free.set()

    async def collect(self) -> list[Family]:
        self.asked += 1
        await self.free.wait()
        return [Family("things", "gauge", "", [Sample((("source", self.name),), 1.0)])]

    async def close(self) -> None:
        self.free.set()


def labels(families: dict[str, Family]) -> list[str]:
    return [value for sample in families["things"].samples for _, value in sample.labels]


def test_two_scrapes_at_once_share_one_question() -> None:
    async def body() -> None:
        slow = Slow("a", free=False)
        gatherer = Gatherer([slow], Health(), critical=True)
        scrapes = [asyncio.create_task(gatherer.collect(30)) for _ in range(2)]
        async with asyncio.timeout(30):
            while not slow.asked:
                await asyncio.sleep(0)
        slow.free.set()

        assert [labels(families) for families in await asyncio.gather(*scrapes)] == [["a"], ["a"]]
        assert slow.asked == 1
        await gatherer.collect(30)
        assert slow.asked == 2

    asyncio.run(body())


def test_a_hung_source_does_not_hold_the_others_back_and_is_not_asked_again() -> None:
    async def body() -> None:
        hung, well, health = Slow("hung", free=False), Slow("well"), Health()
        gatherer = Gatherer([hung, well], health, critical=True)
        for _ in range(2):
            assert labels(await gatherer.collect(0.05)) == ["well"]

        assert (hung.asked, well.asked) == (1, 2)
        assert health.problems() == {"hung": "no answer within 0.05 s", "well": ""}
        await gatherer.close()

    asyncio.run(body())


def test_a_source_has_failed_when_it_had_its_time_and_not_when_a_scrape_had_none() -> None:
    async def body() -> None:
        slow, health = Slow("slow"), Health()
        gatherer = Gatherer([slow], health, critical=True)
        assert (await gatherer.ask(30)).whole
        slow.free.clear()

        answers = await gatherer.ask(0.5, 0.001)

        assert (answers.given, answers.whole) == ([], False)
        assert health.problems() == {"slow": ""}
        assert gatherer.totals()["podmates_source_up"] == {("slow",): 1}
        async with asyncio.timeout(30):
            while not (await gatherer.ask(0.5, 0.1)).whole:
                assert health.problems() == {"slow": ""}
        assert health.problems() == {"slow": "no answer within 0.5 s"}
        assert gatherer.totals()["podmates_source_up"] == {("slow",): 0}
        slow.free.set()
        assert (await gatherer.ask(30, 20)).whole
        assert health.problems() == {"slow": ""}
        await gatherer.close()

    asyncio.run(body())


def test_families_of_one_name_are_put_together_without_changing_what_a_source_gave() -> None:
    async def body() -> None:
        kept = [Family("things", "gauge", "", [Sample((("source", "a"),), 1.0)])]

        class Keeping(Slow):
            async def collect(self) -> list[Family]:
                return kept

        gatherer = Gatherer([Keeping("a"), Slow("b")], Health(), critical=True)
        for _ in range(2):
            assert labels(await gatherer.collect(30)) == ["a", "b"]
        assert len(kept[0].samples) == 1

    asyncio.run(body())


def test_what_is_beyond_the_limits_of_two_sources_adds_up() -> None:
    class Full(Slow):
        async def collect(self) -> list[Family]:
            beyond = ("user", OVERFLOW)
            parts = [("", "_sum", 2.0), ("", "_count", 1.0), ("1", "_bucket", 1.0)]
            samples = [Sample((("le", le), beyond) if le else (beyond,), n, part) for le, part, n in parts]
            own = Sample((("user", "ann"),), 1.0)
            return [
                Family("hits", "counter", "", [own, Sample((beyond,), 5.0)]),
                Family("took", "histogram", "", samples),
                Family("load", "gauge", "", [Sample((beyond,), 5.0)]),
            ]

    async def body() -> None:
        families = await Gatherer([Full("a"), Full("b")], Health(), critical=True).collect(30)

        shown = {name: [sample.value for sample in family.samples] for name, family in families.items()}
        assert shown == {"hits": [1.0, 10.0], "took": [4.0, 2.0, 2.0], "load": [5.0]}

    asyncio.run(body())


def test_of_a_series_that_two_sources_give_the_first_is_shown() -> None:
    class Giving(Slow):
        async def collect(self) -> list[Family]:
            own = Sample((("source", self.name),), 1.0)
            return [Family("load", "gauge", "", [Sample((), float(len(self.name))), own])]

    async def body() -> None:
        families = await Gatherer([Giving("aa"), Giving("b")], Health(), critical=True).collect(30)

        assert [sample.value for sample in families["load"].samples] == [2.0, 1.0, 1.0]

    asyncio.run(body())


def test_a_series_that_another_gives_too_is_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    class Giving(Slow):
        async def collect(self) -> list[Family]:
            own = Sample((("source", self.name),), 1.0)
            both = Sample((("to", "all"),), 1.0)
            return [
                Family("load", "gauge", "", [own, both]),
                Family("lines", "counter", "", [Sample((), 1.0)]),
            ]

    async def body() -> None:
        statsd = engine()
        statsd.feed(b"lines:1|c", 0.0)
        gatherer = Gatherer([Giving("a"), Giving("b"), Giving("c")], Health(), critical=True)
        for _ in range(2):
            families = await gatherer.collect(30, statsd.store.families)
        assert len(families["load"].samples) == 4
        dropped = gatherer.totals()["podmates_source_dropped_series_total"]
        assert dropped == {("a",): 2, ("b",): 4, ("c",): 4}

    asyncio.run(body())
    assert [text.partition(" is ")[0] for text in caplog.messages] == [
        "source a: lines",
        'source b: load{to="all"}',
        'source c: load{to="all"}',
    ]


class Made(Slow):
    """Says what it is made of, and whether it was closed."""

    def __init__(self, name: str, made_of: str, *, free: bool = True) -> None:
        super().__init__(name, free=free)
        self.made_of = made_of
        self.closed = False

    async def close(self) -> None:
        self.closed = True
        await super().close()


def test_sources_are_replaced_but_for_those_made_of_the_same() -> None:
    async def body() -> None:
        health = Health()
        kept, changed, gone = Made("kept", "x"), Made("changed", "x"), Made("gone", "x")
        gatherer = Gatherer([kept, changed, gone], health, critical=True)
        await gatherer.collect(30)
        again, other, fresh = Made("kept", "x"), Made("changed", "y"), Made("fresh", "x")

        await gatherer.replace([fresh, again, other])
        families = await gatherer.collect(30)

        assert labels(families) == ["fresh", "kept", "changed"]
        assert (kept.asked, again.asked, other.asked) == (2, 0, 1)
        assert (kept.closed, changed.closed, gone.closed) == (False, True, True)
        assert set(gatherer.totals()["podmates_source_up"]) == {("fresh",), ("kept",), ("changed",)}
        assert set(health.problems()) == {"fresh", "kept", "changed"}
        await gatherer.close()

    asyncio.run(body())


def test_a_scrape_that_waits_for_a_source_that_goes_ends_well() -> None:
    async def body() -> None:
        hung, health = Made("hung", "x", free=False), Health()
        gatherer = Gatherer([hung], health, critical=True)
        scrape = asyncio.create_task(gatherer.collect(30))
        async with asyncio.timeout(30):
            while not hung.asked:
                await asyncio.sleep(0)

            await gatherer.replace([])

            assert await scrape == {}
        assert health.problems() == {}

    asyncio.run(body())


CLASHING = {
    "part of a summary": (["t summary", "t_count gauge"], ["t"]),
    "a summary after its part": (["t_sum gauge", "t summary"], ["t_sum"]),
    "a histogram after its part": (["t_bucket gauge", "t histogram"], ["t_bucket"]),
    "a summary has no buckets": (["t summary", "t_bucket gauge"], ["t", "t_bucket"]),
    "a gauge has no parts": (["t gauge", "t_count counter"], ["t", "t_count"]),
    "another type": (["t gauge", "t counter"], ["t"]),
    "part of StatsD's": (["lines_sum gauge", "ok gauge"], ["ok"]),
    "a summary around StatsD's": (["n summary"], []),
    "StatsD's name with another type": (["n_count gauge", "lines summary"], []),
    "StatsD's name with its type": (["n_count counter"], ["n_count"]),
    "around a metric of ours": (["statsd_exporter_lines_total gauge"], []),
}


@pytest.mark.parametrize(("told", "kept"), CLASHING.values(), ids=CLASHING)
def test_no_two_families_of_a_page_expose_one_name(told: list[str], kept: list[str]) -> None:
    class Telling(Slow):
        async def collect(self) -> list[Family]:
            pairs = [text.split() for text in told]
            return [Family(name, kind, "", [Sample((), 1.0)]) for name, kind in pairs]  # type: ignore[arg-type]

    async def body() -> None:
        statsd = engine()
        statsd.feed(b"lines:1|ms\nn_count:1|c", 0.0)
        gatherer = Gatherer([Telling("a")], Health(), critical=True)

        assert list(await gatherer.collect(30, statsd.store.families)) == kept
        dropped = gatherer.totals()["podmates_source_dropped_families_total"]
        assert sum(dropped.values()) == len(told) - len(kept)

    asyncio.run(body())
