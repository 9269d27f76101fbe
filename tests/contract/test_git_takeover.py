"""git-sync v4 and ours take over each other's root: no wipe, no second checkout, no moment without files."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from podmates_gitsync.sync.syncer import Synced
from tests.support.git_repo import Repository
from tests.support.gitsync_v4 import GitSyncV4
from tests.support.gitsync_volume import Volume
from tests.support.waiting import until


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1", "deep/b": "1"})
    return repository


@pytest.fixture
def original(volume: Volume, upstream: Repository, tmp_path: Path) -> GitSyncV4:
    return GitSyncV4(volume.root, upstream.url, home=tmp_path)


def inode(volume: Volume) -> int:
    return (volume.tree() / "a").stat().st_ino


@pytest.mark.parametrize("news", [False, True], ids=["no news", "news"])
def test_ours_goes_on_where_git_sync_was(
    volume: Volume, original: GitSyncV4, upstream: Repository, news: bool
) -> None:
    original.sync()
    (volume.root / "mine").write_text("x")
    before, repository = inode(volume), (volume.root / ".git").stat().st_ino
    commit = upstream.commit({"a": "2"}) if news else upstream.head()

    assert volume.sync() == Synced(commit, news)
    assert (inode(volume) == before) is not news
    assert (volume.root / ".git").stat().st_ino == repository
    assert "initializing repo directory" not in volume.log.getvalue()
    assert (volume.root / "mine").exists()
    assert os.listdir(volume.root / ".worktrees") == [commit]


@pytest.mark.parametrize("flags", [[], ["--publish=link"]], ids=["auto", "link"])
@pytest.mark.parametrize("news", [False, True], ids=["no news", "news"])
def test_git_sync_goes_on_where_ours_was(
    volume: Volume, original: GitSyncV4, upstream: Repository, news: bool, flags: list[str]
) -> None:
    volume.restart(*flags)
    volume.sync()
    upstream.commit({"a": "1b"})
    volume.sync()
    volume.syncer.close()
    (volume.root / "mine").write_text("x")
    before = inode(volume)
    commit = upstream.commit({"a": "2"}) if news else upstream.head()

    assert original.sync() == commit
    assert (original.wiped, original.added) == (0, int(news))
    assert (inode(volume) == before) is not news
    assert (volume.root / "mine").exists()


def test_they_take_turns_for_long(volume: Volume, original: GitSyncV4, upstream: Repository) -> None:
    for number in range(6):
        commit = upstream.commit({"a": str(number)})
        if number % 2:
            assert original.sync() == commit
        else:
            volume.restart()
            assert volume.sync() == Synced(commit, True)
            volume.syncer.close()
        assert volume.files()["a"] == str(number)
    assert original.wiped == 0


def test_a_kept_tree_of_ours_is_one_that_git_sync_can_go_back_to(
    volume: Volume, original: GitSyncV4, upstream: Repository
) -> None:
    volume.restart("--stale-worktree-timeout=1h")
    first = volume.sync().commit
    upstream.commit({"a": "2"})
    volume.sync()
    volume.syncer.close()
    upstream.git("reset", "--quiet", "--hard", first)
    upstream.push()

    assert original.sync() == first
    assert original.wiped == 0
    assert volume.files() == {"a": "1", "deep/b": "1"}


class Reader:
    """Reads the published tree over and over, and notes when it is not whole; use it as a context manager."""

    def __init__(self, volume: Volume, expected: list[dict[str, str]]) -> None:
        self._volume, self._expected = volume, expected
        self._ended = threading.Event()
        self.faults: list[object] = []
        self.passes = 0
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._ended.set()
        self._thread.join(60)

    def _read(self) -> None:
        while not self._ended.is_set():
            target = os.readlink(self._volume.link)
            try:
                files = self._volume.files()
            except OSError as error:
                # The tree that we were in the middle of may go once the link has moved on.
                if os.readlink(self._volume.link) == target:
                    self.faults.append(error)
                continue
            if files not in self._expected and os.readlink(self._volume.link) == target:
                self.faults.append(files)
            self.passes += 1


@pytest.mark.parametrize(
    ("damage", "news"),
    [("repository", True), ("tree's memory", True), ("tree's memory", False), ("v3", True)],
)
def test_the_published_tree_is_whole_at_every_moment_of_a_healing(
    volume: Volume, upstream: Repository, damage: str, news: bool
) -> None:
    files = {f"d/{number}": "x" for number in range(300)}
    old = upstream.commit(files)
    volume.sync()
    first = volume.files()
    if damage == "repository":
        shutil.rmtree(volume.root / ".git" / "objects")
    elif damage == "tree's memory":
        shutil.rmtree(volume.root / ".git" / "worktrees")
    else:  # the tree stood directly below root
        (volume.root / ".worktrees" / old).rename(volume.root / old)
        volume.link.unlink()
        volume.link.symlink_to(old)
    (volume.root / "mine").write_text("x")
    commit = upstream.commit({"d/0": "y"}) if news else old
    volume.restart()
    with Reader(volume, [first, {**first, "d/0": "y"}]) as reader:
        until(lambda: reader.passes > 0, 60, "a reader to have begun")
        assert volume.sync().commit == commit
        passes = reader.passes
        until(lambda: reader.passes > passes, 60, "the reader to have read what is new")

    assert reader.faults == []
    assert os.listdir(volume.root / ".worktrees") == [commit]
    assert sorted(os.listdir(volume.root)) == [".git", ".worktrees", "link", "mine"]


def test_a_repository_that_cannot_be_healed_yet_leaves_the_published_tree_alone(
    volume: Volume, upstream: Repository
) -> None:
    volume.sync()
    shutil.rmtree(volume.root / ".git")
    upstream.bare.rename(upstream.folder / "away")
    for _ in range(2):
        volume.restart()
        with pytest.raises(Exception, match="does not appear to be a git repository"):
            volume.sync()
        assert volume.files() == {"a": "1", "deep/b": "1"}

    (upstream.folder / "away").rename(upstream.bare)
    volume.sync()
    assert volume.files() == {"a": "1", "deep/b": "1"}
