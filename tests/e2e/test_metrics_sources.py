"""Sources of all kinds in one process: beside each other on the page, and none holds up another."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

from tests.e2e.adapters import Adapter
from tests.support.metrics_sources import serving
from tests.support.processes import run
from tests.support.programs import script

RULES = """
sources:
  cache:
    socket: {{connect: "tcp://127.0.0.1:{port}", send: "stats\\r\\n", until: "END\\r\\n", format: keyvalue}}
  hung: {{socket: {{connect: "tcp://127.0.0.1:{hung}", format: keyvalue, timeout: 1h}}}}
  batch: {{file: {{paths: ["{folder}/*.json"], format: json}}}}
  tool: {{command: {{argv: {argv}, format: csv, records: cells}}}}
  access: {{log: {{paths: ["{folder}/*.log"], format: logfmt, from: saved, state: "{folder}/state"}}}}
  text: {{file: {{paths: ["{folder}/*.prom"], format: prometheus}}}}
rules:
- {{from: access, match: {{status: "5??"}}, name: errors_total, type: counter}}
- from: cache
  match: {{key: "get_{{what}}"}}
  name: cache_gets
  type: counter
  labels: {{what: "{{what}}"}}
- {{from: tool, name: "tool_{{key}}", labels: {{zone: "{{zone}}"}}}}
"""
ARGV = [sys.executable, "-S", "-c", "print('zone,used,state\\neu,5,up\\nus,7,up')"]


def hang(connection: socket.socket) -> None:
    connection.recv(1)


def answer(connection: socket.socket) -> None:
    connection.recv(100)
    connection.sendall(b"STAT get_hits 5\r\nSTAT get_misses 2\r\nSTAT pid 1\r\nEND\r\n")


def test_sources_of_all_kinds_come_out_beside_one_that_hangs(tmp_path: Path) -> None:
    (tmp_path / "jobs.json").write_text('{"jobs": {"done": 3}}')
    (tmp_path / "backup.prom").write_text("# TYPE backup_seconds gauge\nbackup_seconds 12\n")
    log = tmp_path / "access.log"
    log.write_text("status=500 path=/before\n")
    rules = tmp_path / "rules.yaml"
    with serving(answer) as port, serving(hang) as hung:
        rules.write_text(RULES.format(port=port, hung=hung, folder=tmp_path, argv=ARGV))
        with Adapter(f"--config.file={rules}", "--enable-command", "--source.timeout=3s") as adapter:
            adapter.wait_for(
                {
                    'cache_gets{what="hits"}': 5,
                    'cache_gets{what="misses"}': 2,
                    "batch_jobs_done": 3,
                    "backup_seconds": 12,
                    'tool_used{zone="us"}': 7,
                    'podmates_source_up{source="cache"}': 1,
                    'podmates_source_up{source="hung"}': 0,
                    'podmates_command_exit_status{source="tool"}': 0,
                }
            )
            assert "errors_total" not in adapter.samples(), "what was there at the first start is not counted"
            with log.open("a") as file:
                file.write("status=200\nstatus=503\n")
            adapter.wait_for({"errors_total": 1, 'podmates_log_lines_total{source="access"}': 2})
            started = time.monotonic()
            assert adapter.stop() == 0
            assert time.monotonic() - started < 40, "nobody waits for what hangs"
        with log.open("a") as file:
            file.write("status=504\nstatus=505\n")
        with Adapter(f"--config.file={rules}", "--enable-command", "--source.timeout=3s") as adapter:
            adapter.wait_for({"errors_total": 2, 'podmates_log_lines_total{source="access"}': 2})


def test_a_program_needs_leave(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("sources: {tool: {command: {argv: [date], format: regex, pattern: '(?P<all>.*)'}}}")

    for verb, status in (("run", 1), ("check", 2)):
        ended = run([script("podmates-metrics"), verb, f"--config.file={rules}"])

        assert ended.status == status
        assert "source tool runs a command: that needs the flag --enable-command" in ended.stderr
