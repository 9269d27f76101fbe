"""The package jmxquery: its query text and row type mean over our connection what they mean over its own."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from jmxquery import JMXConnection, JMXQuery

from podmates_metrics.jmx.queries import as_row, ask
from podmates_metrics.jmx.querytext import parse_query
from podmates_metrics.jmx.session import Options, Session
from podmates_metrics.jmx.source import JmxSource
from podmates_metrics.jmx.target import parse_target
from tests.support.jmx_pages import series
from tests.support.jvm import Jvm


@pytest.fixture(scope="module")
def jvm() -> Iterator[Jvm]:
    with Jvm("Beans") as running:
        yield running


def ours(jvm: Jvm, queries: list[JMXQuery]) -> list[JMXQuery]:
    async def run() -> list[JMXQuery]:
        session = await Session.open(parse_target(jvm.url), Options())
        try:
            return await ask(session, queries)
        finally:
            await session.close()

    return asyncio.run(run())


def comparable(rows: list[JMXQuery]) -> list[tuple[Any, ...]]:
    """Return the rows without what differs on purpose: see the compatibility page."""
    unlike = ("Date", "long[]", "[J", "AtomicLong", "Float")
    return sorted(
        (
            ",".join(sorted(re.split("[:,]", row.mBeanName))),
            row.attribute,
            row.attributeKey or "",
            repr(row.value if row.value == row.value else "nan"),
            row.value_type,
            row.metric_name or "",
            sorted((row.metric_labels or {}).items()),
        )
        for row in rows
        if row.value_type not in unlike and row.attribute != "Colour"  # an enum whose class the jar lacks
    )


QUERIES = {
    "a bean": JMXQuery("podmates.test:type=Sample,name=one"),
    "an attribute of many beans": JMXQuery("podmates.test:*", attribute="Count"),
    "a quoted name": JMXQuery('podmates.test:type=Sample,name="a,b=c"', attribute="Big"),
    "metric and labels": JMXQuery(
        "java.lang:type=MemoryPool,name=*",
        attribute="CollectionUsageThresholdSupported",
        metric_name="pool_{attribute}_{nothing}",
        metric_labels={"pool": "{name}", "kind": "a {type}"},
    ),
    "a bean that is not there": JMXQuery("podmates.test:type=Nobody"),
    "an attribute that is not there": JMXQuery("podmates.test:type=Sample,name=one", attribute="Nothing2"),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_rows_are_those_of_the_package(jvm: Jvm, query: JMXQuery) -> None:
    theirs = JMXConnection(jvm.url, java_path=shutil.which("java")).query([query], timeout=60)

    assert comparable(ours(jvm, [query])) == comparable(theirs)


def test_a_key_gives_its_item_only(jvm: Jvm) -> None:
    """Over its own connection the package returns all items."""
    query = parse_query("used<b={name}>==podmates.test:type=Sample,name=one/Usage/used")
    [row] = ours(jvm, [as_row(query)])

    assert (row.attributeKey, row.value, row.value_type) == ("used", 10, "Long")
    assert (row.metric_name, row.metric_labels) == ("used", {"b": "one"})


def test_queries_add_to_the_page(jvm: Jvm) -> None:
    async def run() -> None:
        query = parse_query("jvm_sample_{attribute}<bean={name}>==podmates.test:type=Sample,*/Count")
        made = JmxSource(replace(parse_target(jvm.address), queries=(query,)))
        try:
            found = series(await made.collect())
        finally:
            await made.close()

        assert found["jvm_sample_Count", (("bean", "one"),)] == 42
        assert found["jvm_sample_Count", (("bean", "a,b=c"),)] == 42

    asyncio.run(run())
