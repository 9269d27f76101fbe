"""The adapter in place of json_exporter: its command line, its file checked, what keeps it from starting."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support.json_exporter import command
from tests.support.ports import free_port

MODULES = "modules: {default: {metrics: [{name: up, path: '1'}]}}\n"


FAULTS = {
    ("--bogus",): "json_exporter: error: unknown long flag '--bogus', try --help",
    (): "json_exporter: error: path 'config.yml' does not exist, try --help",
    ("stray",): "json_exporter: error: unexpected stray, try --help",
    ("--web.systemd-socket",): "json_exporter: error: --web.systemd-socket is not offered, try --help",
    ("--json.allow-target=ftp://x",): "json_exporter: error: --json.allow-target: 'ftp://x': want"
    " http://host:port/path, try --help",
    ("--web.listen-address=",): "json_exporter: error: --web.listen-address: want host:port, try --help",
}


@pytest.mark.parametrize(("flags", "line"), FAULTS.items(), ids=lambda part: str(part)[:30])
def test_a_wrong_command_line_ends_with_one_line_and_status_1(
    tmp_path: Path, flags: tuple[str, ...], line: str
) -> None:
    ended = command(tmp_path, *flags)

    assert (ended.status, ended.stdout, ended.stderr) == (1, "", line + "\n")


def test_a_file_is_checked_and_a_fault_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text(MODULES)
    for flags in (("--config.check",), ("--config.check", "--config.file=config.yml")):
        assert command(tmp_path, *flags).status == 0
    both = command(tmp_path, "json", "--config.check", name="podmates-metrics")
    assert both.status == 0

    (tmp_path / "config.yml").write_text("modules:\n  a:\n    metrics: {}\n")
    ended = command(tmp_path, "--config.check")
    assert ended.status == 1
    assert "config.yml: line 3: modules.a.metrics: want a list" in ended.stderr
    assert "Traceback" not in ended.stderr

    (tmp_path / "flags").write_text("--config.check\n# a remark\n--config.file=config.yml\n")
    assert "line 3: modules.a.metrics" in command(tmp_path, "@flags").stderr
    missing = command(tmp_path, "@nowhere")
    assert (missing.status, missing.stderr.count("\n"), "nowhere: No such" in missing.stderr) == (1, 1, True)

    told = command(tmp_path, "--version")
    assert (told.status, told.stdout.startswith("json_exporter of podmates-metrics ")) == (0, True)
    assert "--config.check" in command(tmp_path, "--help").stdout


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text(MODULES)
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        ended = command(tmp_path, f"--web.listen-address=127.0.0.1:{port}")

    assert ended.status == 1
    assert "cannot listen" in ended.stderr
