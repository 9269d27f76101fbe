"""Logs whose source is changed by a reload, and logs that a link leads back to: each line counts once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from podmates_common.health import Health
from podmates_metrics.sources.gather import Gatherer
from podmates_metrics.sources.log import LogSource
from podmates_metrics.tailing.following import Following
from podmates_metrics.tailing.tail import Tail
from tests.support.metrics_sources import count, log_source, scraped, write


def made(folder: Path, paths: str, keys: str, name: str = "log") -> LogSource:
    listed = ", ".join(f"'{folder}/{path}'" for path in paths.split())
    return log_source(
        f"sources: {{{name}: {{log: {{paths: [{listed}], {keys}}}}}}}\n"
        "rules: [{match: {text: '*'}, name: lines_total, type: counter}]\n"
    )


STARTS = {
    "end": ("from: end", 0, 0),
    "start": ("from: start", 1, 1),
    "saved": ("from: saved, state: {0}/state", 0, 1),  # a state is there, the added file not in it
}
CHANGES = {
    "a file more": ("a.log", "a.log b.log"),
    "a pattern for a name": ("a.log", "*.log"),
    "a file less": ("a.log c.log", "a.log b.log"),
    "a name for a pattern": ("*.lo? x", "a.log b.log"),
    "a pattern of folders": ("a.log", "**/*.log"),
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("change", CHANGES)
def test_changed_paths_leave_files_of_before_where_they_are(tmp_path: Path, start: str, change: str) -> None:
    keys, old, added = STARTS[start]
    before, after = CHANGES[change]
    known = before.startswith("*")  # the added file was read before already
    write(tmp_path / "a.log", "old\n")
    if known:
        write(tmp_path / "b.log", "old\n")

    async def body() -> None:
        first = made(tmp_path, before, keys.format(tmp_path))
        gatherer = Gatherer([first], Health(), critical=False)
        assert await count(first) == old * (1 + known)
        write(tmp_path / "a.log", "1\n2\nhal")
        if not known:
            write(tmp_path / "b.log", "old\n")
        second = made(tmp_path, after, keys.format(tmp_path))
        await gatherer.replace([second])
        write(tmp_path / "a.log", "f\n4\n")
        wanted = old * (1 + known) + 4 + (0 if known else added)
        assert await count(second) == wanted
        write(tmp_path / "b.log", "1\n")
        assert await count(second) == wanted + 1
        await gatherer.close()

    asyncio.run(body())


OTHER = "{from: other, match: {path: n}, name: n}"
LINES = "{from: log, match: {text: 'a*'}, name: lines_total, type: counter}"
WRONG = "{from: log, match: {text: 'b*'}, name: wrong_total, type: counter, value: '{text}'}"
TIMES = "{from: log, match: {text: '{t}'}, name: t_seconds, type: histogram, buckets: [5], value: '{t}'}"
MOVED = {  # the rules before and after, and whether what was counted stays
    "another's in front": (f"{LINES}, {WRONG}, {TIMES}", f"{OTHER}, {LINES}, {WRONG}, {TIMES}", True),
    "another's less": (f"{OTHER}, {LINES}, {WRONG}, {TIMES}", f"{LINES}, {WRONG}, {TIMES}", True),
    "one less": (f"{LINES}, {WRONG}, {TIMES}", f"{WRONG}, {TIMES}", False),
    "in another order": (f"{LINES}, {WRONG}, {TIMES}", f"{WRONG}, {LINES}, {TIMES}", False),
    "one made anew": (f"{LINES}, {WRONG}, {TIMES}", f"{LINES}, {WRONG}, {TIMES[:-1]}, ttl: 1h}}", False),
}


@pytest.mark.parametrize("change", MOVED)
def test_series_go_on_where_rules_are_only_moved_in_their_file(tmp_path: Path, change: str) -> None:
    before, after, goes_on = MOVED[change]

    def source(rules: str) -> LogSource:
        return log_source(
            "sources:\n  other: {http: {url: 'http://other/'}}\n"
            f"  log: {{log: {{paths: [{tmp_path}/a.log], from: start}}}}\nrules: [{rules}]\n"
        )

    async def body() -> None:
        write(tmp_path / "a.log", "a1\nbad\n1\n9\n")
        first = source(before)
        gatherer = Gatherer([first], Health(), critical=False)
        shown = await scraped(first)
        assert shown[0] == "lines_total 1" and shown[-1] == "t_seconds_count 2"

        second = source(after)
        await gatherer.replace([second])
        assert await scraped(second) == (shown if goes_on else [])
        write(tmp_path / "a.log", "2\nbad\n")
        assert (await scraped(second))[-1] == f"t_seconds_count {3 if goes_on else 1}"
        place = after[: after.index(WRONG)].count("name:")
        wrong = second.totals()["podmates_rule_errors_total"]
        assert wrong == {("log", str(place), "not_a_number"): 2 if goes_on else 1}
        assert second.totals()["podmates_log_lines_total"] == {("log",): 6}
        await gatherer.close()

    asyncio.run(body())


def test_a_log_that_is_renamed_before_the_change_is_read_to_its_end(tmp_path: Path) -> None:
    write(tmp_path / "a.log", "old\n")
    write(tmp_path / "c.log", "old\n")

    async def body() -> None:
        first = made(tmp_path, "a.log c.log", "")
        gatherer = Gatherer([first], Health(), critical=False)
        assert await count(first) == 0
        write(tmp_path / "a.log", "1\n")
        write(tmp_path / "c.log", "another's\n")
        (tmp_path / "a.log").rename(tmp_path / "a.1")
        second = made(tmp_path, "a.log b.log", "")
        await gatherer.replace([second])
        write(tmp_path / "a.1", "2\n")
        write(tmp_path / "a.log", "3\n")
        assert await count(second) == 3
        await gatherer.close()

    asyncio.run(body())


def test_a_source_that_is_renamed_reads_on(tmp_path: Path) -> None:
    write(tmp_path / "a.log", "old\n")

    async def body() -> None:
        first = made(tmp_path, "a.log", "")
        gatherer = Gatherer([first], Health(), critical=False)
        assert await count(first) == 0
        write(tmp_path / "a.log", "1\n")
        second, third = made(tmp_path, "a.log", "", "web"), made(tmp_path, "a.log", "", "other")
        await gatherer.replace([second, third])
        assert (await count(second), await count(third)) == (1, 0)
        await gatherer.close()

    asyncio.run(body())


def test_a_link_that_leads_back_to_a_file_goes_on_with_it(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / name, f"{name}1\n{name}2\n")
    link, lines = tmp_path / "log", list[str]()
    tail = Tail((str(link),), Following("start"))

    def look(now: float) -> None:
        tail.look(now, lambda line, _: lines.append(line))

    link.symlink_to("a")
    for number, target in enumerate("abab"):
        link.unlink()
        link.symlink_to(target)
        for second in range(0, 30, 5):
            look(number * 100.0 + second)
        assert len(tail.following.files) == 1
        write(tmp_path / target, f"{target}{number + 3}\n")
        look(number * 100.0 + 30)
    tail.close()

    assert lines == ["a1", "a2", "a3", "b1", "b2", "b4", "a5", "b6"]
