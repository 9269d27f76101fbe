"""`openTelemetry` of a jmx_exporter file, by the standalone command: with the page, and in its place."""

from __future__ import annotations

import json
import signal
import urllib.request
from pathlib import Path
from typing import Any

from tests.support.jvm import Jvm
from tests.support.moving import put
from tests.support.otlp_receiver import Receiver
from tests.support.ports import free_port
from tests.support.processes import Process, run
from tests.support.programs import script
from tests.support.prometheus import Prometheus, three
from tests.support.waiting import until

BEANS = str(Path(__file__).parents[1] / "support" / "jmx_beans.tsv")
RULES = {
    "includeObjectNames": ["awk.dup:*"],
    "rules": [
        {"pattern": "<>Total_total", "name": "done_total", "type": "COUNTER"},
        {"pattern": "name=(.*)><>Count", "name": "seen", "labels": {"who": "$1"}},
    ],
}
SECRET = "pencil42"


def push(receiver: Receiver, **more: Any) -> dict[str, Any]:
    return {"endpoint": receiver.url, "protocol": "http/protobuf", "interval": 1, **more}


def test_the_standalone_command_serves_and_pushes_as_its_file_says(tmp_path: Path) -> None:
    path, port = tmp_path / "file.yaml", free_port()
    told = {
        "headers": {"Authorization": SECRET},
        "resourceAttributes": {"team": "sea"},
        "serviceName": "till",
    }
    with Receiver() as receiver, Jvm("Constant", arguments=[BEANS]) as jvm:
        file = {"hostPort": jvm.address, "openTelemetry": push(receiver, **told), **RULES}
        path.write_text(json.dumps(file))
        with Process([script("podmates-metrics"), "jmx", f"127.0.0.1:{port}", str(path)]) as process:
            until(lambda: receiver.values().get("done") == 2, 60, "a push with what the JVM says")
            page = until(lambda: page_of(port), 60, "the page", ignoring=(OSError,))
            put(path, json.dumps({**file, "openTelemetry": push(receiver, interval=2)}))
            process.wait_line("httpServer or openTelemetry needs a restart", timeout=60)
            output = process.output

    assert "\ndone_total 2" in page and 'seen{who="one"} 1' in page
    last = receiver.requests[-1]
    assert (last.path, last.headers["authorization"]) == ("/v1/metrics", SECRET)
    assert len(last.resource().pop("service.instance.id")) == 36
    assert last.resource().items() >= {"team": "sea", "service.name": "till"}.items()
    assert SECRET not in page + output


def page_of(port: int) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text: str = answer.read().decode()
    return text if "seen{" in text else ""


def test_a_file_alone_pushes_and_serves_nothing_and_pushes_once_more_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    with Receiver() as receiver, Jvm("Constant", arguments=[BEANS]) as jvm:
        said = push(receiver, interval=3600, preserveNames=True)
        path.write_text(json.dumps({"hostPort": jvm.address, "openTelemetry": said, **RULES}))
        with Process([script("podmates-metrics"), "jmx", str(path)]) as process:
            process.wait_line("ready web=off udp=off tcp=off", timeout=60)
            until(lambda: receiver.requests, 60, "the first push")
            before = len(receiver.requests)
            process.send(signal.SIGTERM)
            assert process.wait(30) == 0
        assert len(receiver.requests) > before
        assert receiver.values()["done_total"] == 2


def test_prometheus_takes_what_is_pushed_under_the_names_that_it_would_scrape(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    flags = ["--web.enable-otlp-receiver"]
    with (
        Prometheus(config="global: {}", program=three(), flags=flags) as prometheus,
        Jvm("Constant", arguments=[BEANS]) as jvm,
    ):
        endpoint = {"endpoint": f"{prometheus.url}/api/v1/otlp", "protocol": "http/protobuf", "interval": 1}
        said = endpoint | {"serviceName": "till", "serviceNamespace": "shop", "serviceInstanceId": "7"}
        path.write_text(json.dumps({"hostPort": jvm.address, "openTelemetry": said, **RULES}))
        with Process([script("podmates-metrics"), "jmx", str(path)]):
            found = until(lambda: prometheus.query("done_total"), 60, "the counter")
            assert prometheus.query('seen{who="three"}')[0][1] == -5

    ((labels, value),) = found
    assert (labels["job"], labels["instance"], value) == ("shop/till", "7", 2)


def test_a_file_alone_says_that_what_is_about_http_has_no_effect(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    with Receiver() as receiver:
        said = {"openTelemetry": push(receiver), "httpServer": {"metrics": {"path": "/custom"}}}
        path.write_text(json.dumps({"hostPort": f"127.0.0.1:{free_port()}", **said}))
        with Process([script("podmates-metrics"), "jmx", str(path)]) as process:
            process.wait_line("httpServer: without effect, as nothing is served", timeout=60)


def test_a_file_alone_that_pushes_nothing_ends_the_start_with_1(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(json.dumps({"hostPort": "a:1", **RULES}))

    ended = run([script("podmates-metrics"), "jmx", str(path)])

    assert ended.status == 1
    assert "want openTelemetry in it, or [HOST:]PORT before it" in ended.stderr


def test_what_variables_say_counts_and_no_secret_of_theirs_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(f"hostPort: 127.0.0.1:{free_port()}\nopenTelemetry:\n")
    with Receiver() as receiver:
        told = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Basic%20{SECRET}",
        }
        with Process([script("podmates-metrics"), "jmx", str(path)], env=told) as process:
            until(lambda: receiver.requests, 60, "a push without a JVM")
            output = process.output
        told["OTEL_EXPORTER_OTLP_HEADERS"] = SECRET
        ended = run([script("podmates-metrics"), "jmx", str(path)], env=told)

    assert receiver.requests[0].headers["authorization"] == f"Basic {SECRET}"
    assert receiver.values()["jmx_scrape_error"] == 1
    assert ended.status == 1 and "OTEL_EXPORTER_OTLP_HEADERS: want name=value" in ended.stderr
    assert SECRET not in output + ended.stderr
