"""A real Prometheus that scrapes targets through the adapter, relabelled as users of json_exporter do it."""

from __future__ import annotations

from pathlib import Path

from tests.support.json_exporter import JsonExporter, Target
from tests.support.prometheus import Prometheus

MODULES = """
modules:
  queues:
    metrics:
    - {name: queue, type: object, path: '{.queues[?(@.state == "up")]}', help: Queues., valuetype: gauge,
       labels: {name: '{.name}'}, values: {length: '{.length}', busy: '{.busy}'}}
"""
PAGE = """{"queues": [
  {"name": "mail \\u00e9 \\"q\\"", "length": 12345678, "busy": true, "state": "up"},
  {"name": "old", "length": 1, "busy": false, "state": "down"}]}"""
CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: json
  metrics_path: /probe
  params: {{module: [queues]}}
  static_configs: [{{targets: ['{good}', '{gone}']}}]
  relabel_configs:
  - {{source_labels: [__address__], target_label: __param_target}}
  - {{source_labels: [__param_target], target_label: instance}}
  - {{target_label: __address__, replacement: '127.0.0.1:{port}'}}
"""


def test_prometheus_reads_targets_through_probes(tmp_path: Path) -> None:
    with Target({"/stats": (200, PAGE.encode(), {})}) as target, JsonExporter(tmp_path, MODULES) as exporter:
        good, gone = target.url("/stats"), target.url("/gone")
        config = CONFIG.format(good=good, gone=gone, port=exporter.web)
        with Prometheus(config=config) as prometheus:
            (series,) = prometheus.wait_for("queue_length")
            assert series[0]["name"] == 'mail é "q"'
            assert (series[0]["instance"], series[1]) == (good, 12345678)
            assert prometheus.wait_for("queue_busy")[0][1] == 1
            assert prometheus.wait_for(f'up{{instance="{gone}"}} == 0')
            assert prometheus.wait_for(f'up{{instance="{good}"}} == 1')
