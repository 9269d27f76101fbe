"""A link that somebody put in the place of the folder of trees: nothing is removed through it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
