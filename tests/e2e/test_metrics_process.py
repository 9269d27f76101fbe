"""The adapter as a process: command line, exit statuses, paths, probes, signals."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from tests.e2e.adapters import Adapter
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import script

FAULTS = {
    ("--bogus",): "podmates-metrics: error: unknown long flag '--bogus', try --help",
    ("stray",): "podmates-metrics: error: unexpected stray, try --help",
    (
        "--statsd.cache-size=x",
    ): "podmates-metrics: error: --statsd.cache-size: 'x': want a whole number, try --help",
    ("--web.enable-lifecycle=1",): "podmates-metrics: error: unexpected 1, try --help",
    ("probe", "dead"): "podmates-metrics: error: unexpected probe dead, try --help",
}


@pytest.mark.parametrize(("argv", "line"), FAULTS.items(), ids=lambda part: str(part)[:30])
def test_a_wrong_command_line_ends_with_one_line_and_status_1(argv: tuple[str, ...], line: str) -> None:
    ended = run([script("podmates-metrics"), *argv])

    assert (ended.status, ended.stdout, ended.stderr) == (1, "", line + "\n")


def test_it_answers_to_the_originals_names(tmp_path: Path) -> None:
    for name, reason in (("statsd_exporter", "unexpected stray"), ("json_exporter", "unexpected stray")):
        link = tmp_path / name
        link.symlink_to(script("podmates-metrics"))

        ended = run([link, "stray"])

        assert ended.status == 1
        assert ended.stderr.startswith(f"{name}: error: ")
        assert reason in ended.stderr


def test_a_wrong_variable_is_named() -> None:
    ended = run([script("podmates-metrics")], env={"PODMATES_METRICS_STATSD_CACHE": "1"})

    assert ended.status == 1
    assert "PODMATES_METRICS_STATSD_CACHE: unknown setting" in ended.stderr


CONFIGS = {
    "mappings:\n- {match: a, nam: b}\n": "line 2: mappings[0]: line 0: metric mapping didn't set a",
    "bogus: 1\n": "line 1: bogus: field bogus not found",
    "mappings:\n- match: foo\n  name: foo\n  histogram_options: {buckets: [3, 1]}\n": "buckets must increase",
}


@pytest.mark.parametrize(("text", "reason"), CONFIGS.items(), ids=["no name", "unknown key", "buckets"])
def test_a_wrong_mapping_file_is_refused_before_anything_is_opened(
    tmp_path: Path, text: str, reason: str
) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text(text)
    flag = f"--statsd.mapping-config={file}"

    for argv, status in (([flag], 1), ([flag, "--check-config"], 1), (["check", flag], 2)):
        ended = run([script("podmates-metrics"), *argv])

        assert ended.status == status, argv
        assert str(file) in ended.stderr
        assert reason in ended.stderr
        assert "Traceback" not in ended.stderr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    ended = run([script("podmates-metrics"), f"--config.file={tmp_path}/none.yaml"])

    assert ended.status == 1
    assert f"{tmp_path}/none.yaml: No such file" in ended.stderr


def test_a_good_file_is_checked_without_opening_a_socket(tmp_path: Path) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text("mappings: [{match: a.*, name: a}]")
    flag = f"--statsd.mapping-config={file}"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"--web.listen-address=127.0.0.1:{taken.getsockname()[1]}"

        assert run([script("podmates-metrics"), flag, listen, "--check-config"]).status == 0
        ended = run([script("podmates-metrics"), "check", flag, listen])
    assert ended.status == 0
    assert f"statsd_mapping_config = {file}  (--statsd.mapping-config)" in ended.stdout
    assert "rules: 1 for StatsD, 0 native" in ended.stdout


def test_a_port_that_is_taken_ends_it_with_status_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run(
            [
                script("podmates-metrics"),
                f"--web.listen-address=127.0.0.1:{taken.getsockname()[1]}",
                "--statsd.listen-tcp=",
                f"--statsd.listen-udp=127.0.0.1:{free_port()}",
            ]
        )

    assert ended.status == 1
    assert "cannot listen" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_nothing_to_do_is_a_fault() -> None:
    ended = run([script("podmates-metrics"), "--statsd.listen-udp=", "--statsd.listen-tcp="])

    assert ended.status == 1
    assert "at least one of the StatsD listeners" in ended.stderr


def test_version_and_help_go_to_standard_output() -> None:
    pure = run([script("podmates-metrics"), "--version"], env={"PODMATES_PURE": "1"})
    any_of_them = run([script("podmates-metrics"), "--version"])
    help = run([script("podmates-metrics"), "--help"])

    assert (pure.status, pure.stdout) == (0, "podmates-metrics 0.1.0 parser=pure\n")
    assert any_of_them.stdout.split("=")[1].strip() in ("pure", "compiled")
    assert help.status == 0
    assert "--statsd.mapping-config" in help.stdout
    for verb in ("send", "try", "convert", "detect", "json"):  # which have words of their own
        assert f"see {verb} --help" in help.stdout


def test_jmx_exporters_command_has_a_version_and_help_that_names_every_verb() -> None:
    version = run([script("podmates-metrics"), "jmx", "--version"])
    help = run([script("podmates-metrics"), "jmx", "--help"])

    assert (version.status, version.stdout.startswith("podmates-metrics ")) == (0, True)
    assert (help.status, help.stderr) == (0, "")
    for verb in ("run", "check", "probe", "send", "try", "convert", "detect", "jmx", "json"):
        assert f"\n  {verb} " in help.stdout, verb


def test_the_paths_of_the_original_and_ours() -> None:
    with Adapter() as adapter:
        assert adapter.get("/-/healthy").text == "Statsd Exporter is Healthy.\n"
        assert adapter.get("/-/ready").text == "Statsd Exporter is Ready.\n"
        assert adapter.get("/-/healthy", "POST").text == ""
        assert '<a href="/metrics">' in adapter.get("/").text
        assert adapter.get("/nope").status == 404
        assert adapter.get("/-/reload", "POST").status == 404
        assert adapter.get("/-/quit", "POST").status == 404
        assert (
            adapter.get("/metrics")
            .headers["Content-Type"]
            .startswith("text/plain; version=0.0.4; charset=utf-8")
        )
        for path in ("/livez", "/readyz", "/startupz"):
            assert adapter.get(path).status == 200, path
        assert '"parser"' in adapter.get("/version").text


def test_the_metrics_may_be_elsewhere() -> None:
    with Adapter("--web.telemetry-path=/m") as adapter:
        assert "statsd_exporter_lines_total" in adapter.get("/m").text
        assert adapter.get("/metrics").status == 404
        assert '<a href="/m">' in adapter.get("/").text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_status_0(number: signal.Signals) -> None:
    with Adapter() as adapter:
        assert adapter.stop(number) == 0
        adapter.descendants_gone()


def test_probes_ask_the_running_process() -> None:
    with Adapter() as adapter:
        flag = f"--web.listen-address=127.0.0.1:{adapter.web}"
        for kind in ("live", "ready", "started"):
            assert run([script("podmates-metrics"), "probe", kind, flag]).status == 0
        variable = {"PODMATES_METRICS_WEB_LISTEN_ADDRESS": f"127.0.0.1:{adapter.web}"}
        assert run([script("podmates-metrics"), "probe", "ready"], env=variable).status == 0
        adapter.stop()
        assert run([script("podmates-metrics"), "probe", "live", flag]).status == 1


def test_check_says_2_whatever_is_wrong() -> None:
    for words in (["--bogus"], ["--statsd.listen-udp"], ["word"], ["--web.listen-address=x"]):
        ended = run([script("podmates-metrics"), "check", *words])

        assert (ended.status, ended.stderr.count("\n")) == (2, 1), ended


def test_strangers_do_not_fill_the_log() -> None:
    with Adapter() as adapter:
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", adapter.web), timeout=30) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
                assert connection.recv(100).startswith(b"HTTP/1.0 400")
        assert "Error handling request" not in adapter.output


def test_who_only_takes_lines_pays_for_no_client_and_no_other_source(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("mappings:\n- match: app.*.time\n  name: app_seconds\n")
    with Adapter(f"--statsd.mapping-config={mapping}", env={"PYTHONPROFILEIMPORTTIME": "1"}) as adapter:
        adapter.get("/metrics")
        names = {line.rpartition("|")[2].strip() for line in adapter.stderr.splitlines()}

    assert "podmates_metrics.app" in names
    assert names & {"aiohttp.client", "prometheus_client.exposition", "re2"} == set()
    assert [name for name in names if name.startswith("podmates_metrics.json_exporter")] == []
