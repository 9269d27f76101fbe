"""Every published compose file, as it stands: the main job of each service on real parts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.compose import Compose
from tests.support.waiting import until

IMAGES = Path(__file__).parents[2] / "images"

pytestmark = pytest.mark.usefixtures("_engine")


def test_gitsync_a_push_changes_the_page_that_nginx_serves() -> None:
    with Compose(IMAGES / "gitsync" / "compose.yaml") as pattern:
        until(lambda: "<h1>Hello</h1>" in pattern.get("HTTP_PORT").body, 60, "the first page")

        said = pattern.run("run", "--rm", "-e", "TEXT=A new page", "origin")

        # Long before the next look, for gitsync was told.
        until(lambda: "<h1>A new page</h1>" in pattern.get("HTTP_PORT").body, 20, "the new page")
        assert "nobody heard" not in said


def test_redis_ambassador_writes_reach_the_master_and_reads_the_replica() -> None:
    with Compose(IMAGES / "redis-ambassador" / "compose.yaml") as pattern:
        until(lambda: pattern.get("HTTP_PORT").status == 200, 60, "the application")
        for visit in range(1, 6):
            page = pattern.get("HTTP_PORT").body
            shown = dict(re.findall(r"<dd id=(\w+)>(.*)", page))

            assert int(shown["wrote"]) >= visit
            assert shown["read"] == shown["wrote"]  # the application reads its own writes

        def calls(server: str, command: str) -> int:
            text = pattern.run("exec", "-T", server, "redis-cli", "info", "commandstats")
            found = re.search(rf"cmdstat_{command}:calls=(\d+)", text)
            return int(found[1]) if found else 0

        assert calls("redis-master", "incrby") >= 5
        until(
            lambda: pattern.get("HTTP_PORT") and calls("redis-replica", "get") > 0,
            60,
            "a read at the replica",
        )
        assert pattern.get("ADMIN_PORT", "/readyz").status == 200


def test_metrics_adapter_seven_kinds_of_source_become_one_page_that_prometheus_scrapes() -> None:
    wanted = {
        "StatsD": r"^example_statsd_visits \d",
        "the JSON page": r'^example_work_total\{kind="visits"\} \d',
        "the lines of a socket": r'^example_line_total\{kind="visits"\} \d',
        "the access log": r'^example_request_seconds_count\{status="200"\} \d',
        "the state in a file": r"^example_batch_items \d",
        "a program": r'^example_volume_bytes\{what="free"\} \d',
        "the JVM itself": r"^jvm_threads_current\b.* \d",
        "the JVM's own beans": r"(?i)^example_orders_processed\b.* \d",
    }
    with Compose(IMAGES / "metrics-adapter" / "compose.yaml") as pattern:
        until(lambda: pattern.get("METRICS_PORT", "/readyz").status == 200, 60, "the adapter")
        until(lambda: pattern.get("HTTP_PORT").status == 200, 60, "the application")
        pattern.get("HTTP_PORT")

        def missing() -> list[str]:
            page = pattern.get("METRICS_PORT", "/metrics").body
            return [source for source, line in wanted.items() if not re.search(line, page, re.MULTILINE)]

        until(lambda: not missing(), 120, f"{', '.join(wanted)} on the page")

        def scraped() -> bool:
            answer = pattern.get("PROMETHEUS_PORT", "/api/v1/query?query=example_work_total").body
            return bool(json.loads(answer)["data"]["result"])

        until(scraped, 90, "Prometheus to have scraped", ignoring=(ValueError, KeyError))
