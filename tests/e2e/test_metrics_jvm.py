"""A real JVM beside the running adapter: its MBeans on the page, its death and its return."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.adapters import Adapter
from tests.support.jvm import Jvm, need_java
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import script
from tests.support.prometheus import Prometheus
from tests.support.statsd_sender import send_udp
from tests.support.waiting import until

RULES = """\
- match: {domain: java.lang, type: Memory, attribute: HeapMemoryUsage, path: used}
  name: heap_used_bytes
- match: {domain: java.lang, type: Runtime, attribute: Uptime}
  name: jvm_up
  unit: ms
"""


def test_a_jvm_comes_goes_and_comes_back_beside_everything_else() -> None:
    need_java()
    port = free_port()
    source = '{source="shop"}'
    with Adapter(f"--jmx.target=shop=127.0.0.1:{port}") as adapter:
        send_udp(adapter.address, b"orders:3|c")
        adapter.wait_for({f"podmates_source_up{source}": 0, "orders": 3})
        assert adapter.get("/readyz").status == 200
        assert "shop: " in adapter.get("/readyz").text
        for _ in range(2):
            with Jvm(port=port):
                page = adapter.wait_for({f"podmates_source_up{source}": 1}, 60)
                assert page["orders"] == 3
                assert any(name.startswith("jvm_") for name in page)
                assert page["java_lang_Runtime_Uptime"] > 0
                assert "shop: ok" in adapter.get("/readyz").text
            page = adapter.wait_for({f"podmates_source_up{source}": 0, "orders": 3}, 60)
            assert "java_lang_Runtime_Uptime" not in page
        assert "Traceback" not in adapter.output


def test_a_real_prometheus_takes_a_page_with_a_jvm_on_it() -> None:
    with Jvm() as jvm, Adapter(f"--jmx.target={jvm.address}") as adapter:
        with Prometheus(f"127.0.0.1:{adapter.web}") as prometheus:
            assert prometheus.wait_for("java_lang_Runtime_Uptime > 0", 60)
            found = prometheus.wait_for("process_start_time_seconds")
            assert len(found) == 1, "the JVM's, not ours as well"
        until(lambda: adapter.get("/readyz").status == 200, 30, "readiness")


def test_native_rules_name_what_a_jvm_says(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    with Jvm() as jvm:
        file.write_text(f"sources: {{shop: {{jmx: {{target: '{jvm.address}'}}}}}}\nrules:\n{RULES}")
        with Adapter(f"--config.file={file}") as adapter:
            page = adapter.wait_for({'podmates_source_up{source="shop"}': 1}, 60)

            assert page["heap_used_bytes"] > 0
            assert any(name.startswith("jvm_up_seconds") for name in page)
            assert "java_lang_Runtime_Uptime" not in page, "a rule has taken it"
            assert any(name.startswith("java_lang_") for name in page), "what no rule takes is there as ever"
            assert page['podmates_rule_matches_total{rule="0",source="shop"}'] >= 1
            assert page['podmates_series{family="heap_used_bytes",source="shop"}'] == 1


def test_a_target_that_is_none_is_refused() -> None:
    for text in ("nowhere", "a=b=c", "localhost:99999"):
        ended = run([script("podmates-metrics"), f"--jmx.target={text}"])

        assert ended.status == 1
        assert "--jmx.target" in ended.stderr
        assert "Traceback" not in ended.stderr
