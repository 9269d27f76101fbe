"""The sidecar's process follows a real repository and ends with git-sync's exit statuses."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support.git_http import GitServer
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.waiting import until
from tests.support.web import get


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


def status(process: Gitsync, timeout: float = 60) -> int:
    """Return the exit status as a shell and a container engine report it."""
    code = process.wait(timeout)
    return code if code >= 0 else 128 - code


def test_one_time_ends_with_0_and_the_tree_is_there(tmp_path: Path, upstream: Repository) -> None:
    with Gitsync(tmp_path, upstream.url, "--one-time") as process:
        assert status(process) == 0

        assert process.published() == upstream.head()
        assert (process.link / "a").read_text() == "1"
        assert process.stdout == ""
        told = [message["msg"] for message in process.messages()]
        assert [told[0], told[-1]] == ["starting up", "exiting after one sync"]
        assert {"update required", "updated successfully"} <= set(told)


@pytest.mark.parametrize("transport", ["file", "http"])
def test_a_branch_is_followed(tmp_path: Path, upstream: Repository, transport: str) -> None:
    with GitServer(upstream.folder) as server:
        repo = upstream.url if transport == "file" else f"{server.url}/bare.git"
        with Gitsync(tmp_path, repo, "--ref=main") as process:
            process.wait_published(upstream.head())
            for value in ("2", "3"):
                process.wait_published(upstream.commit({"a": value}))
                assert (process.link / "a").read_text() == value
            assert process.returncode is None


def test_variables_configure_it_and_old_names_win_with_a_warning(
    tmp_path: Path, upstream: Repository
) -> None:
    upstream.git("branch", "other")
    upstream.push("other")
    env = {"GITSYNC_REF": "other", "GITSYNC_ONE_TIME": "1", "GIT_SYNC_MAX_FAILURES": "3"}
    with Gitsync(tmp_path, upstream.url, env=env) as process:
        assert status(process) == 0
        assert "env GIT_SYNC_MAX_FAILURES has been deprecated, use GITSYNC_MAX_FAILURES" in process.stderr


def test_the_first_failure_ends_it_by_default(tmp_path: Path) -> None:
    with Gitsync(tmp_path, f"file://{tmp_path}/missing") as process:
        assert status(process) == 1
        last = process.messages()[-1]

        assert (last["msg"], last["failCount"]) == ("too many failures, aborting", 1)
        assert "does not appear to be a git repository" in last["error"]


def test_a_missing_ref_fails_with_gits_words(tmp_path: Path, upstream: Repository) -> None:
    with Gitsync(tmp_path, upstream.url, "--ref=nope", "--error-file=error") as process:
        assert status(process) == 1
        assert "couldn't find remote ref nope" in (process.root / "error").read_text()


def test_a_repository_that_failed_its_checks_is_told_in_the_error_file(
    tmp_path: Path, upstream: Repository
) -> None:
    """Until the sync that heals it has ended."""
    with Gitsync(tmp_path, upstream.url, "--one-time") as process:
        assert status(process) == 0
    for file in (process.root / ".git" / "objects").glob("??/*"):
        file.unlink()
    begun, go, git = tmp_path / "begun", tmp_path / "go", tmp_path / "git"
    wait = f"[ $1 != fetch ] || {{ : > {begun}; until [ -e {go} ]; do sleep 0.05; done; }}"
    git.write_text(f'#!/bin/sh\n{wait}\nexec git "$@"\n')
    git.chmod(0o755)
    with Gitsync(tmp_path, upstream.url, f"--git={git}", "--error-file=error", "--one-time") as process:
        until(begun.exists, 60, "the fetch")
        told = json.loads((process.root / "error").read_text())
        go.touch()
        assert status(process) == 0
    assert told["Msg"] == "repo directory failed checks"
    assert told["Args"] == {"path": str(process.root)}
    assert not (process.root / "error").exists()


def test_an_unreachable_remote_is_tried_so_many_times_in_a_row(tmp_path: Path) -> None:
    with Gitsync(tmp_path, f"file://{tmp_path}/missing", "--max-failures=3") as process:
        assert status(process) == 1
        told = [message["msg"] for message in process.messages() if "error" in message]

        assert told == ["error syncing repo, will retry"] * 2 + ["too many failures, aborting"]


def test_a_remote_that_comes_back_is_followed_again(tmp_path: Path, upstream: Repository) -> None:
    server = GitServer(upstream.folder)
    with server, Gitsync(tmp_path, f"{server.url}/bare.git", "--max-failures=-1") as process:
        first = upstream.head()
        process.wait_published(first)
        server.failure = 503
        process.wait_line("error syncing repo, will retry", count=2)
        assert (process.link / "a").read_text() == "1"
        second = upstream.commit({"a": "2"})
        assert process.published() == first
        server.failure = 0

        process.wait_published(second)


@pytest.mark.parametrize(
    ("number", "reported"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129), (signal.SIGQUIT, 2)],
    ids=lambda value: str(value),
)
def test_a_signal_ends_it_by_its_number(
    tmp_path: Path, upstream: Repository, number: int, reported: int
) -> None:
    with Gitsync(tmp_path, upstream.url) as process:
        process.wait_published(upstream.head())
        process.send(number)

        assert status(process) == reported
        process.descendants_gone()
        assert list(tmp_path.glob("git-sync.gitconfig.*")) == []


def test_other_signals_do_nothing(tmp_path: Path, upstream: Repository) -> None:
    with Gitsync(tmp_path, upstream.url) as process:
        process.wait_published(upstream.head())
        names = (
            "USR1",
            "USR2",
            "PIPE",
            "ALRM",
            "VTALRM",
            "PROF",
            "IO",
            "PWR",
            "XCPU",
            "XFSZ",
            "WINCH",
            "URG",
        )
        for name in (*names, "CONT", "CHLD", "RTMIN", "RTMAX"):
            process.send(signal.Signals[f"SIG{name}"])

        process.wait_published(upstream.commit({"a": "2"}))


def test_the_chosen_signal_ends_the_pause(tmp_path: Path, upstream: Repository) -> None:
    with Gitsync(tmp_path, upstream.url, "--period=1h", "--sync-on-signal=SIGHUP", "-v2") as process:
        process.wait_line('"next sync"')
        commit = upstream.commit({"a": "2"})
        process.send(signal.SIGHUP)

        process.wait_published(commit)


def test_a_sync_signal_that_comes_at_the_start_ends_nothing(tmp_path: Path, upstream: Repository) -> None:
    """Before git was ever asked it does not end the process, as it would without its handler."""
    begun, go = tmp_path / "begun", tmp_path / "go"
    wait = f"[ -e {begun} ] || {{ : > {begun}; until [ -e {go} ]; do sleep 0.05; done; }}"
    git = tmp_path / "git"
    git.write_text(f'#!/bin/sh\n{wait}\nexec git "$@"\n')
    git.chmod(0o755)
    flags = [f"--git={git}", "--period=1h", "--sync-on-signal=SIGHUP"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        until(begun.exists, 60, "the first git")
        process.send(signal.SIGHUP)
        go.touch()
        process.wait_published(upstream.head())


def test_sigterm_cuts_a_sync_in_progress_with_its_git(tmp_path: Path, upstream: Repository) -> None:
    with GitServer(upstream.folder) as server:
        slow = tmp_path / "slow-git"
        slow.write_text('#!/bin/sh\n[ "$1" = fetch ] && { : > fetching; sleep 600; }\nexec git "$@"\n')
        slow.chmod(0o755)
        with Gitsync(tmp_path, f"{server.url}/bare.git", f"--git={slow}") as process:
            until((process.root / "fetching").exists, 60, "the fetch to begin")
            process.send(signal.SIGTERM)

            assert status(process) == 143
            process.descendants_gone()


def test_a_fetch_that_hangs_is_killed_at_the_sync_timeout(tmp_path: Path, upstream: Repository) -> None:
    slow = tmp_path / "slow-git"
    slow.write_text('#!/bin/sh\n[ "$1" = fetch ] && sleep 600\nexec git "$@"\n')
    slow.chmod(0o755)
    with Gitsync(tmp_path, upstream.url, f"--git={slow}", "--sync-timeout=3s") as process:
        assert status(process) == 1
        assert "context deadline exceeded" in process.messages()[-1]["error"]
        process.descendants_gone()


def test_a_hash_is_synced_and_then_never_polled_again(tmp_path: Path, upstream: Repository) -> None:
    """HTTP and hooks go on: one that failed before is tried again."""
    commit, port = upstream.head(), free_port()
    allowed, hook = tmp_path / "allowed", tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntest -e {allowed}\n")
    hook.chmod(0o755)
    flags = [f"--ref={commit}", f"--exechook-command={hook}", "--exechook-backoff=1s", "-v1"]
    flags += [f"--http-bind=127.0.0.1:{port}"]
    server = GitServer(upstream.folder)
    with server, Gitsync(tmp_path, f"{server.url}/bare.git", *flags) as process:
        process.wait_line("ref is a hash")
        asked = len(server.requests)
        process.wait_line("hook failed")
        allowed.touch()
        process.wait_line("exechook succeeded")
        assert get(f"http://127.0.0.1:{port}/") == (200, "")
        assert len(server.requests) == asked
        assert process.published() == commit
        process.send(signal.SIGINT)

        assert status(process) == 0


def test_a_left_over_temporary_link_does_not_wedge_it(tmp_path: Path, upstream: Repository) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "tmp-link").symlink_to("nowhere")
    (tmp_path / "root" / f".podmates-link.{'a' * 16}").symlink_to("nowhere")
    with Gitsync(tmp_path, upstream.url, "--one-time") as process:
        assert status(process) == 0
        assert sorted(os.listdir(process.root)) == [".git", ".worktrees", "link", "tmp-link"]


NO_TEMPORARY = """
import os, sys, tempfile
from podmates_gitsync import cli

tempfile._candidate_tempdir_list = lambda: ["/nonexistent"]
os._exit(cli.main("git-sync", sys.argv[1:], os.environ))
"""


def test_it_runs_with_nothing_writable_but_root(tmp_path: Path, upstream: Repository) -> None:
    """Not even with a password to keep; no directory of the machine's is found to be a temporary one."""
    root, env = tmp_path / "root", {"HOME": "/nonexistent"}
    with GitServer(upstream.folder, credentials=("user", "right")) as server:
        url = f"{server.url.replace('://', '://user:right@')}/bare.git"
        argv = [f"--repo={url}", f"--root={root}", "--one-time", "--touch-file=done"]
        done = run([sys.executable, "-c", NO_TEMPORARY, *argv], env=env, cwd=tmp_path)

    assert done.status == 0, done.stderr
    assert (root / "done").exists()


@pytest.mark.parametrize(("flag", "umask"), [("--group-write", 0o002), ("--group-write=false", 0o022)])
def test_group_write_is_a_umask(tmp_path: Path, upstream: Repository, flag: str, umask: int) -> None:
    """Whatever umask the process was started with."""
    shell = ["/bin/sh", "-c", 'umask 0; exec "$@"', "sh"]
    flags = ["--one-time", flag, "--link=links/link"]
    with Gitsync(tmp_path, upstream.url, *flags, prefix=shell) as process:
        process.link = process.root / "links" / "link"
        assert status(process) == 0
        assert (process.link / "a").stat().st_mode & 0o777 == 0o666 & ~umask
        for path in (process.root, process.link.parent, process.link.resolve()):
            assert path.stat().st_mode & 0o777 == 0o777 & ~umask
        assert (process.root / ".git" / "podmates" / "lock").stat().st_mode & 0o777 == 0o666 & ~umask


def test_the_link_may_stand_outside_root(tmp_path: Path, upstream: Repository) -> None:
    link = tmp_path / "else" / "where"
    touched = tmp_path / "other" / "touched"
    flags = ["--one-time", f"--link={link}", f"--touch-file={touched}"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        assert status(process) == 0
        assert touched.exists()
        assert os.readlink(link) == f"../root/.worktrees/{upstream.head()}"
