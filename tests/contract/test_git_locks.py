"""Locks of git that somebody left behind wedge nothing; a root that somebody works in is waited for."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from podmates_gitsync.sync.syncer import Synced
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume, each_way
from tests.support.waiting import stays, until


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1", "deep/b": "1"})
    return repository


LOCKS = {
    "HEAD.lock": ".git/HEAD.lock",
    "branch lock": ".git/refs/heads/git-sync.lock",
    "index.lock": ".git/index.lock",
    "packed-refs.lock": ".git/packed-refs.lock",
    "config.lock": ".git/config.lock",
    "worktree's index.lock": ".git/worktrees/{commit}/index.lock",
    "worktree's HEAD.lock": ".git/worktrees/{commit}/HEAD.lock",
    "temporary link": "tmp-link",
    "packed-refs.new": ".git/packed-refs.new",
    "gc.pid.lock": ".git/gc.pid.lock",
    "commit-graph.lock": ".git/objects/info/commit-graph.lock",
    "lock of what will be fetched": ".git/worktrees/{next}/locked",
    "HEAD.lock that is a directory": ".git/HEAD.lock/",
    "part of a pack": ".git/objects/pack/tmp_pack_a1b2c3",
    "parts that were coming": ".git/objects/incoming-a1b2c3/",
}


def memory(volume: Volume) -> Path:
    return volume.root / ".git" / "worktrees" / volume.tree().name


def leave(path: Path) -> None:
    """Make a lock at *path*, which need not have a folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


@pytest.mark.parametrize(("name", "again"), each_way(LOCKS))
def test_a_lock_left_by_a_killed_git_wedges_nothing(
    volume: Volume, upstream: Repository, name: str, again: str
) -> None:
    lock, commit = LOCKS[name], volume.sync().commit
    new = upstream.commit({"a": "2"})
    path = volume.root / lock.format(commit=commit, next=new)
    path.mkdir() if lock.endswith("/") else leave(path)
    if again == "restarted":
        volume.restart()

    assert volume.sync() == Synced(new, True)
    assert volume.files()["a"] == "2"
    if again == "restarted":
        assert not path.exists() or path.name == "tmp-link"  # that one may be another's
    upstream.commit({"a": "3"})
    volume.restart("--one-time")  # with a collection of garbage, that packs the refs
    volume.sync()
    assert volume.files()["a"] == "3"
    assert "cleanup failed" not in volume.log.getvalue()


@pytest.mark.parametrize("name", ["index.lock", "HEAD.lock"])
def test_a_lock_in_the_tree_that_is_published_wedges_no_restart(volume: Volume, name: str) -> None:
    commit = volume.sync().commit
    leave(memory(volume) / name)
    (volume.tree() / "a").write_text("edited")
    volume.restart()

    assert volume.sync() == Synced(commit, False)  # the same commit, checked out in the same tree once more
    assert volume.files()["a"] == "1"
    assert not (memory(volume) / name).exists()


def test_a_lock_that_may_be_a_hooks_goes_when_it_is_old(volume: Volume) -> None:
    volume.sync()
    lock = memory(volume) / "HEAD.lock"
    lock.touch()
    (volume.root / ".git" / "shallow.lock").touch()  # makes the sync look closely
    volume.sync()
    assert lock.exists()

    os.utime(lock, (time.time() - 121, time.time() - 121))  # --sync-timeout and more
    (volume.root / ".git" / "shallow.lock").touch()
    volume.sync()
    assert not lock.exists()


def test_a_pid_of_a_collector_that_somebody_has_again_stops_no_collection(
    volume: Volume, upstream: Repository
) -> None:
    volume.sync()
    (volume.root / ".git" / "gc.pid").write_text(f"{os.getpid()} {os.uname().nodename}")
    volume.restart("--one-time")
    upstream.commit({"a": "2"})
    volume.sync()

    assert "cleanup failed" not in volume.log.getvalue()


def test_a_root_in_use_by_another_process_is_waited_for_and_no_deadline_counts_that(volume: Volume) -> None:
    volume.sync()
    second = volume.process()
    results: list[Synced] = []
    # A deadline that has passed when the lock is had would fail every git.
    waiter = threading.Thread(target=lambda: results.append(second.sync(time.monotonic() + 6)), daemon=True)
    waiter.start()
    until(lambda: "waiting for another process" in volume.log.getvalue())
    stays(lambda: not results and waiter.is_alive(), 6.2)
    assert volume.log.getvalue().count("waiting for another process") == 1

    volume.syncer.close()
    waiter.join(60)
    assert [synced.commit for synced in results] == [volume.upstream.head()]
    second.close()
