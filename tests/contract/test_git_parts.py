"""A part of the repository: some of its files, some of its history, over real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from podmates_gitsync.git.commands import GitError
from podmates_gitsync.sync.syncer import Synced
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume

FILES = {"top": "1", "docs/a": "1", "docs/deep/b": "1", "docs-more/x": "1", "src/c": "1", "*/star": "1"}


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit(FILES)
    return repository


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "safe.directory=*", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True).stdout


def status(volume: Volume) -> str:
    return git(volume.tree(), "status", "--porcelain")


def present_blobs(volume: Volume) -> int:
    """Return how many files' contents the repository holds."""
    words = ["cat-file", "--batch-all-objects", "--batch-check=%(objecttype)", "--unordered"]
    return git(volume.root, *words).split().count("blob")


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    file = tmp_path / "sparse"
    file.write_text("/*\n!/*/\n/docs/\n!/docs/deep/\n/src/c\n")
    return file


def test_a_sparse_file_says_which_files_a_tree_gets(
    volume: Volume, upstream: Repository, sparse: Path
) -> None:
    volume.restart(f"--sparse-checkout-file={sparse}")
    commit = volume.sync().commit
    assert set(volume.files()) == {"top", "docs/a", "src/c"}
    assert status(volume) == ""
    folder = volume.root / ".git" / "worktrees" / commit
    assert (folder / "info" / "sparse-checkout").read_text() == sparse.read_text()

    upstream.commit({"docs/a": "2", "docs/new": "2", "docs-more/x": "2"})
    volume.sync()
    assert volume.files() == {"top": "1", "docs/a": "2", "docs/new": "2", "src/c": "1"}


def test_the_sparse_file_is_read_again_for_each_tree_and_forgotten_without_the_flag(
    volume: Volume, upstream: Repository, sparse: Path
) -> None:
    volume.restart(f"--sparse-checkout-file={sparse}")
    volume.sync()
    sparse.write_text("/src/c\n")
    upstream.commit({"top": "2"})
    volume.sync()
    assert set(volume.files()) == {"src/c"}

    sparse.write_text("/top\n")
    volume.restart(f"--sparse-checkout-file={sparse}")
    commit = volume.sync().commit  # the same commit, put right in place
    assert volume.files() == {"top": "2"}

    volume.restart()
    assert volume.sync() == Synced(commit, False)
    assert volume.files() == {**FILES, "top": "2"}
    assert status(volume) == ""
    assert not (volume.root / ".git" / "worktrees" / commit / "info" / "sparse-checkout").exists()


def test_a_tree_for_which_no_file_was_chosen_is_complete(volume: Volume, sparse: Path) -> None:
    sparse.write_text("/nothing\n")
    volume.restart(f"--sparse-checkout-file={sparse}")
    commit = volume.sync().commit
    assert volume.files() == {}
    assert volume.sync() == Synced(commit, False)


def test_a_sparse_file_that_is_gone_fails_the_sync_and_takes_nothing_away(
    volume: Volume, upstream: Repository, sparse: Path
) -> None:
    volume.restart(f"--sparse-checkout-file={sparse}")
    volume.sync()
    before = volume.files()
    sparse.unlink()
    upstream.commit({"top": "2"})
    with pytest.raises(FileNotFoundError):
        volume.sync()
    assert volume.files() == before


def test_a_path_is_published_alone_and_nothing_else_is_fetched(volume: Volume, upstream: Repository) -> None:
    upstream.commit({name: f"a text of its own in {name}" for name in FILES})
    volume.restart("--path=docs", "--path=/*/")
    volume.sync()
    assert set(volume.files()) == {"docs/a", "docs/deep/b", "*/star"}
    assert present_blobs(volume) == 3
    assert status(volume) == ""

    commit = upstream.commit({"src/c": "2"})  # of no interest, but a commit
    assert volume.sync() == Synced(commit, True)
    assert present_blobs(volume) == 3


@pytest.mark.parametrize("path", ["doc", "top", "docs/*", "$(touch x)", "docs:a", "-x"])
def test_a_path_that_is_no_directory_fails_the_sync_and_takes_nothing_away(
    volume: Volume, upstream: Repository, path: str
) -> None:
    commit = volume.sync().commit
    volume.restart("--path", path)
    upstream.commit({"top": "2"})

    with pytest.raises(GitError, match="there is no directory"):
        volume.sync()
    assert volume.tree().name == commit
    assert volume.files() == FILES


def test_history_is_deepened_cut_and_completed_over_restarts(volume: Volume, upstream: Repository) -> None:
    for number in range(5):
        commit = upstream.commit({"top": f"{number}"})
    for depth, length in ((1, 1), (3, 3), (2, 2), (0, 6), (4, 4)):
        volume.restart(f"--depth={depth}")
        assert volume.sync().commit == commit
        assert len(git(volume.root, "rev-list", "git-sync").split()) == length
        assert (volume.root / ".git" / "shallow").exists() == bool(depth)


def test_a_filter_is_remembered_by_git_and_what_a_tree_needs_comes_later(
    volume: Volume, upstream: Repository
) -> None:
    volume.restart("--filter=blob:none", "--depth=0")
    volume.sync()
    assert git(volume.root, "config", f"remote.{upstream.url}.promisor") == "true\n"
    commit = upstream.commit({"top": "2"})
    upstream.commit({"top": "3"})
    volume.restart("--filter=blob:none", f"--ref={commit}")
    volume.sync()

    assert volume.files() == {**FILES, "top": "2"}
    assert os.path.basename(volume.tree()) == commit
