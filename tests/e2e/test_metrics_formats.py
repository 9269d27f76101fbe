"""The formats of a running adapter: who gets which, and that Prometheus reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.e2e.adapters import Adapter
from tests.support.ports import free_port
from tests.support.prometheus import Prometheus
from tests.support.statsd_sender import send_udp
from tests.support.waiting import until
from tests.support.web import get

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
LINES = b"hits_total:3|c\nplain:2|c|#path:/a\nload:-1.5|g\ntimer:5|ms\ntimer:7|ms"
WANTED = {"hits_total": 3, "plain": 2, "load": -1.5, "timer_count": 2, "statsd_exporter_lines_total": 5}
PROTOBUF_TOO = "--enable-feature=native-histograms"  # what makes Prometheus 2 ask for it


def kind_of(prometheus: Prometheus, metric: str) -> str:
    """Return what Prometheus holds a metric's type to be."""

    def look() -> str:
        data = json.loads(get(f"{prometheus.url}/api/v1/metadata?metric={metric}").body)["data"]
        return str(data[metric][0]["type"]) if data else ""

    return until(look, 30, f"the type of {metric}")


def fed(adapter: Adapter, port: int) -> None:
    send_udp(("127.0.0.1", port), LINES)
    adapter.wait_for({"hits_total": 3})


def read_back(prometheus: Prometheus) -> dict[str, float]:
    return {name: prometheus.wait_for(name)[0][1] for name in WANTED}


def test_under_the_originals_flags_openmetrics_is_not_offered(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("mappings: [{match: a.*, name: a, labels: {rest: $1}}]")
    for flags in ((), (f"--statsd.mapping-config={mapping}",), (f"--config.file={mapping}",)):
        with Adapter(*flags) as adapter:
            answer = adapter.get("/metrics", Accept=OPENMETRICS)

            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert "# EOF" not in answer.text


def test_under_a_native_file_prometheus_takes_openmetrics(tmp_path: Path) -> None:
    file, port = tmp_path / "rules.yaml", free_port()
    file.write_text(f'sources: {{app: {{statsd: {{udp: "127.0.0.1:{port}"}}}}}}')
    with Adapter(f"--config.file={file}") as adapter:
        fed(adapter, port)
        answer = adapter.get("/metrics", Accept=OPENMETRICS)
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        read = list(text_string_to_metric_families(answer.text))  # type: ignore[no-untyped-call]
        assert {"hits", "plain", "statsd_exporter_lines"} <= {family.name for family in read}
        with Prometheus(f"127.0.0.1:{adapter.web}") as prometheus:
            assert read_back(prometheus) == WANTED
            assert kind_of(prometheus, "plain") == "unknown"  # so OpenMetrics it was: there is no _total


def test_openmetrics_shows_the_trace_that_a_line_was_tagged_with(tmp_path: Path) -> None:
    file, port = tmp_path / "rules.yaml", free_port()
    rule = "{name: t_seconds, type: histogram, buckets: [1], exemplar: {trace_id: '{trace}'}}"
    file.write_text(f'sources: {{app: {{statsd: {{udp: "127.0.0.1:{port}"}}}}}}\nrules: [{rule}]')
    with Adapter(f"--config.file={file}") as adapter:
        send_udp(("127.0.0.1", port), b"t:250|ms|#zone:a,trace:4bf92f", b"t:5000|ms|#zone:a")
        adapter.wait_for({'t_seconds_count{zone="a"}': 2})
        text = adapter.get("/metrics", Accept=OPENMETRICS).text

        read = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        [samples] = [family.samples for family in read if family.name == "t_seconds"]
        told = {one.labels["le"]: one.exemplar.labels for one in samples if one.exemplar}
        assert told == {"1": {"trace_id": "4bf92f"}}
        assert {one.labels["zone"] for one in samples} == {"a"}


def test_prometheus_takes_protobuf_under_any_flags() -> None:
    with Adapter() as adapter:
        fed(adapter, adapter.lines)
        with Prometheus(f"127.0.0.1:{adapter.web}", flags=[PROTOBUF_TOO]) as prometheus:
            assert read_back(prometheus) == WANTED
            assert kind_of(prometheus, "plain") == "counter"


def test_prometheus_takes_native_histograms(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("mappings: [{match: size, name: size, observer_type: histogram}]")
    with Adapter(f"--statsd.mapping-config={mapping}") as adapter:
        send_udp(adapter.address, *(b"size:%d|h" % number for number in range(1, 101)))
        adapter.wait_for({"size_count": 100})
        with Prometheus(f"127.0.0.1:{adapter.web}", flags=[PROTOBUF_TOO]) as prometheus:
            assert prometheus.wait_for("histogram_count(size)")[0][1] == 100
            assert prometheus.wait_for("histogram_sum(size)")[0][1] == 5050
            # Of buckets that grow by a tenth, far finer than the classic ones, which end at 10.
            assert prometheus.wait_for("histogram_quantile(0.9, size)")[0][1] == pytest.approx(90, rel=0.1)


def test_names_of_any_characters_are_quoted_for_who_knows_them_and_escaped_for_prometheus_2(
    tmp_path: Path,
) -> None:
    file, page = tmp_path / "rules.yaml", tmp_path / "page.json"
    page.write_text('{"orders": {"Köln": 3}}')
    file.write_text(
        f"names: utf8\nsources: {{shop: {{file: {{paths: [{page}], format: json}}}}}}\n"
        'rules: [{match: {path: "orders.{city}"}, name: shop.orders, labels: {shop.city: "{city}"}}]\n'
    )
    asks = {
        "text/plain;version=1.0.0;escaping=allow-utf-8": "text/plain; version=0.0.4",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8": "application/openmetrics-text",
    }
    with Adapter(f"--config.file={file}") as adapter:
        for accept, kind in asks.items():
            answer = adapter.get("/metrics", Accept=accept)
            assert answer.headers["Content-Type"].startswith(kind)
            assert answer.headers["Content-Type"].endswith("escaping=allow-utf-8")
            assert '\n{"shop.orders","shop.city"="Köln"} 3\n' in answer.text
        for accept in ("", OPENMETRICS, "text/plain;escaping=values"):
            answer = adapter.get("/metrics", Accept=accept)
            assert answer.headers["Content-Type"].endswith("escaping=underscores")
            assert '\nshop_orders{shop_city="Köln"} 3\n' in answer.text
        with Prometheus(f"127.0.0.1:{adapter.web}") as prometheus:
            labels, value = prometheus.wait_for("shop_orders")[0]
    assert (labels["shop_city"], value) == ("Köln", 3)
