"""`/status` tells what happened, and staleness takes readiness away only where that was asked for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_gitsync_http import ask
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import script
from tests.support.waiting import until

FIELDS = (
    *("name", "repo", "ref", "state", "hash", "previous_hash", "published_at", "last_attempt_at"),
    *("last_success_at", "consecutive_failures", "last_error", "stale", "rejected"),
)
MOMENT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


def status(port: int) -> dict[str, Any]:
    code, text = ask(port, "/status")
    assert code == 200
    document = json.loads(text)
    assert document["version"] == 1
    (repository,) = document["repositories"]
    return dict(repository)


def test_status_tells_of_a_change_a_failure_and_a_restart(tmp_path: Path, upstream: Repository) -> None:
    port, first = free_port(), upstream.head()
    flags = [f"--http-bind=127.0.0.1:{port}", "--http-metrics", "--max-failures=-1", "--max-staleness=1h"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        process.wait_published(first)
        second = upstream.commit({"a": "2"})
        until(lambda: status(port)["hash"] == second, 60, "the change to show")
        told = status(port)
        assert tuple(told) == FIELDS
        assert told["name"] == "bare"
        assert (told["repo"], told["ref"], told["previous_hash"]) == (upstream.url, "HEAD", first)
        assert all(MOMENT.fullmatch(told[f"{name}_at"]) for name in ("published", "last_attempt"))
        assert told["stale"] is False

        upstream.bare.rename(upstream.folder / "away")
        until(lambda: status(port)["consecutive_failures"] > 1, 60, "failures to show")
        told = status(port)
        assert (told["hash"], "does not" in told["last_error"]) == (second, True)
        metrics = ask(port, "/metrics")[1]
        assert f'git_sync_revision_info{{ref="HEAD",hash="{second}"}} 1\n' in metrics
        assert re.search(r"^git_sync_consecutive_failures [1-9]", metrics, re.MULTILINE)
        assert re.search(r"^git_sync_last_success_timestamp_seconds 1\.\d+e\+09$", metrics, re.MULTILINE)

    with Gitsync(tmp_path, upstream.url, *flags) as process:  # it knows what the last one published
        process.wait_line("error syncing repo, will retry")
        told = status(port)
        assert (told["hash"], told["last_success_at"]) == (second, None)
        assert MOMENT.fullmatch(told["published_at"])


def test_with_git_syncs_flags_alone_status_is_any_path(tmp_path: Path, upstream: Repository) -> None:
    port = free_port()
    with Gitsync(tmp_path, upstream.url, f"--http-bind=127.0.0.1:{port}") as process:
        process.wait_published(upstream.head())
        until(lambda: ask(port, "/status") == (200, ""), 30, "the first success to show")


def test_staleness_takes_readiness_and_life_away_and_a_success_gives_them_back(
    tmp_path: Path, upstream: Repository
) -> None:
    port, away = free_port(), upstream.folder / "away"
    flags = [f"--http-bind=127.0.0.1:{port}", "--max-failures=-1", "--max-staleness=5s"]
    probe = [script("podmates-gitsync"), "probe"]
    env = {"GITSYNC_HTTP_BIND": f":{port}"}
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        process.wait_published(upstream.head())
        until(lambda: ask(port, "/readyz")[0] == 200, 30, "readiness")
        upstream.bare.rename(away)
        until(lambda: ask(port, "/readyz")[0] == 503, 30, "readiness to go")
        assert ask(port, "/livez") == (503, "stale: bare\n")
        assert ask(port, "/")[0] == ask(port, "/healthz")[0] == 200
        assert status(port)["stale"] is True
        for kind in ("live", "ready"):
            assert run([*probe, kind], env=env).status == 1
        away.rename(upstream.bare)
        until(lambda: ask(port, "/livez")[0] == ask(port, "/readyz")[0] == 200, 30, "a success to show")
        assert run([*probe, "live"], env=env).status == 0


def test_a_hash_that_is_there_never_gets_stale(tmp_path: Path, upstream: Repository) -> None:
    port = free_port()
    flags = [f"--http-bind=127.0.0.1:{port}", "--max-staleness=1ns", f"--ref={upstream.head()}"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        process.wait_line("no further syncs")
        until(lambda: ask(port, "/readyz")[0] == 200, 30, "readiness")
        told = status(port)
        assert (told["stale"], told["state"]) == (False, "parked")


def test_no_listener_no_limit(tmp_path: Path, upstream: Repository) -> None:
    with Gitsync(tmp_path, upstream.url, "--max-staleness=1h") as process:
        assert process.wait(60) == 1
        assert "--http-bind must be specified when --max-staleness is set" in process.stderr
