"""What a killed git left in the way is told from what belongs there."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from podmates_gitsync.git.leftovers import Ages, remove_leftovers

IN_THE_WAY = [
    "HEAD.lock",
    "shallow.lock",
    "config.lock",
    "packed-refs.lock",
    "packed-refs.new",
    "gc.pid",
    "gc.pid.lock",
    "shallow_aB3xYz",
    "refs/heads/git-sync.lock",
    "logs/refs/heads/git-sync.lock",
    "info/sparse-checkout.lock",
    "objects/info/commit-graph.lock",
    "objects/pack/tmp_pack_x1",
    "objects/pack/tmp_idx_x1",
    "objects/ab/tmp_obj_x1",
    "objects/tmp_objdir-incoming-x1/ab/cd",
    "objects/incoming-x1/pack",
    "worktrees/abc/locked",
]
OF_WORKTREES = ["worktrees/abc/index.lock", "worktrees/abc/HEAD.lock", "worktrees/abc/modules/m/config.lock"]
NEEDED = [
    "HEAD",
    "shallow",
    "refs/heads/tmp_x",
    "objects/ab/cdef",
    "objects/pack/pack-1.pack",
    "worktrees/abc/index",
    "worktrees/abc/refs/locked",
    "podmates/lock",
    "podmates/x.lock",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in [*IN_THE_WAY, *OF_WORKTREES, *NEEDED]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def left(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_at_a_start_everything_in_the_way_goes(folder: Path) -> None:
    removed = remove_leftovers(folder, worktrees=True)

    assert left(folder) == set(NEEDED)
    assert len(removed) == len(IN_THE_WAY) + len(OF_WORKTREES)


def test_what_a_hook_may_be_using_stays(folder: Path) -> None:
    remove_leftovers(folder, worktrees=False)

    assert left(folder) == {*NEEDED, *OF_WORKTREES}


def test_where_nothing_is_locked_for_sure_age_decides(folder: Path) -> None:
    clock = folder / "podmates" / "lock"
    ages = Ages(clock, limit=60)
    os.utime(folder / "HEAD.lock", (time.time() - 61, time.time() - 61))

    assert remove_leftovers(folder, worktrees=True, stale=ages.over) == [str(folder / "HEAD.lock")]


def test_a_lock_from_the_future_begins_to_age_now(folder: Path) -> None:
    ages, lock = Ages(folder / "podmates" / "lock", limit=60), folder / "HEAD.lock"
    os.utime(lock, (time.time() + 86400, time.time() + 86400))

    assert not ages.over(lock)
    assert lock.stat().st_mtime < time.time() + 60
    os.utime(lock, (time.time() - 61, time.time() - 61))
    assert ages.over(lock)
