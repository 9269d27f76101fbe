"""A sync over real git: what it publishes, follows, keeps and leaves alone."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from podmates_gitsync.git.commands import GitError
from podmates_gitsync.sync.syncer import Synced
from podmates_gitsync.trees import worktrees
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume, commands


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1", "deep/b": "1"})
    return repository


def test_the_layout_is_git_syncs(volume: Volume, upstream: Repository) -> None:
    commit = upstream.head()
    assert volume.sync() == Synced(commit, True)

    assert os.readlink(volume.link) == f".worktrees/{commit}"
    assert (volume.tree() / ".git").read_text() == f"gitdir: ../../.git/worktrees/{commit}\n"
    assert volume.files() == {"a": "1", "deep/b": "1"}
    assert (volume.root / ".git" / "HEAD").read_text() == "ref: refs/heads/git-sync\n"
    assert volume.handed == [("before", commit), ("after", commit)]


def test_a_change_is_followed_and_the_old_tree_goes_after_the_link_moved(
    volume: Volume, upstream: Repository
) -> None:
    volume.sync()
    old = volume.tree()
    commit = upstream.commit({"a": "2", "deep": None, "c": "2"})

    assert volume.sync() == Synced(commit, True)
    assert volume.files() == {"a": "2", "c": "2"}
    assert not old.exists()
    assert volume.sync() == Synced(commit, False)


def test_a_branch_that_moves_back_is_followed(volume: Volume, upstream: Repository) -> None:
    first = upstream.head()
    upstream.commit({"a": "2"})
    volume.sync()
    upstream.git("reset", "--quiet", "--hard", first)
    upstream.push()

    assert volume.sync().commit == first
    assert volume.files()["a"] == "1"


def test_old_trees_are_kept_for_the_stale_timeout(volume: Volume, upstream: Repository) -> None:
    volume.restart("--stale-worktree-timeout=1h")
    volume.sync()
    old = volume.tree()
    os.utime(old, (0, 0))  # made long ago: the clock starts when it was replaced
    upstream.commit({"a": "2"})
    volume.sync()
    assert (old / "a").read_text() == "1"

    os.utime(old, (0, 0))
    volume.sync()
    assert not old.exists()
    assert volume.tree().exists()


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_jumps_takes_no_tree_away_and_keeps_none(
    volume: Volume, upstream: Repository, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    volume.restart("--stale-worktree-timeout=1h")
    volume.sync()
    old = volume.tree()
    commit = upstream.commit({"a": "2"})
    volume.sync()
    now, passed = time.time, 60.0  # seconds since then
    clock = SimpleNamespace(
        time=lambda: now() + days * 86400 + passed, monotonic=lambda: time.monotonic() + passed
    )
    monkeypatch.setattr(worktrees, "time", clock)
    volume.syncer.clean(commit)
    assert old.exists()
    passed = 3700.0
    volume.syncer.clean(commit)
    assert not old.exists()


def test_a_stray_from_the_future_begins_to_age_now(volume: Volume) -> None:
    volume.restart("--stale-worktree-timeout=1h")
    volume.sync()
    stray = volume.root / ".worktrees" / "stray"
    stray.touch()
    os.utime(stray, (time.time() + 86400, time.time() + 86400))
    volume.sync()
    assert stray.stat().st_mtime <= time.time()


def test_strays_go_when_they_are_older_than_the_timeout(volume: Volume) -> None:
    volume.restart("--stale-worktree-timeout=1h")
    commit = volume.sync().commit
    for name, age in {"old": 3700, "young": 3000}.items():
        folder, file = volume.root / ".worktrees" / name, volume.root / ".worktrees" / f"{name}-file"
        (folder / "deep").mkdir(parents=True)
        file.touch()
        for path in (folder, file):
            os.utime(path, (time.time() - age, time.time() - age))
    volume.sync()

    assert set(os.listdir(volume.root / ".worktrees")) == {commit, "young", "young-file"}


def test_a_restart_repairs_files_in_place_and_fires_the_later_hook_only(volume: Volume) -> None:
    commit = volume.sync().commit
    (volume.tree() / "a").write_text("edited")
    (volume.tree() / "made-by-a-hook").write_text("x")
    assert volume.sync() == Synced(commit, False)
    assert volume.files()["a"] == "edited"  # not noticed while the process lives
    assert volume.updates == 1

    volume.handed.clear()
    volume.restart()
    assert volume.sync() == Synced(commit, False)
    assert volume.files() == {"a": "1", "deep/b": "1", "made-by-a-hook": "x"}
    assert volume.handed == [("after", commit)]
    assert volume.updates == 2
    volume.sync()
    assert volume.updates == 2


def test_each_update_tells_where_from_and_how_many_there_were(volume: Volume, upstream: Repository) -> None:
    first = volume.sync().commit
    second = upstream.commit({"a": "2"})
    volume.sync()
    volume.sync()

    wanted = {"update required", "updated successfully", "update not required"}
    keys = ("level", "msg", "ref", "local", "remote", "syncCount")
    lines = [json.loads(line) for line in volume.log.getvalue().splitlines()]
    assert [tuple(line.get(key) for key in keys) for line in lines if line["msg"] in wanted] == [
        (0, "update required", "HEAD", "", first, 0),
        (0, "updated successfully", "HEAD", None, first, 1),
        (0, "update required", "HEAD", first, second, 1),
        (0, "updated successfully", "HEAD", None, second, 2),
        (2, "update not required", "HEAD", None, second, 2),
    ]


def test_a_poll_without_news_starts_one_program(volume: Volume) -> None:
    volume.sync()
    before = volume.log.getvalue().count('"running command"')
    volume.sync()

    assert volume.log.getvalue().count('"running command"') == before + 1


def test_all_objects_are_walked_at_the_start_and_after_a_failure_only(
    volume: Volume, upstream: Repository
) -> None:
    volume.sync()
    before = walks(volume)
    upstream.commit({"a": "2"})
    volume.sync()
    volume.sync()
    assert walks(volume) == before > 0

    upstream.bare.rename(upstream.folder / "away")
    with pytest.raises(GitError):
        volume.sync()
    (upstream.folder / "away").rename(upstream.bare)
    before = walks(volume)
    volume.sync()
    assert walks(volume) == before + 2  # of the repository and of the tree
    volume.sync()
    assert walks(volume) == before + 2


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_a_failure_that_lasts_does_not_walk_all_objects_each_time(
    volume: Volume, upstream: Repository, restarted: bool
) -> None:
    volume.sync()
    upstream.bare.rename(upstream.folder / "away")
    if restarted:
        volume.restart()
    fails(volume, 2)
    before = walks(volume)
    fails(volume, 5)
    assert walks(volume) == before

    (upstream.folder / "away").rename(upstream.bare)
    (volume.root / volume.tree() / ".git").write_text("gitdir: nowhere")
    volume.sync()
    assert volume.files() == {"a": "1", "deep/b": "1"}


def test_damage_while_a_failure_lasts_is_found_once_it_is_over(volume: Volume, upstream: Repository) -> None:
    volume.sync()
    upstream.bare.rename(upstream.folder / "away")
    fails(volume, 4)
    for path in sorted((volume.root / ".git" / "objects").rglob("*"), reverse=True):
        if path.is_file():
            path.unlink()
    (upstream.folder / "away").rename(upstream.bare)
    newest = upstream.commit({"a": "2"})
    volume.sync()

    assert volume.syncer.published() == newest
    assert volume.files()["a"] == "2"


def fails(volume: Volume, times: int) -> None:
    for _ in range(times):
        with pytest.raises(GitError):
            volume.sync()


def walks(volume: Volume) -> int:
    return sum("fsck" in command for command in commands(volume))


def test_nothing_but_the_trees_and_git_is_written_below_root(volume: Volume) -> None:
    (volume.root / "lost+found").mkdir()
    volume.sync()

    assert {path.name for path in volume.root.iterdir()} == {".git", ".worktrees", "link", "lost+found"}


def test_an_empty_commit_is_published_too(volume: Volume, upstream: Repository) -> None:
    volume.sync()
    commit = upstream.commit({"a": None, "deep": None})

    assert volume.sync() == Synced(commit, True)
    assert volume.files() == {}
    assert volume.sync() == Synced(commit, False)


def test_hostile_content_stays_inside_the_tree(volume: Volume, upstream: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (upstream.work / "out").symlink_to(outside)
    upstream.commit({"-rf": "x", "new\nline": "x"})
    volume.sync()
    assert os.readlink(volume.tree() / "out") == str(outside)

    upstream.commit({"a": "2"})
    volume.sync()  # removes the old tree, and does not follow its link
    assert (outside / "precious").read_text() == "x"
    assert os.listdir(volume.root / ".worktrees") == [volume.tree().name]


def test_submodules_come_with_the_tree_unless_they_are_off(
    volume: Volume, upstream: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")  # a submodule from a path is what git refuses by default
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "always")
    inner = Repository(tmp_path / "upstream" / "inner")
    inner.commit({"x": "inner"})
    add = ["-c", "protocol.file.allow=always", "submodule", "add", "--quiet"]
    upstream.git(*add, "../inner/bare.git", "sub")
    upstream.commit({})
    volume.sync()
    assert (volume.tree() / "sub" / "x").read_text() == "inner"

    upstream.commit({"a": "3"})
    volume.restart("--submodules=off")
    volume.sync()
    assert list((volume.tree() / "sub").iterdir()) == []


def test_a_filter_leaves_out_what_the_tree_does_not_need(volume: Volume, upstream: Repository) -> None:
    upstream.commit({"a": "old"})
    old = upstream.git("rev-parse", "HEAD:a")
    upstream.commit({"a": "2"})
    volume.restart("--depth=0", "--filter=blob:none", "--git-gc=off")
    volume.sync()
    assert volume.files() == {"a": "2", "deep/b": "1"}

    listed = git_in(volume.root, "rev-list", "--objects", "--all", "--missing=print")
    assert f"?{old}" in listed
    upstream.commit({"a": "3"})
    volume.sync()
    assert volume.files()["a"] == "3"


def git_in(folder: Path, *words: str) -> str:
    command = ["git", "-c", "safe.directory=*", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True).stdout
