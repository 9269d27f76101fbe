"""What a real JVM says over JMX, however awkward its beans, becomes a page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterator

import pytest

from podmates_metrics.jmx.source import JmxSource
from podmates_metrics.jmx.target import parse_target
from podmates_metrics.sources.base import Family
from tests.support.jmx_pages import Series, is_up, scrape, series, source
from tests.support.jvm import Jvm


@pytest.fixture(scope="module")
def awkward() -> Iterator[Jvm]:
    with Jvm("Awkward") as jvm:
        yield jvm


def test_every_kind_of_value_is_read() -> None:
    with Jvm("Beans") as jvm:
        found = scrape(jvm.address)

    def sample(rest: str, **labels: str) -> float:
        sorted_labels = tuple(sorted({"name": "one", **labels}.items()))
        return found[f"podmates_test_Sample_{rest}", sorted_labels]

    assert sample("Count") == 42
    assert sample("Big") == float(2**63 - 1)
    assert sample("Ratio") == 0.25
    assert sample("Share") == 0.5
    assert sample("NotANumber") != sample("NotANumber")
    assert sample("Enabled") == 1 and sample("Maybe") == 0
    assert sample("Started") == 1_700_000_000.123
    assert sample("Total") == 99
    assert sample("Usage_used") == 10 and sample("Usage_max") == 20
    assert sample("Table_max", name_="eden") == 2 and sample("Table_max", name_="old") == 4
    assert found["podmates_test_Sample_Count", (("name", '"a,b=c"'),)] == 42
    for absent in ("Name", "Nothing", "Colour", "Numbers", "Broken", "Usage_name"):
        assert not [name for name, _ in found if name == f"podmates_test_Sample_{absent}"]


def test_tables_within_tables_give_labels(awkward: Jvm) -> None:
    found = scrape(awkward.address)

    assert found["awkward_Nested_Tables", (("key", "a"), ("key_", "x"))] == 1
    assert found["awkward_Nested_Tables", (("key", "b"), ("key_", "y"))] == 2
    assert found["awkward_Nested_Levels_depth", (("key", "é 😀"),)] == 1
    assert found["awkward_Nested_Levels_top", (("key", 'say "hi"\n'),)] == 1
    assert found["awkward_Nested_Huge", ()] == 1.2345678901234568e29
    assert found["awkward_Nested_Infinite", ()] == float("-inf")
    assert not {name for name, _ in found} & {
        "awkward_Nested_Array",
        "awkward_Nested_Text",
        "awkward_Nested_Nothing",
    }


def test_unusual_object_names_keep_order_quotes_and_blanks(awkward: Jvm) -> None:
    found = scrape(awkward.address)

    for name, labels in {
        "awkward_names_first_Value": {"type": "Unsorted", "alpha": "x"},
        "awkward_names_Quoted_Value": {"name": '"a,b=c:\\"d\\"\\*\\?\\\\"'},
        "awkward_names_Blank_Value": {"name": " spaces around "},
        "awkward_names_Empty_Value": {"name": ""},
        "awkward_names_ml_ut_Value": {"name": "😀"},
        "awkward_names_1_Value": {"a_b": "3"},  # two properties became one label
        "awkward_names_9_Value_total_Value": {},
        "awkward_names_Line_Value": {"name": '"one\\ntwo"'},
    }.items():
        assert found.get((name, tuple(sorted(labels.items())))) == 1, name
    assert found["podmates_jmx_samples_dropped_total", (("reason", "duplicate_label"),)] == 1


@pytest.mark.parametrize("window", [1, 64])
def test_values_that_cannot_be_serialised_hide_nothing_else(awkward: Jvm, window: int) -> None:
    """The second scrape does not ask for them any more."""
    for times in (1, 2):
        found = scrape(awkward.address, times, window=window)

        for attribute, value in {"Alpha": 1, "Gamma": 3, "Zulu": 26}.items():
            assert found[f"awkward_Poisoned_{attribute}", ()] == value
        assert is_up(found) and found["jmx_scrape_error", ()] == 0


def test_a_bean_that_refuses_bulk_reads_is_read_singly(awkward: Jvm) -> None:
    found = scrape(awkward.address)

    assert found["awkward_OneAtATime_Good", ()] == 5
    assert ("awkward_OneAtATime_Bad", ()) not in found


def test_standard_jvm_metrics_need_no_rules(awkward: Jvm) -> None:
    families = asyncio.run(_families(awkward.address))
    kinds = {family.name: family.kind for family in families}
    found = series(families)

    assert found["jvm_memory_used_bytes", (("area", "heap"),)] > 1_000_000
    assert found["jvm_threads_current", ()] >= 1
    assert found["process_start_time_seconds", ()] == pytest.approx(time.time(), abs=3600)
    assert found["process_cpu_seconds_total", ()] > 0
    collectors = {labels for name, labels in found if name == "jvm_gc_collection_seconds_count"}
    assert (
        {labels for name, labels in found if name == "jvm_gc_collection_seconds_sum"} == collectors != set()
    )
    assert {name for name, _ in found} > {
        "jvm_memory_pool_max_bytes",
        "jvm_buffer_pool_used_buffers",
        "process_open_fds",
    }
    [info] = [labels for name, labels in found if name == "jvm_runtime_info"]
    assert [key for key, value in info if value] == ["runtime", "vendor", "version"]
    assert kinds["jvm_gc_collection_seconds"] == "summary"
    assert kinds["jvm_classes_loaded_total"] == "counter"
    assert kinds["java_lang_Memory_HeapMemoryUsage_used"] == "untyped"


async def _families(address: str) -> list[Family]:
    async with source(address) as made:
        return await made.collect()


def test_thousands_of_beans_are_read_in_one_scrape() -> None:
    with Jvm("Beans", arguments=["2000"]) as jvm:
        found = scrape(jvm.address, 2)

    indexes = {dict(labels)["index"] for name, labels in found if name == "podmates_many_Sample_Count"}
    assert indexes == {str(index) for index in range(2000)}
    assert is_up(found)


def test_scrapes_at_the_same_time_share_one_answer(awkward: Jvm) -> None:
    async def run() -> None:
        async with source(awkward.address) as made:
            pages: list[Awaitable[list[Family]]] = [made.collect() for _ in range(20)]
            first, *others = await asyncio.gather(*pages)
            assert all(other is first for other in others)

    asyncio.run(run())


def test_several_jvms_are_told_apart_by_a_label(awkward: Jvm) -> None:
    async def run() -> Series:
        made = JmxSource(parse_target(f"shop={awkward.address}"), labelled=True)
        try:
            return series(await made.collect())
        finally:
            await made.close()

    found = asyncio.run(run())

    assert {dict(labels).get("target") for _, labels in found} == {"shop"}
