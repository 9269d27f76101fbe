"""The process pushes to an OTLP receiver beside being scraped, and once more when it ends."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.adapters import Adapter
from tests.support.otlp_receiver import Receiver
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import script
from tests.support.statsd_sender import send_udp
from tests.support.waiting import until

RULES = """
sources: {{app: {{statsd: {{udp: "127.0.0.1:{port}"}}}}}}
otlp: {{endpoint: "{url}", interval: {interval}, resource: {{service.name: shop}}}}
"""


def test_it_pushes_in_each_interval(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    with Receiver() as receiver:
        file.write_text(RULES.format(port=0, url=receiver.url, interval="1s"))
        with Adapter(f"--config.file={file}") as adapter:
            until(lambda: len(receiver.requests) > 2, 30, "three pushes")
            adapter.wait_for({"podmates_otlp_rejected_points_total": 0})
            assert adapter.samples()['podmates_otlp_pushes_total{outcome="success"}'] > 1
        assert receiver.requests[0].path == "/v1/metrics"
        assert receiver.values()["statsd_exporter_loaded_mappings"] == 0


def test_what_came_last_is_pushed_when_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    with Receiver() as receiver:
        port = free_port()
        file.write_text(RULES.format(port=port, url=receiver.url, interval="1h"))
        with Adapter(f"--config.file={file}") as adapter:
            until(lambda: receiver.requests, 30, "the first push")
            send_udp(("127.0.0.1", port), b"hits_total:3|c")
            adapter.wait_for({"hits_total": 3})
            assert adapter.stop() == 0
        assert receiver.values()["hits_total"] == 3


def test_a_wrong_section_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("otlp: {endpoint: nowhere}")
    ended = run([script("podmates-metrics"), f"--config.file={file}"])

    assert ended.status == 1
    assert f"{file}: line 1: otlp.endpoint: want http:// or https://" in ended.stderr
