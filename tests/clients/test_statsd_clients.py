"""Clients of DogStatsD, unmodified, into the metrics adapter: all that they offer is on the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.e2e.adapters import Adapter
from tests.support.processes import run

EVENT = 'statsd_events_total{alert_type="error",priority="low",site="a"}'
ERRORS = ("statsd_exporter_sample_errors_total", "statsd_exporter_events_error_total")


def wanted(prefix: str, *, timer: float = 0.75) -> dict[str, float]:
    return {
        f"{prefix}_level": 2,
        f"{prefix}_time_sum": timer,
        f"{prefix}_size_sum": 7.5,
        f"{prefix}_spread_count": 3,
        f"{prefix}_users": 2,
        EVENT: 1,
        f'service_check_status{{name="{prefix}.up",site="a"}}': 1,
        "statsd_exporter_tag_errors_total": 0,
    }


def test_datadogs_own_client_by_udp_and_by_a_unix_stream(
    command: Callable[[str], list[str]], tmp_path: Path
) -> None:
    path = tmp_path / "dogstatsd.sock"
    with Adapter("--statsd.dogstatsd-extensions", f"--statsd.listen-unix={path}") as adapter:
        for times, where in enumerate((str(adapter.lines), str(path)), 1):
            assert run([*command(f"python/datadog_client {where}")]).status == 0

            counts = {'dd_count{plain="true",site="a"}': 6 * times, "dd_then": 5 * times, EVENT: times}
            page = adapter.wait_for(wanted("dd", timer=0.75 * times) | _times(times) | counts)
        assert page["podmates_statsd_unix_connections_total"] >= 1
        assert not [name for name in page if name.startswith(ERRORS)]


def _times(times: int) -> dict[str, float]:
    return {"dd_size_sum": 7.5 * times, "dd_spread_count": 3 * times}


def test_a_client_of_node(command: Callable[[str], list[str]]) -> None:
    with Adapter("--statsd.dogstatsd-extensions") as adapter:
        assert run([*command(f"node/hotshots {adapter.lines}")]).status == 0

        page = adapter.wait_for(wanted("hs") | {'hs_count{site="a"}': 6})
        assert not [name for name in page if name.startswith(ERRORS)]
