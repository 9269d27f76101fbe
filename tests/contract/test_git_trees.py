"""What is kept of trees and objects, and what stays when a tree cannot be made, over real git."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from podmates_gitsync.files.removal import remove
from podmates_gitsync.git import repository as git_repository
from podmates_gitsync.git.commands import Git, GitError
from podmates_gitsync.git.garbage import LOOSE
from podmates_gitsync.sync.syncer import Synced
from podmates_gitsync.trees import worktrees
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume, commands
from tests.support.tmpfs import Tmpfs


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1", "deep/b": "1"})
    return repository


def trees(volume: Volume) -> set[str]:
    return {entry.name for entry in (volume.root / ".worktrees").iterdir()}


def memory(volume: Volume) -> set[str]:
    """Return the worktrees that git knows of."""
    return {entry.name for entry in (volume.root / ".git" / "worktrees").iterdir()}


def test_the_youngest_trees_are_kept_by_number(volume: Volume, upstream: Repository) -> None:
    volume.restart("--keep=2")
    commits = [volume.sync().commit]
    (volume.root / ".worktrees" / "stray").write_text("x")
    for number in range(4):
        commits.append(upstream.commit({"a": f"{number}"}))
        volume.sync()
        assert trees(volume) == set(commits[-3:])
        assert memory(volume) == set(commits[-3:])


def test_a_tree_that_names_anothers_memory_takes_it_not_along(volume: Volume, upstream: Repository) -> None:
    volume.sync()
    old = volume.tree()
    volume.restart("--stale-worktree-timeout=1h")
    commit = upstream.commit({"a": "2"})
    volume.sync()
    (old / ".git").write_text(f"gitdir: ../../.git/worktrees/{commit}\n")
    os.utime(old, (0, 0))

    assert volume.sync() == Synced(commit, False)
    assert not old.exists()
    assert commit in memory(volume)


def test_a_tree_that_cannot_be_filled_is_removed_and_the_link_stays(
    volume: Volume, upstream: Repository
) -> None:
    first = volume.sync().commit
    blob = upstream.git("rev-parse", "HEAD:a")
    upstream.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{'long' * 100}")
    upstream.git("commit", "--quiet", "-m", "a name that no file system takes")
    upstream.push()
    for _ in range(2):
        with pytest.raises(GitError, match=r"(?i)file name too long"):
            volume.sync()
        assert trees(volume) == memory(volume) == {first}
    assert volume.tree().name == first

    upstream.git("reset", "--quiet", "--hard", first)
    good = upstream.commit({"a": "2"})
    assert volume.sync() == Synced(good, True)


def test_a_full_disk_keeps_the_link_and_is_tried_again(volume: Volume, upstream: Repository) -> None:
    with Tmpfs(volume.root, size=4 << 20):
        first = volume.sync().commit
        second = upstream.commit({"large": b"x" * (5 << 20)})  # packs well: only the tree needs the room
        for _ in range(2):
            with pytest.raises(GitError, match="no space left"):
                volume.sync()
            assert volume.tree().name == first
            assert volume.files()["a"] == "1"
            assert trees(volume) == {first}

        upstream.commit({"large": b"x" * (1 << 20)})
        assert volume.sync().changed
        assert volume.tree().name != second
        volume.close()


def test_garbage_is_collected_when_enough_has_gathered(volume: Volume, upstream: Repository) -> None:
    volume.sync()
    names = [f"f{number}" for number in range(80)]  # below git's limit of 100 they stay loose
    most = 0
    for number in range(10):
        upstream.commit({name: f"{name} {number}" for name in names})
        volume.sync()
        most = max(most, objects(volume))

    assert most >= 2 * len(names)  # not after every change
    assert most < LOOSE + len(names) + 10
    assert objects(volume) < LOOSE


def test_a_last_sync_leaves_no_garbage(volume: Volume, upstream: Repository) -> None:
    volume.sync()
    upstream.commit({"a": "2"})
    volume.restart("--one-time")
    volume.sync()

    assert objects(volume) == 0
    assert [path.suffix for path in (volume.root / ".git" / "objects" / "pack").glob("*.pack")] == [".pack"]


def test_without_gc_nothing_is_collected(volume: Volume, upstream: Repository) -> None:
    volume.restart("--one-time", "--git-gc=off")
    volume.sync()
    upstream.commit({"a": "2"})
    volume.sync()

    assert objects(volume) >= 6


@pytest.mark.parametrize("mode", ["always", "auto", "aggressive", "off"])
def test_garbage_is_collected_as_asked_for(volume: Volume, upstream: Repository, mode: str) -> None:
    volume.restart("--one-time", f"--git-gc={mode}")
    volume.sync()
    upstream.commit({"a": "2"})
    volume.sync()

    words = {"always": "gc", "auto": "gc --auto", "aggressive": "gc --aggressive"}
    collected = [line.removeprefix("git ") for line in commands(volume) if line.startswith("git gc")]
    assert collected == ([words[mode]] if mode in words else [])
    expiry = "git reflog expire --expire-unreachable=all --all"
    assert (expiry in commands(volume)) == (mode in words)
    assert ("git worktree prune" in commands(volume)) == (mode in words)


def test_a_collection_has_a_time_of_its_own(
    volume: Volume, upstream: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sync before it used up all of its time."""
    volume.restart("--git-gc=auto")
    volume.sync()
    commit = upstream.commit({"a": "2"})
    volume.syncer.sync(time.monotonic() + 60)
    volume.syncer._git.deadline = time.monotonic()
    run, left = Git.run, dict[str, float]()

    def noting(git: Git, words: Sequence[str], cwd: Path) -> str:
        left[words[0]] = git.deadline - time.monotonic()
        return run(git, words, cwd)

    monkeypatch.setattr(Git, "run", noting)
    volume.syncer.clean(commit)

    assert set(left) == {"worktree", "reflog", "gc"}
    assert min(left.values()) > 60


def objects(volume: Volume) -> int:
    """Return how many loose objects there are."""
    folder = volume.root / ".git" / "objects"
    return sum(1 for path in folder.glob("[0-9a-f][0-9a-f]/*") if path.is_file())


def failures(volume: Volume) -> list[str]:
    lines = [json.loads(line) for line in volume.log.getvalue().splitlines()]
    return [line["error"] for line in lines if line["msg"] == "git cleanup failed"]


def test_what_cannot_be_removed_is_one_line_and_stops_neither_the_rest_nor_the_collection(
    volume: Volume, upstream: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume.restart("--git-gc=auto")
    volume.sync()
    for name in ("one", "two"):
        (volume.root / ".worktrees" / name).mkdir()

    def fail(path: Path) -> None:
        if path.name in {"one", "two"}:
            raise PermissionError(f"cannot remove {path.name}")
        remove(path)

    monkeypatch.setattr(worktrees, "remove", fail)
    commit = upstream.commit({"a": "2"})
    assert volume.sync() == Synced(commit, True)
    assert set(failures(volume)[0].split("; ")) == {"cannot remove one", "cannot remove two"}
    assert len(failures(volume)) == 1
    assert trees(volume) == {commit, "one", "two"}
    assert any("gc --auto" in command for command in commands(volume))

    volume.log.truncate(0)
    volume.log.seek(0)
    assert volume.sync() == Synced(commit, False)
    assert not [command for command in commands(volume) if "fsck" in command]

    monkeypatch.undo()
    volume.sync()
    assert trees(volume) == {commit}


def test_garbage_is_collected_where_no_tree_at_all_can_be_removed(
    volume: Volume, upstream: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume.restart("--git-gc=auto")

    def fail(path: Path) -> None:
        if path.parent.name == ".worktrees":
            raise PermissionError("an application wrote there")
        remove(path)

    monkeypatch.setattr(worktrees, "remove", fail)
    collected = []
    for number in range(3):
        commit = upstream.commit({"a": f"{number}"})
        for _ in range(2):  # a change, and a sync without one
            volume.log.truncate(0)
            volume.log.seek(0)
            volume.sync()
            collected.append(any("gc --auto" in command for command in commands(volume)))
    assert collected == [False, False, True, False, True, False]
    assert len(trees(volume)) == 3
    assert [path.name for path in (volume.root / ".git" / "worktrees").iterdir()] == [commit]


def test_a_tree_that_cannot_be_removed_is_not_in_the_way_of_its_own_commit(
    volume: Volume, upstream: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = volume.sync().commit

    def fail(path: Path) -> None:
        if (path / "a").is_file() and path.name != second:
            raise PermissionError("an application wrote there")
        remove(path)

    monkeypatch.setattr(worktrees, "remove", fail)
    second = upstream.commit({"a": "2"})
    volume.sync()
    assert trees(volume) == {first, second}
    upstream.git("push", "--quiet", "--force", "origin", f"{first}:main")

    assert volume.sync() == Synced(first, True)
    assert volume.files() == {"a": "1", "deep/b": "1"}
    (aside,) = trees(volume) - {first}
    monkeypatch.undo()
    volume.sync()
    assert trees(volume) == {first}, aside


def test_a_collection_that_fails_is_one_line_and_fails_no_sync(
    volume: Volume, upstream: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume.sync()
    commit = upstream.commit({"a": "2"})

    def fail(*_: object, **__: object) -> None:
        raise GitError("no way to collect")

    monkeypatch.setattr(git_repository.Repository, "collect_garbage", fail)
    assert volume.sync() == Synced(commit, True)
    assert failures(volume) == ["no way to collect"]


def test_an_entry_that_cannot_be_looked_at_is_told_and_left(
    volume: Volume, upstream: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume.sync()
    for name in ("broken", "stray"):
        (volume.root / ".worktrees" / name).touch()
    looked = Path.lstat

    def fail(path: Path) -> os.stat_result:
        if path.name == "broken":
            raise OSError("the disk is ill")
        return looked(path)

    monkeypatch.setattr(Path, "lstat", fail)
    commit = upstream.commit({"a": "2"})
    assert volume.sync() == Synced(commit, True)
    assert trees(volume) == {commit, "broken"}
    lines = [json.loads(line) for line in volume.log.getvalue().splitlines()]
    assert failures(volume) == []
    told = [line for line in lines if line["msg"] == "cannot look at a worktree"]
    assert [(line["error"], Path(line["path"]).name) for line in told] == [("the disk is ill", "broken")]
