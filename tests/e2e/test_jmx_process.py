"""The adapter as a process beside a JVM: its page, a JVM that dies or hangs, and how it ends."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.adapters import Adapter
from tests.support.jvm import Jvm
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import script
from tests.support.waiting import until


@pytest.fixture(scope="module")
def jvm() -> Iterator[Jvm]:
    with Jvm("Beans") as running:
        yield running


def up(jvm_address: str) -> str:
    return f'jmx_up{{target="{jvm_address}"}}'


def test_a_jvm_beside_the_adapter_is_on_its_page(jvm: Jvm) -> None:
    with Adapter(f"--jmx.target={jvm.address}") as adapter:
        page = adapter.wait_for({up(jvm.address): 1})
        assert page["jmx_scrape_error"] == 0
        assert page['podmates_test_Sample_Count{name="one"}'] == 42
        assert page['podmates_test_Sample_Count{name="\\"a,b=c\\""}'] == 42
        assert page['jvm_memory_used_bytes{area="heap"}'] > 0
        assert page["process_start_time_seconds"] > 0
        assert "process_resident_memory_bytes" not in page  # ours would be taken for the JVM's
        assert adapter.get("/readyz").status == 200

        families = list(text_string_to_metric_families(adapter.get("/metrics").text))
        kinds = {family.name: family.type for family in families}
        assert kinds["jvm_threads_current"] == "gauge"
        assert kinds["podmates_test_Sample_Count"] == "unknown"
        assert adapter.stop(signal.SIGTERM) == 0
        assert "Traceback" not in adapter.output


def test_a_dead_jvm_is_said_and_found_again() -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    with Adapter(f"--jmx.target={address}") as adapter:
        page = adapter.samples()
        assert page[up(address)] == 0 and page["jmx_scrape_error"] == 1
        assert "process_start_time_seconds" not in page
        answer = adapter.get("/readyz")
        assert answer.status == 200
        assert f"{address}: Connection refused" in answer.text
        for _ in range(2):
            with Jvm(port=port):
                adapter.wait_for({up(address): 1, 'podmates_test_Sample_Count{name="one"}': 42})
            adapter.wait_for({up(address): 0})
        said = [line for line in adapter.output.splitlines() if "Connection refused" in line]
        assert len(said) <= 3, said


def test_the_adapter_can_be_told_to_be_ready_only_with_its_jvm() -> None:
    port = free_port()
    with Adapter(f"--jmx.target=shop=127.0.0.1:{port}", "--ready.require-targets") as adapter:
        until(lambda: "shop: Connection refused" in adapter.get("/readyz").text, 30, "the reason")
        assert adapter.get("/readyz").status == 503
        with Jvm(port=port):
            adapter.wait_for({up("shop"): 1})
            assert adapter.get("/readyz").status == 200


def test_a_hung_jvm_does_not_take_the_rest_of_the_page_with_it() -> None:
    with Jvm() as jvm, Adapter(f"--jmx.target={jvm.address}", "--source.timeout=2s") as adapter:
        adapter.wait_for({up(jvm.address): 1})
        jvm.process.send(signal.SIGSTOP)
        page = adapter.wait_for({up(jvm.address): 0})
        assert page["jmx_scrape_duration_seconds"] < 20  # 2, and a busy machine
        assert "statsd_exporter_lines_total" in page
        jvm.process.send(signal.SIGCONT)
        adapter.wait_for({up(jvm.address): 1})


def test_a_hung_jvm_does_not_keep_the_adapter_from_stopping() -> None:
    with Jvm() as jvm, Adapter(f"--jmx.target={jvm.address}") as adapter:
        adapter.wait_for({up(jvm.address): 1})
        jvm.process.send(signal.SIGSTOP)
        began = time.monotonic()

        assert adapter.stop(signal.SIGTERM) == 0
        assert time.monotonic() - began < 30  # 1, and a busy machine
        assert "Traceback" not in adapter.output


@pytest.mark.parametrize("text", ["nowhere", "h:0", "service:jmx:jmxmp://h:1"])
def test_a_target_that_is_none_is_one_line_and_status_1(text: str) -> None:
    finished = run([script("podmates-metrics"), f"--jmx.target={text}"])

    assert finished.status == 1
    assert len(finished.stderr.strip().splitlines()) == 1
    assert text in finished.stderr
