"""A hook runs for the newest commit, is tried again until it works, and is not run twice for one."""

from __future__ import annotations

import io
import queue
import threading
from pathlib import Path

import pytest

from podmates_gitsync.hooks.change import Change
from podmates_gitsync.hooks.memory import Memory
from podmates_gitsync.hooks.runner import HookError, Runner
from podmates_gitsync.reports.logs import Log
from tests.support.waiting import stays, until

PATIENCE = 30  # seconds


class Scripted:
    """A hook that waits to be let go on, and fails as often as it was told."""

    def __init__(self, failures: int = 0) -> None:
        self.changes: list[Change] = []
        self.started: queue.Queue[str] = queue.Queue()
        self.go_on = threading.Semaphore(0)
        self._failures = failures

    def run(self, change: Change) -> None:
        self.changes.append(change)
        self.started.put(change.commit)
        assert self.go_on.acquire(timeout=PATIENCE)
        if self._failures:
            self._failures -= 1
            raise HookError("not yet")


def quiet() -> Log:
    return Log(stream=io.StringIO())


def runner(hook: Scripted, counts: list[bool], root: Path, *, once: bool = False) -> Runner:
    memory = Memory(root, "hook")
    return Runner(hook, quiet(), backoff=0.01, once=once, count=counts.append, memory=memory)


def changed(previous: str, commit: str, files: bytes | None = b"") -> Change:
    return Change(commit, previous, files)


def test_commits_in_between_are_skipped(tmp_path: Path) -> None:
    hook, counts = Scripted(), list[bool]()
    ran = runner(hook, counts, tmp_path)
    ran.hand(Change("a"))
    assert hook.started.get(timeout=PATIENCE) == "a"
    for commit in "bcd":
        ran.hand(Change(commit))
    hook.go_on.release()

    assert hook.started.get(timeout=PATIENCE) == "d"
    assert counts == [True]
    hook.go_on.release()


def test_a_failure_is_tried_again_with_the_newest_commit(tmp_path: Path) -> None:
    hook, counts = Scripted(failures=1), list[bool]()
    ran = runner(hook, counts, tmp_path)
    ran.hand(Change("a"))
    assert hook.started.get(timeout=PATIENCE) == "a"
    ran.hand(Change("b"))
    hook.go_on.release()

    assert hook.started.get(timeout=PATIENCE) == "b"
    assert counts == [False]
    hook.go_on.release()


def test_a_commit_that_was_done_is_not_done_again(tmp_path: Path) -> None:
    hook, counts = Scripted(), list[bool]()
    ran = runner(hook, counts, tmp_path)
    for commit in ("a", "a", "b"):
        hook.go_on.release()
        ran.hand(Change(commit))
        ran.settle(PATIENCE)

    assert [change.commit for change in hook.changes] == ["a", "b"]


@pytest.mark.parametrize("failures", [0, 1])
def test_the_first_try_is_what_one_time_mode_waits_for(tmp_path: Path, failures: int) -> None:
    hook, counts, threads = Scripted(failures), list[bool](), set(threading.enumerate())
    ran = runner(hook, counts, tmp_path, once=True)
    ran.hand(Change("a"))
    hook.go_on.release()

    assert ran.first_result() is (failures == 0)
    assert counts == [failures == 0]
    until(lambda: set(threading.enumerate()) <= threads, PATIENCE, "no second try")


class Faulty:
    """A hook that raises what nobody foresaw, once."""

    def __init__(self) -> None:
        self.faults = [RuntimeError("out of something")]

    def run(self, change: Change) -> None:
        if self.faults:
            raise self.faults.pop()


def test_a_fault_that_nobody_foresaw_is_a_failure_like_any_other(tmp_path: Path) -> None:
    counts, told, memory = list[bool](), io.StringIO(), Memory(tmp_path, "hook")
    ran = Runner(Faulty(), Log(stream=told), backoff=0.01, once=False, count=counts.append, memory=memory)
    ran.hand(Change("a"))

    until(lambda: counts == [False, True], PATIENCE, "the second try")
    assert not ran.first_result()
    assert '"msg":"hook failed","error":"RuntimeError: out of something"' in told.getvalue()


def test_a_runner_that_is_closed_tries_nothing_any_more(tmp_path: Path) -> None:
    hook, counts = Scripted(failures=9), list[bool]()
    ran = runner(hook, counts, tmp_path)
    ran.hand(Change("a"))
    assert hook.started.get(timeout=PATIENCE) == "a"
    ran.close()
    hook.go_on.release()
    until(lambda: counts == [False], PATIENCE, "the end of the try")
    ran.hand(Change("b"))

    stays(hook.started.empty, 0.2, "no further try")


def test_a_hook_that_was_never_needed_has_not_failed(tmp_path: Path) -> None:
    assert runner(Scripted(), [], tmp_path, once=True).first_result()


def test_who_waits_for_a_hook_waits_no_longer_than_told_and_no_longer_than_needed(tmp_path: Path) -> None:
    hook, counts = Scripted(), list[bool]()
    ran = runner(hook, counts, tmp_path)
    ran.settle(PATIENCE)  # nothing to do
    ran.hand(Change("a"))
    assert hook.started.get(timeout=PATIENCE) == "a"
    ran.settle(0.01)
    assert counts == []

    hook.go_on.release()
    ran.settle(PATIENCE)
    assert counts == [True]


def test_what_changed_with_commits_that_were_skipped_is_told_with_the_next(tmp_path: Path) -> None:
    hook = Scripted(failures=1)
    ran = runner(hook, [], tmp_path)
    ran.hand(changed("o", "a", b"M\0one\0"))
    assert hook.started.get(timeout=PATIENCE) == "a"
    ran.hand(changed("a", "b", b"A\0two\0"))
    ran.hand(changed("b", "c", b"D\0three\0"))
    hook.go_on.release()
    assert hook.started.get(timeout=PATIENCE) == "c"
    ran.hand(changed("c", "d", b"M\0four\0"))
    hook.go_on.release()
    assert hook.started.get(timeout=PATIENCE) == "d"
    hook.go_on.release()

    assert hook.changes[1:] == [
        changed("o", "c", b"M\0one\0A\0two\0D\0three\0"),
        changed("c", "d", b"M\0four\0"),
    ]


RESTARTS = {
    "the same is published as the hook was told of last": ("a", changed("a", "b", b"M\0f\0")),
    "something else was published meanwhile": ("x", changed("a", "b", None)),
    "the link was removed": ("", changed("a", "b", None)),
}


@pytest.mark.parametrize(("published", "told"), RESTARTS.values(), ids=RESTARTS.keys())
def test_a_restart_goes_on_from_what_the_hook_was_told_of_last(
    tmp_path: Path, published: str, told: Change
) -> None:
    for change in (changed("", "a", None), changed(published, "b", b"M\0f\0")):
        hook = Scripted()
        ran = runner(hook, [], tmp_path, once=True)
        ran.hand(change)
        hook.go_on.release()
        assert ran.first_result()

    assert hook.changes == [told]


def test_a_restart_after_a_failure_tells_of_all_that_the_hook_missed(tmp_path: Path) -> None:
    for change in (changed("o", "a", b"M\0f\0"), changed("a", "b", b"M\0g\0")):
        hook = Scripted(failures=1)
        ran = runner(hook, [], tmp_path, once=True)
        ran.hand(change)
        hook.go_on.release()
        assert not ran.first_result()

    assert hook.changes == [changed("o", "b", None)]


def test_what_was_handed_of_an_earlier_commit_only_is_told_from_the_last_one_on(tmp_path: Path) -> None:
    """A sync may fail after it published, and is handed over by the next one, which changes nothing."""
    hook = Scripted()
    ran = runner(hook, [], tmp_path)
    for change in (changed("", "a", None), changed("b", "b", None)):
        ran.hand(change)
        assert hook.started.get(timeout=PATIENCE) == change.commit
        hook.go_on.release()
        ran.settle(PATIENCE)

    assert hook.changes[1] == changed("a", "b", None)


@pytest.mark.parametrize("text", ["", "a\0b", "../x", "a b", "\udcff"])
def test_a_memory_that_holds_no_hash_is_none(tmp_path: Path, text: str) -> None:
    memory = Memory(tmp_path, "hook")
    memory.tell("abc")
    assert memory.told("other") == "abc"
    (file,) = (path for path in tmp_path.rglob("hook") if path.is_file())
    file.write_text(text, errors="surrogateescape")

    assert memory.told("other") == ""


def test_a_hook_that_a_killed_process_never_came_to_run_was_told_of_nothing(tmp_path: Path) -> None:
    """Once the link names a commit, only what was noted before says that the hook does not know it."""
    runner(Scripted(), [], tmp_path).expect(changed("", "a"))
    hook = Scripted()
    hook.go_on.release()
    ran = runner(hook, [], tmp_path)
    assert ran.told() == ""
    ran.hand(changed("a", "b", b"M\0x\0"))
    ran.settle(PATIENCE)

    assert hook.changes == [Change("b", "", None)]
    assert runner(Scripted(), [], tmp_path).told() == "b"
