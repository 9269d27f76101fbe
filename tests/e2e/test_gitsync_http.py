"""The HTTP endpoint tells of the first success, and the metrics are git-sync's."""

from __future__ import annotations

import http.client
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.moving import descriptors
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import script
from tests.support.waiting import until


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


def ask(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/healthz", "/livez", "/metrics", "/debug/pprof/"])
def test_every_path_is_503_until_the_first_success_and_200_ever_after(
    tmp_path: Path, upstream: Repository, path: str
) -> None:
    port = free_port()
    away = upstream.folder / "away"
    upstream.bare.rename(away)
    with Gitsync(tmp_path, upstream.url, f"--http-bind=:{port}", "--max-failures=-1") as process:
        process.wait_line("error syncing repo, will retry")
        status, body = ask(port, path)
        assert status == 503
        assert body

        away.rename(upstream.bare)
        process.wait_published(upstream.head())
        until(lambda: ask(port, path, "POST") == (200, ""), 30, "the first success to show")
        upstream.bare.rename(away)
        process.wait_line("error syncing repo, will retry", count=4)
        assert ask(port, path) == (200, "")


def test_both_ip_families_are_served(tmp_path: Path, upstream: Repository) -> None:
    port = free_port()
    with Gitsync(tmp_path, upstream.url, f"--http-bind=:{port}") as process:
        process.wait_published(upstream.head())
        for host in ["127.0.0.1", *(["::1"] if socket.has_ipv6 else [])]:
            with socket.create_connection((host, port), timeout=30):
                pass


def test_nothing_is_served_without_an_address(tmp_path: Path, upstream: Repository) -> None:
    with Gitsync(tmp_path, upstream.url, "--http-metrics=false") as process:
        process.wait_published(upstream.head())
        sockets = {n.strip("socket:[]") for n in descriptors(process.pid) if n.startswith("socket:")}
        tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
        listening = {line.split()[9] for table in tables for line in table if line.split()[3] == "0A"}
        assert not sockets & listening


def test_the_metrics_have_git_syncs_names_and_whole_numbers(tmp_path: Path, upstream: Repository) -> None:
    port = free_port()
    flags = [f"--http-bind=127.0.0.1:{port}", "--http-metrics", "--http-pprof", "--exechook-command=true"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        process.wait_published(upstream.head())
        once = 'git_sync_hook_run_count_total{name="exechook",status="success"} 1\n'
        until(lambda: once in ask(port, "/metrics")[1], 60, "the first run of the hook")
        upstream.commit({"a": "2"})
        wanted = [
            "git_fetch_count_total 2\n",
            'git_sync_count_total{status="success"} 2\n',
            'git_sync_duration_seconds_count{status="success"} 2\n',
            'git_sync_hook_run_count_total{name="exechook",status="success"} 2\n',
            'git_sync_count_total{status="noop"} ',
        ]
        until(
            lambda: all(line in ask(port, "/metrics")[1] for line in wanted),
            60,
            f"the metrics to say {wanted}",
        )
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            text = answer.read().decode()
        assert "process_resident_memory_bytes " in text
        assert "_created" not in text
        assert "goroutine" in ask(port, "/debug/pprof/")[1]


def test_an_address_that_is_taken_ends_it_before_any_sync(tmp_path: Path, upstream: Repository) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Gitsync(tmp_path, upstream.url, f"--http-bind=127.0.0.1:{port}") as process:
            assert process.wait(60) == 1
            assert "cannot bind HTTP" in process.stderr
            assert process.published() == ""


@pytest.mark.parametrize("host", ["a..b", "h" * 64], ids=["an empty part", "a long part"])
def test_an_address_that_no_host_can_have_ends_it_with_its_reason(
    tmp_path: Path, upstream: Repository, host: str
) -> None:
    with Gitsync(tmp_path, upstream.url, f"--http-bind={host}:80") as process:
        assert process.wait(60) == 1
        (error,) = [line["error"] for line in process.messages() if "error" in line]
        assert error.startswith(f"cannot bind HTTP to {host}:80: ")
        assert "unexpected" not in process.stderr


def test_the_probe_asks_where_the_variable_says(tmp_path: Path, upstream: Repository) -> None:
    port = free_port()
    env = {"GITSYNC_HTTP_BIND": f":{port}"}
    probe = [script("podmates-gitsync"), "probe", "ready"]
    assert run(probe, env=env).status == 1
    with Gitsync(tmp_path, upstream.url, env=env) as process:
        process.wait_published(upstream.head())
        until(lambda: run(probe, env=env).status == 0, 30, "the probe to say yes")
