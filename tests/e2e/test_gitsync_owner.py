"""One root has one owner: whoever comes second waits, and nothing left by the first stands in its way."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.forwarder import Forwarder
from tests.support.git_http import GitServer
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.processes import children
from tests.support.programs import need
from tests.support.waiting import stays, until

SOAK = os.environ.get("SOAK") == "1"


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL] if SOAK else [signal.SIGKILL])
def test_the_second_waits_and_takes_over_when_the_first_ends(
    tmp_path: Path, upstream: Repository, number: signal.Signals
) -> None:
    with Gitsync(tmp_path, upstream.url) as first:
        first.wait_published(upstream.head())
        flags = ["--touch-file=touched", "--sync-timeout=5s"]
        with Gitsync(tmp_path, upstream.url, *flags) as second:
            second.wait_line("waiting for another process to leave root")
            stays(lambda: not (second.root / "touched").exists() and second.returncode is None, 5.5)
            first.stop(number)
            until((second.root / "touched").exists, 60, "the second one to be ready")
            second.wait_published(upstream.commit({"a": "2"}))
            assert second.stderr.count("waiting for another process") == 1
            assert "error syncing" not in second.stderr


def test_a_fetch_that_outlives_its_killed_gitsync_is_waited_for(tmp_path: Path, upstream: Repository) -> None:
    with (
        GitServer(upstream.folder) as server,
        Forwarder(("127.0.0.1", server.port)) as link,
        Gitsync(tmp_path, f"http://{link.address}/bare.git") as first,
    ):
        first.wait_published(upstream.head())
        link.throttle(50_000)
        before = link.forwarded
        commit = upstream.commit({"a": os.urandom(300_000)})
        until(lambda: link.forwarded > before + 30_000, 60, "a part of the pack to be there")
        link.freeze()
        [fetch] = children(first.pid)
        first.stop(signal.SIGKILL)
        with Gitsync(tmp_path, upstream.url) as second:
            second.wait_line("waiting for another process to leave root")
            stays(lambda: second.published() != commit, 1)
            os.killpg(fetch, signal.SIGKILL)
            second.wait_published(commit)


def test_a_cache_of_passwords_that_git_leaves_running_does_not_keep_the_root(
    tmp_path: Path, upstream: Repository
) -> None:
    """git could start its daemon in the middle of a fetch, with all that it inherited."""
    ask = tmp_path / "ask"
    ask.write_text("#!/bin/sh\necho secret\n")
    ask.chmod(0o755)
    env = {"GIT_ASKPASS": str(ask)}
    with GitServer(upstream.folder, ("secret", "secret")) as server:
        repo = f"{server.url}/bare.git"
        with Gitsync(tmp_path, repo, env=env) as first:
            first.wait_published(upstream.head())
            first.stop(signal.SIGKILL)
        commit = upstream.commit({"a": "2"})
        with Gitsync(tmp_path, repo, env=env) as second:
            second.wait_published(commit)


@pytest.mark.parametrize("error", ["ENOLCK", "EOPNOTSUPP", "ENOSYS"] if SOAK else ["ENOLCK"])
def test_where_the_file_system_has_no_locks_what_is_in_the_way_goes_by_its_age(
    tmp_path: Path, upstream: Repository, error: str
) -> None:
    first = upstream.head()
    without_locks = [need("strace", "strace"), "-f", "-qq", "-o", "/dev/null", "-e", "trace=flock"]
    without_locks += ["-e", f"inject=flock:error={error}"]

    def sync() -> tuple[int, str]:
        flags = ["--one-time", "--sync-timeout=60s"]
        with Gitsync(tmp_path, upstream.url, *flags, prefix=without_locks) as process:
            return process.wait(180), process.published()

    assert sync() == (0, first)
    lock = tmp_path / "root" / ".git" / "HEAD.lock"
    lock.touch()  # somebody may be at work
    commit = upstream.commit({"a": "2"})
    assert sync() == (1, first)
    assert lock.exists()
    os.utime(lock, (time.time() - 61, time.time() - 61))
    assert sync() == (0, commit)
    assert not lock.exists()
