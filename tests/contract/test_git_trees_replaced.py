"""Others write in root, too: no link in the place of the trees is followed, a tree that goes is made anew."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from podmates_gitsync.sync.acting import FAILURES
from podmates_gitsync.trees.worktrees import Worktrees
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


def test_a_link_in_the_place_of_the_trees_is_replaced_and_not_followed(
    volume: Volume, upstream: Repository, tmp_path: Path
) -> None:
    theirs, folder = tmp_path / "theirs", volume.root / ".worktrees"
    theirs.mkdir()
    (theirs / "precious").touch()
    os.utime(theirs / "precious", (0, 0))
    first = volume.sync().commit
    folder.rename(tmp_path / "trees")
    folder.symlink_to(theirs)

    assert volume.sync().commit == first
    assert volume.sync().commit == upstream.head()
    assert [entry.name for entry in theirs.iterdir()] == ["precious"]
    assert [entry.name for entry in folder.iterdir()] == [first]
    assert not folder.is_symlink()


def test_nothing_of_what_a_link_in_the_place_of_the_trees_names_is_cleared_away(
    volume: Volume, tmp_path: Path
) -> None:
    theirs, folder = tmp_path / "theirs", volume.root / ".worktrees"
    first = volume.sync().commit
    folder.rename(theirs)
    (theirs / "precious").touch()
    os.utime(theirs / "precious", (0, 0))
    folder.symlink_to(theirs)
    volume.sync()

    assert (theirs / "precious").exists()
    assert volume.tree().name == first


@pytest.mark.parametrize(
    "meddle",
    [
        pytest.param(lambda tree: shutil.rmtree(tree), id="gone"),
        pytest.param(lambda tree: (tree / ".git").unlink(), id="without its .git"),
        pytest.param(lambda tree: (tree / ".git").write_text("nonsense"), id="with another one"),
        pytest.param(lambda tree: (tree / ".git").write_bytes(b"gitdir: \xff\n"), id="that is no text"),
        pytest.param(lambda tree: (tree / ".git").write_text("gitdir: a\0b\n"), id="or names no file"),
    ],
)
def test_a_new_tree_that_somebody_meddles_with_fails_the_sync_and_no_more(
    volume: Volume, upstream: Repository, monkeypatch: pytest.MonkeyPatch, meddle: Callable[[Path], object]
) -> None:
    first, commit = volume.sync().commit, upstream.commit({"a": "2"})
    add = Worktrees.add

    def added(trees: Worktrees, tree: Path, of: str) -> None:
        add(trees, tree, of)
        meddle(tree)

    with monkeypatch.context() as patch:
        patch.setattr(Worktrees, "add", added)
        with pytest.raises(FAILURES):
            volume.sync()
    assert volume.tree().name == first

    assert volume.sync().commit == commit
    assert volume.files() == {"a": "2"}


def test_a_link_that_names_what_cannot_even_be_looked_at_is_replaced(volume: Volume) -> None:
    volume.link.symlink_to("long" * 500)

    assert volume.sync().changed
    assert volume.files() == {"a": "1"}
