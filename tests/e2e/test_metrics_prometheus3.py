"""Prometheus 3 scrapes in every format, and takes what is pushed: each sample is queried, with its value."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.adapters import Adapter
from tests.support.ports import free_port
from tests.support.programs import need
from tests.support.prometheus import Prometheus, three
from tests.support.statsd_sender import send_udp
from tests.support.waiting import until
from tools.gotools import PROMTOOL

CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: test
  static_configs: [{{targets: ['127.0.0.1:{web}']}}]
  {more}
"""
RULES = """\
sources:
  app: {{statsd: {{udp: "127.0.0.1:{port}"}}}}
  log: {{log: {{paths: ["{folder}/*.log"], format: logfmt, from: start}}}}
  page: {{file: {{paths: ["{folder}/*.prom"], format: prometheus}}}}
rules:
- {{from: app, match: {{metric: "size.{{of}}"}}, name: size_bytes, type: histogram, buckets: [1, 50],
   labels: {{of: "{{of}}"}}}}
- {{from: log, match: {{status: "5??"}}, name: errors_total, type: counter, exemplar: {{trace: "{{trace}}"}},
   action: continue}}
- {{from: log, name: took_seconds, type: histogram, buckets: [0.1, 1], value: "{{took}}",
   exemplar: {{trace: "{{trace}}"}}}}
"""
LOG = "status=500 took=0.25 trace=4bf92f\nstatus=200 took=0.0625 trace=00f067\n"
PAGE = """\
# HELP odd What "others" say\\\\\\n.
# TYPE odd gauge
odd{text="a\\"b\\\\c\\n é 😀",_empty=""} -0.1
odd{n="inf"} +Inf
odd{n="-inf"} -Inf
odd{n="tiny"} 1.5e-307
odd{n="big"} 12345678901234567
# TYPE lat summary
lat{quantile="0.5"} 0.25
lat{quantile="1"} 7
lat_sum 12.5
lat_count 9
"""
LINES = [b"size.a:%d|h" % number for number in range(1, 101)]
LINES += [
    b"hits_total:3|c|#path:/\xc3\xa9",
    b"plain:2|c",
    b"gr\xc3\xb6\xc3\x9fe:7|g",
    b"load:-1.5|g",
    b"timer:5|ms\ntimer:7|ms",
]
FED = {'size_bytes_count{of="a"}': 100, "errors_total": 1, "took_seconds_count": 2, "timer_count": 2}
# What changes from one look to the next, or is about the scrape itself.
OWN = ("statsd_exporter_", "podmates_", "process_", "statsd_metric_mapper_", "python_")

PROTOCOLS = {
    "text": "scrape_protocols: [PrometheusText0.0.4]",
    "text 1.0.0": "scrape_protocols: [PrometheusText1.0.0]",
    "OpenMetrics": "scrape_protocols: [OpenMetricsText1.0.0]",
    "OpenMetrics 0.0.1": "scrape_protocols: [OpenMetricsText0.0.1]",
    "its own choice": "",
    "protobuf": "scrape_protocols: [PrometheusProto]",
}
Series = dict[tuple[str, ...], float]


@contextmanager
def adapter(folder: Path, more: str = "") -> Iterator[Adapter]:
    """An adapter with a native file, fed with everything."""
    port = free_port()
    (folder / "a.log").write_text(LOG)
    (folder / "a.prom").write_text(PAGE)
    (folder / "rules.yaml").write_text(RULES.format(port=port, folder=folder) + more)
    with Adapter(f"--config.file={folder}/rules.yaml") as started:
        send_udp(("127.0.0.1", port), *LINES)
        started.wait_for(FED)
        yield started


def scraping(started: Adapter, more: str = "", *flags: str) -> Prometheus:
    return Prometheus(config=CONFIG.format(web=started.web, more=more), program=three(), flags=flags)


def key(name: str, labels: dict[str, str]) -> tuple[str, ...]:
    """Return a series as Prometheus 3 calls it: bounds and quantiles are always written with a point."""
    told = {
        k: str(float(v)) if k in ("le", "quantile") and v != "+Inf" else v for k, v in labels.items() if v
    }
    return (name, *(f"{k}={v}" for k, v in sorted(told.items()) if k not in ("instance", "job", "__name__")))


def shown(started: Adapter) -> Series:
    """Return the series on the page that stand still."""
    page = started.get("/metrics").text
    read = text_string_to_metric_families(page)
    samples = [sample for family in read for sample in family.samples]
    # The reader gives every counter a name that ends with _total.
    names = [s.name if s.name in page else s.name.removesuffix("_total") for s in samples]
    told = zip(names, samples, strict=True)
    return {key(name, s.labels): s.value for name, s in told if not name.startswith(OWN)}


def held(prometheus: Prometheus) -> Series:
    """Return the series that Prometheus has of the page."""
    rows = prometheus.query('{job="test",__name__!~"up|scrape_.*"}')
    series = {key(labels["__name__"], labels): value for labels, value in rows}
    return {told: value for told, value in series.items() if not told[0].startswith(OWN)}


def agreed(started: Adapter, prometheus: Prometheus) -> Series:
    """Return the series of the page once Prometheus has them all, and no other, with their values."""
    wanted = shown(started)

    def differing() -> list[tuple[tuple[str, ...], float]]:
        return sorted(wanted.items() ^ held(prometheus).items())

    prometheus.wait_for("errors_total")
    with contextlib.suppress(AssertionError):
        until(lambda: not differing(), 30)
    assert differing() == [], prometheus.targets()
    return wanted


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_sample_is_there_with_its_value_in_every_format(tmp_path: Path, protocol: str) -> None:
    with adapter(tmp_path) as started, scraping(started, PROTOCOLS[protocol]) as prometheus:
        assert len(agreed(started, prometheus)) > 25
        assert [target["lastError"] for target in prometheus.targets()] == [""]


NATIVE = "scrape_native_histograms: true"
EXEMPLARS = "--enable-feature=exemplar-storage"
TOOK = '{__name__=~"took_seconds(_bucket)?"}'  # a native one has no buckets of its own name


def test_native_histograms_come_by_protobuf_beside_the_classic_ones(tmp_path: Path) -> None:
    both = f"{NATIVE}\n  always_scrape_classic_histograms: true"
    with adapter(tmp_path) as started, scraping(started, both) as prometheus:
        assert prometheus.wait_for('histogram_count(size_bytes{of="a"})')[0][1] == 100
        assert prometheus.query("histogram_sum(size_bytes)")[0][1] == 5050
        assert prometheus.query("histogram_fraction(0, +Inf, size_bytes)")[0][1] == 1
        # Of buckets that grow by a tenth; the classic ones end at 50.
        assert prometheus.query("histogram_quantile(0.9, size_bytes)")[0][1] == pytest.approx(90, rel=0.1)
        assert prometheus.query("histogram_quantile(0.9, size_bytes_bucket)")[0][1] == 50
        agreed(started, prometheus)


@pytest.mark.parametrize("more", ["", NATIVE], ids=["OpenMetrics", "protobuf"])
def test_exemplars_are_kept(tmp_path: Path, more: str) -> None:
    def told(prometheus: Prometheus, query: str) -> dict[str, float]:
        now = time.time()
        found = prometheus.ask("query_exemplars", query=query, start=str(now - 600), end=str(now + 600))
        return {one["labels"]["trace"]: float(one["value"]) for row in found for one in row["exemplars"]}

    with adapter(tmp_path) as started, scraping(started, more, EXEMPLARS) as prometheus:
        prometheus.wait_for("errors_total")
        until(lambda: told(prometheus, "errors_total") == {"4bf92f": 1}, 30, "the exemplar of a counter")
        both = {"4bf92f": 0.25, "00f067": 0.0625}
        until(lambda: told(prometheus, TOOK) == both, 30, "the exemplars of a histogram")


@pytest.mark.parametrize("scheme", ["underscores", "dots", "values"])
def test_names_are_the_same_whatever_escaping_is_asked_for(tmp_path: Path, scheme: str) -> None:
    more = f"metric_name_escaping_scheme: {scheme}"
    with adapter(tmp_path) as started, scraping(started, more) as prometheus:
        agreed(started, prometheus)


LINT = {
    "plain": "counter metrics should have",
    "statsd_exporter_metrics_total": "non-counter metrics should not",
}


@pytest.mark.parametrize("program", ["of Debian", "3"])
def test_promtool_reads_the_page_and_blames_the_names_of_others_only(tmp_path: Path, program: str) -> None:
    path = three(PROMTOOL) if program == "3" else need("promtool", "prometheus")
    with adapter(tmp_path) as started:
        page = started.get("/metrics").text
    checked = subprocess.run(
        [path, "check", "metrics"], input=page, capture_output=True, text=True, timeout=60
    )

    said = dict(line.split(" ", 1) for line in (checked.stdout + checked.stderr).splitlines())
    assert said.keys() == LINT.keys(), checked
    assert all(said[name].startswith(text) for name, text in LINT.items())


RECEIVER = "--web.enable-otlp-receiver"
# How the receiver names what is pushed, and what becomes of a counter whose name does not end with _total.
STRATEGIES = {"": "plain_total", "UnderscoreEscapingWithoutSuffixes": "plain"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_it_takes_what_is_pushed(tmp_path: Path, strategy: str) -> None:
    config = f"otlp: {{translation_strategy: {strategy}}}" if strategy else "global: {}"
    with Prometheus(config=config, program=three(), flags=[RECEIVER]) as prometheus:
        endpoint = json.dumps(f"{prometheus.url}/api/v1/otlp/v1/metrics")
        push = f"otlp: {{endpoint: {endpoint}, interval: 1s, resource: {{service.name: shop}}}}"
        with adapter(tmp_path, push) as started:
            started.wait_for({"podmates_otlp_rejected_points_total": 0})

            def value(expression: str, wanted: float) -> None:
                until(lambda: [v for _, v in prometheus.query(expression)] == [wanted], 30, expression)

            value(STRATEGIES[strategy], 2)
            value('hits_total{path="/é",job="shop"}', 3)
            value("load", -1.5)
            value("errors_total", 1)
            value('size_bytes_bucket{of="a",le="50"}', 50)
            value("size_bytes_count", 100)
            value("size_bytes_sum", 5050)
            value('lat{quantile="0.5"}', 0.25)
            value('odd{n="big"}', 12345678901234568)
            assert started.samples()['podmates_otlp_pushes_total{outcome="failure"}'] == 0
