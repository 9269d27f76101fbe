"""Act three: StatsD packets, a JSON page and a JVM's MBeans come out as one Prometheus page."""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path

import statsd
from prometheus_client.parser import text_string_to_metric_families

from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import script
from tests.support.waiting import until
from tests.support.web import get
from tools.demo.stage import Stage

ROOT = Path(__file__).parents[2]
APPLICATION = ROOT / "images" / "example-app" / "app.py"
JVM = ROOT / "images" / "example-jvm" / "ExampleJvm.java"
SHOWN = ("example_visit", "page_", "jmx_up", "java_lang_Runtime_Up")
MAPPING = """\
mappings:
- match: "example.visits"
  name: "example_visits_total"
  labels: {application: demo}
- match: "example.*"
  name: "example_${1}_seconds"
  labels: {application: demo}
"""
RULES = """\
sources:
  page: {{http: {{url: "http://127.0.0.1:{port}/stats", format: json}}}}
rules:
- from: page
  each: work[*]
  name: page_work_total
  type: counter
  help: "What the application did, by its own count."
  labels: {{kind: "{{kind}}"}}
  value: "{{count}}"
"""


def play(stage: Stage, folder: Path) -> None:
    """Run the act below *folder*.

    Raises:
        AssertionError: something that was announced did not happen.
    """
    stage.act("3. Adapter metrics: everything as one Prometheus page")
    page, web, packets = free_port(), free_port(), free_port()
    wanted = {"example_visits_total": 3.0, "page_work_total": 0.0}
    sources = "three StatsD counts, a JSON page"
    with contextlib.ExitStack() as parts:
        settings = {"LISTEN": f"127.0.0.1:{page}"}
        parts.enter_context(Process([sys.executable, APPLICATION], env=settings)).wait_line("listens on")
        get(f"http://127.0.0.1:{page}/")
        arguments = _arguments(folder, page=page, web=web, packets=packets)
        if target := _java(stage, parts):
            arguments.append(f"--jmx.target={target}")
            wanted["java_lang_Runtime_Uptime"] = 1.0
            sources += ", a JVM's MBeans"
        adapter = parts.enter_context(Process([script("podmates-metrics"), *arguments]))
        address = f"http://127.0.0.1:{web}"
        with stage.step("the adapter listens"):
            until(lambda: get(f"{address}/livez").status == 200, 60, "the adapter", ignoring=(OSError,))
        _send(packets)
        with stage.step(f"{sources} are on /metrics"):
            until(lambda: _missing(f"{address}/metrics", wanted) == [], 60, f"{sorted(wanted)} on the page")
        lines = get(f"{address}/metrics").body.splitlines()
        stage.show("\n".join([f"GET {address}/metrics", *(line for line in lines if line.startswith(SHOWN))]))
        with stage.step("SIGTERM ends it (status 0)"):
            assert adapter.stop() == 0, adapter.output


def _arguments(folder: Path, *, page: int, web: int, packets: int) -> list[str]:
    """Write the mapping and the rules below *folder*; return the adapter's command line."""
    folder.mkdir()
    (folder / "mapping.yaml").write_text(MAPPING)
    (folder / "rules.yaml").write_text(RULES.format(port=page))
    return [
        f"--web.listen-address=127.0.0.1:{web}",
        f"--statsd.listen-udp=127.0.0.1:{packets}",
        f"--statsd.listen-tcp=127.0.0.1:{packets}",
        f"--statsd.mapping-config={folder / 'mapping.yaml'}",
        f"--config.file={folder / 'rules.yaml'}",
    ]


def _send(port: int) -> None:
    with statsd.StatsClient("127.0.0.1", port, prefix="example").pipeline() as pipe:
        for _ in range(3):
            pipe.incr("visits")
            pipe.timing("visit", 250)


def _missing(url: str, wanted: dict[str, float]) -> list[str]:
    """Return which of *wanted* (name → least value) the page lacks; that it parses is part of the look."""
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(get(url).body)
        for sample in family.samples
    }
    return [name for name, least in wanted.items() if not found.get(name, float("-inf")) >= least]


def _java(stage: Stage, parts: contextlib.ExitStack) -> str:
    """Start the example JVM and return its address; an empty text where there is no java."""
    java = shutil.which("java")
    if java is None:
        stage.say("no java on the PATH: JMX is left out (a JDK 11 or newer would show it)")
        return ""
    port = free_port()
    properties = {
        "port": port,
        "rmi.port": port,
        "host": "127.0.0.1",
        "authenticate": "false",
        "ssl": "false",
    }
    flags = [f"-Dcom.sun.management.jmxremote.{name}={value}" for name, value in properties.items()]
    flags += ["-Djava.rmi.server.hostname=127.0.0.1", "-Xmx64m", "-XX:TieredStopAtLevel=1"]
    parts.enter_context(Process([java, *flags, str(JVM)]))
    return f"127.0.0.1:{port}"
