"""A hook runs for the newest commit, is tried again until it works, and is not run twice for one."""

from __future__ import annotations

import io
import os
import queue
import threading
from pathlib import Path

import pytest

from podmates_gitsync.hooks.runner import Exechook, HookError, Runner
from podmates_gitsync.processes import Running
from podmates_gitsync.reports.logs import Log

PATIENCE = 30  # seconds


class Scripted:
    """A hook that waits to be let go on, and fails as often as it was told."""

    def __init__(self, failures: int = 0) -> None:
        self.started: queue.Queue[str] = queue.Queue()
        self.go_on = threading.Semaphore(0)
        self._failures = failures

    def run(self, commit: str) -> None:
        self.started.put(commit)
        assert self.go_on.acquire(timeout=PATIENCE)
        if self._failures:
            self._failures -= 1
            raise HookError("not yet")


def quiet() -> Log:
    return Log(stream=io.StringIO())


def runner(hook: Scripted, counts: list[bool], *, once: bool = False) -> Runner:
    return Runner(hook, quiet(), backoff=0.01, once=once, count=counts.append)


def test_commits_in_between_are_skipped() -> None:
    hook, counts = Scripted(), list[bool]()
    ran = runner(hook, counts)
    ran.hand("a")
    assert hook.started.get(timeout=PATIENCE) == "a"
    for commit in "bcd":
        ran.hand(commit)
    hook.go_on.release()

    assert hook.started.get(timeout=PATIENCE) == "d"
    assert counts == [True]
    hook.go_on.release()


def test_a_failure_is_tried_again_with_the_newest_commit() -> None:
    hook, counts = Scripted(failures=1), list[bool]()
    ran = runner(hook, counts)
    ran.hand("a")
    assert hook.started.get(timeout=PATIENCE) == "a"
    ran.hand("b")
    hook.go_on.release()

    assert hook.started.get(timeout=PATIENCE) == "b"
    assert counts == [False]
    hook.go_on.release()


def test_a_commit_that_was_done_is_not_done_again() -> None:
    hook, counts = Scripted(), list[bool]()
    ran = runner(hook, counts)
    for commit in ("a", "a", "b"):
        ran.hand(commit)
        if commit == "a" and not counts:
            hook.go_on.release()
            assert ran.first_result()
    hook.go_on.release()
    first, second = hook.started.get(timeout=PATIENCE), hook.started.get(timeout=PATIENCE)

    assert (first, second) == ("a", "b")


@pytest.mark.parametrize("failures", [0, 1])
def test_the_first_try_is_what_one_time_mode_waits_for(failures: int) -> None:
    hook, counts = Scripted(failures), list[bool]()
    ran = runner(hook, counts, once=True)
    ran.hand("a")
    hook.go_on.release()

    assert ran.first_result() is (failures == 0)
    assert counts == [failures == 0]


def test_a_hook_that_was_never_needed_has_not_failed() -> None:
    assert runner(Scripted(), [], once=True).first_result()


def exechook(command: str, tree: Path, timeout: float = PATIENCE) -> Exechook:
    environment = {"PATH": os.environ["PATH"], "GITSYNC_X": "x"}
    return Exechook(
        command,
        timeout,
        tree=lambda commit: tree,
        environment=environment,
        log=quiet(),
        running=Running(),
    )


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_an_exechook_runs_in_the_worktree_with_the_hash_and_everything_we_got(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    exechook(script(tmp_path / "hook", 'echo "$PWD $GITSYNC_HASH $GITSYNC_X" > ran'), tree).run("abc")

    assert (tree / "ran").read_text() == f"{tree} abc x\n"


def test_a_relative_command_with_a_slash_is_looked_for_in_the_worktree(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    script(tmp_path / "bin" / "hook", "echo > ran")
    exechook("./bin/hook", tmp_path).run("abc")

    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [("echo said; exit 3", "exit status 3.*said"), ("exec sleep 600", "killed at the deadline")],
    ids=["status", "timeout"],
)
def test_a_hook_that_fails_says_how(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(HookError, match=reason):
        exechook(script(tmp_path / "hook", text), tmp_path, timeout=1.0).run("abc")


def test_spaces_are_part_of_the_name(tmp_path: Path) -> None:
    with pytest.raises(HookError, match="No such file"):
        exechook("echo hello", tmp_path).run("abc")


def test_a_worktree_that_is_gone_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(HookError, match="gone"):
        exechook("true", tmp_path / "missing").run("abc")
