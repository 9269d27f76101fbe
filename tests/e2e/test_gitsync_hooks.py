"""Hooks run beside the syncs, with the commit and the whole environment."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.moving import below
from tests.support.ports import free_port
from tests.support.waiting import until
from tests.support.web import get
from tests.support.web_server import Asked, Reply, WebServer


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_the_exechook_runs_for_each_change_in_the_worktree_of_its_commit(
    tmp_path: Path, upstream: Repository
) -> None:
    told = tmp_path / "told"
    hook = script(tmp_path / "hook", f'echo "$GITSYNC_HASH $(pwd -P) $(cat a) $GITSYNC_DEPTH" >> {told}')
    env = {"GITSYNC_DEPTH": "1"}
    with Gitsync(tmp_path, upstream.url, f"--exechook-command={hook}", env=env) as process:
        first = upstream.head()
        until(lambda: len(lines(told)) == 1, 60, "the first run")
        second = upstream.commit({"a": "2"})
        until(lambda: len(lines(told)) == 2, 60, "the second run")

        trees = process.root / ".worktrees"
        assert lines(told) == [f"{first} {trees / first} 1 1", f"{second} {trees / second} 2 1"]


def test_a_failing_hook_is_tried_again_and_the_tree_is_published_all_the_same(
    tmp_path: Path, upstream: Repository
) -> None:
    told = tmp_path / "told"
    hook = script(tmp_path / "hook", f"echo said; echo x >> {told}; test $(wc -l < {told}) -gt 1")
    flags = [f"--exechook-command={hook}", "--exechook-backoff=1s"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        process.wait_published(upstream.head())
        process.wait_line("hook failed")
        until(lambda: len(lines(told)) == 2, 60, "the second try")

        (failed,) = [message for message in process.messages() if message["msg"] == "hook failed"]
        assert failed["logger"] == "exechook"
        assert "said" in failed["error"]
        assert process.returncode is None


@pytest.mark.parametrize(("command", "status"), [("true", 0), ("false", 1)])
def test_one_time_waits_for_the_first_try_and_tells_how_it_went(
    tmp_path: Path, upstream: Repository, command: str, status: int
) -> None:
    with Gitsync(tmp_path, upstream.url, "--one-time", f"--exechook-command={command}") as process:
        assert process.wait(60) == status
        assert process.published() == upstream.head()


def test_a_pre_publish_hook_that_fails_holds_nothing_up(tmp_path: Path, upstream: Repository) -> None:
    told = tmp_path / "told"
    hook = script(tmp_path / "hook", f'echo "$GITSYNC_HASH $(cat a)" >> {told}; exit 1')
    flags = ["--one-time", f"--pre-publish-exechook-command={hook}"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        assert process.wait(60) == 1
        assert process.published() == upstream.head()
        assert lines(told) == [f"{upstream.head()} 1"]


@pytest.mark.parametrize("once", [False, True], ids=["for long", "one-time"])
def test_the_link_moves_while_the_pre_publish_hook_runs(
    tmp_path: Path, upstream: Repository, once: bool
) -> None:
    """A hook that ends only when the commit is published ends."""
    wait = 'until [ "$(basename "$(readlink $GITSYNC_LINK)")" = $GITSYNC_HASH ]; do sleep 0.05; done'
    flags = [f"--pre-publish-exechook-command={script(tmp_path / 'hook', f'{wait}; echo seen')}"]
    flags += ["--one-time"] if once else ["--period=1h"]
    with Gitsync(tmp_path, upstream.url, *flags, "--pre-publish-exechook-timeout=59s", "-v1") as process:
        process.wait_line("exechook succeeded")
        process.wait_published(upstream.head())
        if once:
            assert process.wait(60) == 0
        names = ("running exechook", "exechook succeeded")
        running, done = [m for m in process.messages() if m["msg"] in names]
        assert (running["logger"], running["level"], running["timeout"]) == ("pre-publish-exechook", 0, "59s")
        assert (done["logger"], done["level"], done["stdout"]) == ("pre-publish-exechook", 1, "seen\n")


def test_each_hook_has_its_limits_its_pause_and_its_count(tmp_path: Path, upstream: Repository) -> None:
    """Both hang at their first try."""
    began, port, answered = tmp_path / "began", free_port(), threading.Event()
    hang = script(tmp_path / "hook", f"test -e {began} || {{ : > {began}; exec sleep 600; }}")
    times: list[float] = []

    def answer(asked: Asked) -> Reply:
        times.append(time.monotonic())
        if len(times) == 1:
            answered.wait(60)
        return Reply(204)

    flags = [f"--http-bind=127.0.0.1:{port}", "--http-metrics", "--period=1h"]
    flags += [f"--exechook-command={hang}", "--exechook-timeout=5s", "--exechook-backoff=2s"]
    flags += ["--webhook-timeout=5s", "--webhook-backoff=1s", "--webhook-success-status=204"]
    flags += ["--pre-publish-exechook-command=true"]
    with (
        WebServer(answer) as server,
        Gitsync(tmp_path, upstream.url, *flags, f"--webhook-url={server.url}") as process,
    ):
        counts = {("pre-publish-exechook", "success"): 1, ("exechook", "success"): 1}
        counts |= {("exechook", "error"): 1, ("webhook", "success"): 1, ("webhook", "error"): 1}
        wanted = {
            f'git_sync_hook_run_count_total{{name="{name}",status="{status}"}} {count}'
            for (name, status), count in counts.items()
        }

        def counted() -> set[str]:
            page = get(f"http://127.0.0.1:{port}/metrics").body.splitlines()
            return {line for line in page if line.startswith("git_sync_hook_run_count_total{")}

        process.wait_line("serving HTTP")
        until(lambda: counted() == wanted, 60, "each try to be counted")
        answered.set()
        assert len(times) == 2
        assert times[1] - times[0] > 5.5  # time-out and pause, less the way of the first call to the server
        told = [(m["logger"], m["retry"]) for m in process.messages() if m["msg"] == "hook failed"]
        assert sorted(told) == [("exechook", "2s"), ("webhook", "1s")]
        (hung,) = [m for m in process.messages() if m["msg"] == "hook failed" and m["logger"] == "exechook"]
        assert "killed at the deadline" in hung["error"]
        ran = [m["logger"] for m in process.messages() if m["msg"] == "running exechook"]
        assert sorted(ran) == ["exechook", "exechook", "pre-publish-exechook"]


def test_hooks_and_git_run_far_from_the_users_directory(tmp_path: Path, upstream: Repository) -> None:
    """No command of git's that misses its directory can do harm: ours is empty, and gone."""
    with Gitsync(tmp_path, upstream.url) as process:
        process.wait_published(upstream.head())
        mine = os.readlink(f"/proc/{process.pid}/cwd")
    assert mine.endswith(" (deleted)")
    assert Path(mine).name.startswith("git-sync.")


def test_a_restart_runs_the_exechook_again_and_the_pre_publish_hook_not(
    tmp_path: Path, upstream: Repository
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    flags = [
        "--one-time",
        f"--pre-publish-exechook-command={script(tmp_path / 'hook1', f'echo x >> {before}')}",
        f"--exechook-command={script(tmp_path / 'hook2', f'echo x >> {after}')}",
    ]
    for _ in range(2):
        with Gitsync(tmp_path, upstream.url, *flags) as process:
            assert process.wait(60) == 0

    assert (len(lines(before)), len(lines(after))) == (1, 2)


def test_a_hook_gets_the_secrets_that_git_does_not(tmp_path: Path, upstream: Repository) -> None:
    hook, git = tmp_path / "hook-told", tmp_path / "git-told"
    echo = 'echo "[${GITSYNC_PASSWORD-gone}]"'
    wrapper = script(tmp_path / "git", f'{echo} >> {git}; exec /usr/bin/env git "$@"')
    told = script(tmp_path / "hook", f"{echo} >> {hook}")
    flags = ["--one-time", f"--git={wrapper}", f"--exechook-command={told}"]
    flags.append("--username=u")
    env = {"GITSYNC_PASSWORD": "secret"}
    with Gitsync(tmp_path, upstream.url, *flags, env=env) as process:
        assert process.wait(60) == 0

    assert lines(hook) == ["[secret]"]
    assert set(lines(git)) == {"[gone]"}


def test_a_hook_is_told_what_changed_and_where_it_is_published(tmp_path: Path, upstream: Repository) -> None:
    told, files = tmp_path / "told", tmp_path / "files"
    hook = script(
        tmp_path / "hook",
        f'echo "$GITSYNC_HASH [$GITSYNC_PREVIOUS_HASH] $GITSYNC_REF $GITSYNC_LINK $*" >> {told}; '
        f'tr "\\0" " " < "$GITSYNC_CHANGED_FILES" >> {files}; echo >> {files}',
    )
    upstream.commit({"gone": "1"})
    flags = ["--ref=main", f"--exechook-command={hook}", "--exechook-args=a b", "--exechook-args=-c"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        first = upstream.head()
        until(lambda: len(lines(files)) == 1, 60, "the first run")
        second = upstream.commit({"a": "2", "d/new": "1", "gone": None})
        until(lambda: len(lines(files)) == 2, 60, "the second run")
        link = process.link
        until(lambda: not below(process.root / ".git/podmates/tmp"), 60, "the files to go")
        memory = process.root / ".git/podmates/hooks/exechook"
        until(lambda: second in memory.read_text(), 60, "what it was told to be remembered")
    third = upstream.commit({"a": "3"})
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        until(lambda: len(lines(files)) == 3, 60, "the run after a restart")

    assert lines(told) == [
        f"{first} [] main {link} a b -c",
        f"{second} [{first}] main {link} a b -c",
        f"{third} [{second}] main {link} a b -c",
    ]
    assert lines(files) == ["", "M a A d/new D gone ", "M a "]


def test_each_exechook_has_its_own_arguments(tmp_path: Path, upstream: Repository) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    flags = [
        "--one-time",
        f"--pre-publish-exechook-command={script(tmp_path / 'hook1', f'echo $* > {before}')}",
        "--pre-publish-exechook-args=one",
        f"--exechook-command={script(tmp_path / 'hook2', f'echo $* > {after}')}",
        "--exechook-args=two",
    ]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        assert process.wait(60) == 0

    assert (lines(before), lines(after)) == (["one"], ["two"])


def test_quick_hooks_have_run_when_the_touch_file_is_touched(tmp_path: Path, upstream: Repository) -> None:
    told, touched = tmp_path / "told", tmp_path / "touched"
    hook = script(tmp_path / "hook", f"test -e {touched} && echo late > {told} || echo early > {told}")
    flags = ["--one-time", f"--exechook-command={hook}", f"--touch-file={touched}"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        assert process.wait(60) == 0

    assert lines(told) == ["early"]
    assert touched.exists()
