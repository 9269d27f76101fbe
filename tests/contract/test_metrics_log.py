"""Real log files through everything that becomes of them, and the counters that come of their lines."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from podmates_metrics.sources.log import LogSource
from tests.support.metrics_sources import count, log_source, scraped, write

RULES = """
rules:
- {{from: log, match: {{text: "*"}}, name: lines_total, type: counter}}
"""


def counting(folder: Path, keys: str = "") -> LogSource:
    return log_source(f"sources: {{log: {{log: {{paths: ['{folder}/*.log'], {keys}}}}}}}" + RULES.format())


def run(body: Callable[[LogSource], Awaitable[None]], source: LogSource) -> None:
    async def whole() -> None:
        try:
            await body(source)
        finally:
            await source.close()

    asyncio.run(whole())


def test_lines_are_counted_once_each_through_rotation_by_rename(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    write(log, "old\nhalf")

    async def body(source: LogSource) -> None:
        assert await count(source) == 0, "what was there before is not counted"
        write(log, " a line\n1\n2\n")
        assert await count(source) == 2
        log.rename(tmp_path / "a.log.1")
        write(tmp_path / "a.log.1", "3\n")
        assert await count(source) == 3, "the application has it open still"
        write(log, "4\n5\n")
        write(tmp_path / "a.log.1", "6\n")
        assert await count(source) == 6
        assert await count(source) == 6
        write(tmp_path / "a.log.1", "7\n")
        assert await count(source) == 7, "the application has not heard of the new file yet"
        assert source.totals()["podmates_log_files"] == {("log",): 2}
        assert source.problem == ""

    run(body, counting(tmp_path))


def test_a_truncated_and_a_replaced_file_begin_anew(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    write(log, "")

    async def body(source: LogSource) -> None:
        await count(source)
        write(log, "1 first\n2 second\n")
        assert await count(source) == 2
        shutil.copy(log, tmp_path / "a.copy")
        os.truncate(log, 0)
        assert await count(source) == 2
        write(log, "3\n")
        assert await count(source) == 3
        os.truncate(log, 0)
        write(log, "4 longer than it was before\n")
        assert await count(source) == 4, "shorter at no look, but another beginning"
        assert source.totals()["podmates_log_truncations_total"] == {("log",): 2}

    run(body, counting(tmp_path))


def test_a_link_that_is_swapped_is_followed(tmp_path: Path) -> None:
    one, two, link = tmp_path / "one", tmp_path / "two", tmp_path / "a.log"
    write(one, "old\n")
    link.symlink_to(one)

    async def body(source: LogSource) -> None:
        await count(source)
        write(one, "1\n")
        write(two, "2\n3\n")
        (tmp_path / "new").symlink_to(two)
        (tmp_path / "new").rename(link)
        assert await count(source) == 3
        write(two, "4\n")
        assert await count(source) == 4

    run(body, counting(tmp_path))


def test_files_come_and_go_and_compressed_ones_are_none(tmp_path: Path) -> None:
    async def body(source: LogSource) -> None:
        assert (await count(source), source.problem) == (0, "no file is there")
        write(tmp_path / "a.log", "1\n")
        write(tmp_path / "b.log", "2\n3\n")
        write(tmp_path / "c.log.gz", "nothing\n")
        assert (await count(source), source.problem) == (3, "")
        (tmp_path / "a.log").unlink()
        (tmp_path / "b.log").unlink()
        os.mkfifo(tmp_path / "b.log")
        assert (await count(source), source.problem) == (3, f"{tmp_path}/b.log: not a file")

    run(body, counting(tmp_path))


def test_a_log_is_read_on_where_it_was_left(tmp_path: Path) -> None:
    keys = f"from: saved, state: {tmp_path}/state"
    write(tmp_path / "a.log", "old\n")

    async def first(source: LogSource) -> None:
        assert await count(source) == 0
        write(tmp_path / "a.log", "1\nhal")
        assert await count(source) == 1

    async def second(source: LogSource) -> None:
        assert await count(source) == 3

    run(first, counting(tmp_path, keys))
    write(tmp_path / "a.log", "f\n2\n")
    (tmp_path / "a.log").rename(tmp_path / "b.log")
    write(tmp_path / "a.log", "3\n")
    run(second, counting(tmp_path, keys))
    state = json.loads((tmp_path / "state").read_text())
    assert sorted(file["offset"] for file in state["files"]) == [2, 13]


BROKEN = {
    "no JSON": "{",
    "another's": '{"version": 2}',
    "nonsense": '{"version": 1, "files": [{"device": []}]}',
    "a number without end": '{"version": 1, "files": [{"device": 1e999}]}',
    "a place that no file has": (
        '{"version": 1, "files": [{"device": 1, "inode": 1, "offset": 1e30, "size": 1, "digest": ""}]}'
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_state_that_cannot_be_read_is_told_and_the_end_taken(tmp_path: Path, name: str) -> None:
    (tmp_path / "state").write_text(BROKEN[name])
    write(tmp_path / "a.log", "old\n")

    async def body(source: LogSource) -> None:
        assert await count(source) == 0
        assert "not a state of ours" in source.problem
        write(tmp_path / "a.log", "1\n")
        assert (await count(source), source.problem) == (1, "")

    run(body, counting(tmp_path, f"from: saved, state: {tmp_path}/state"))


def test_events_become_counters_and_histograms_by_their_fields(tmp_path: Path) -> None:
    source = log_source(
        f"""
sources: {{web: {{log: {{paths: [{tmp_path}/*.log], format: logfmt, from: start}}}}}}
rules:
- {{from: web, match: {{took: "*"}}, action: continue,
   name: took_seconds, type: histogram, buckets: [0.1, 1], value: "{{took}}"}}
- {{from: web, match: {{status: "5??"}}, name: errors_total, type: counter, labels: {{file: "{{@file}}"}}}}
"""
    )
    write(tmp_path / "a.log", "status=200 took=0.05\nstatus=503 took=0.5\nstatus=500\n= nonsense\n")

    async def body(source: LogSource) -> None:
        assert await scraped(source) == [
            'took_seconds_bucket{le="0.1"} 1',
            'took_seconds_bucket{le="1"} 2',
            'took_seconds_bucket{le="+Inf"} 2',
            "took_seconds_sum 0.55",
            "took_seconds_count 2",
            f'errors_total{{file="{tmp_path}/a.log"}} 2',
        ]
        assert source.totals()["podmates_source_skipped_lines_total"] == {("web",): 1}
        assert source.totals()["podmates_log_lines_total"] == {("web",): 4}

    run(body, source)


def test_another_source_for_the_same_files_reads_on_where_the_one_before_has_come_to(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    write(log, "old\n")
    first, second, third = counting(tmp_path), counting(tmp_path), counting(tmp_path)

    async def body(source: LogSource) -> None:
        assert await count(first) == 0
        write(log, "1\n2\n")
        second.take_over(first)
        third.take_over(second)
        await first.close()
        await second.close()
        write(log, "3\n")

        assert await count(third) == 3
        write(log, "4\n")
        assert (await count(third), await count(first)) == (4, 0)

    run(body, third)


def test_a_state_that_cannot_be_written_is_a_problem_until_it_is(tmp_path: Path) -> None:
    write(tmp_path / "a.log", "")
    state = tmp_path / "gone" / "state"

    async def body(source: LogSource) -> None:
        for _ in range(3):
            await count(source)
            assert source.problem == f"{state}: No such file or directory"

    run(body, counting(tmp_path, f"from: saved, state: {state}"))
