"""The link is replaced in one step, whatever lies around."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podmates_gitsync.trees.publish import publish, read, remove_leftovers


def test_the_link_is_relative_to_its_own_directory(tmp_path: Path) -> None:
    publish(tmp_path / "deep" / "er" / "link", tmp_path / ".worktrees" / "a")

    assert os.readlink(tmp_path / "deep" / "er" / "link") == "../../.worktrees/a"
    assert read(tmp_path / "deep" / "er" / "link") == str(tmp_path / ".worktrees" / "a")


def test_the_link_is_relative_by_the_text_of_its_path(tmp_path: Path) -> None:
    """As git-sync's is: where a directory on the way to it is a link, that is not looked through."""
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "links").symlink_to("real/deep")
    publish(tmp_path / "links" / "link", tmp_path / ".worktrees" / "a")

    assert os.readlink(tmp_path / "real" / "deep" / "link") == "../.worktrees/a"
    assert read(tmp_path / "links" / "link") == str(tmp_path / ".worktrees" / "a")


def test_the_temporary_link_is_made_beside_the_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere could be another file system, from where it cannot be renamed."""
    replace, renamed = os.replace, list[tuple[Path, Path]]()

    def noting(old: Path, new: Path) -> None:
        renamed.append((old, new))
        replace(old, new)

    monkeypatch.setattr(os, "replace", noting)
    for target in "ab":
        publish(tmp_path / "deep" / "link", tmp_path / target)

    assert [new for _, new in renamed] == [tmp_path / "deep" / "link"] * 2
    assert {old.parent for old, _ in renamed} == {tmp_path / "deep"}
    assert len({old for old, _ in renamed}) == 2


def test_a_left_over_temporary_link_is_not_in_the_way(tmp_path: Path) -> None:
    link = tmp_path / "link"
    (tmp_path / "tmp-link").symlink_to("x")  # what git-sync v4 leaves
    (tmp_path / f".podmates-link.{'0' * 16}").symlink_to("x")
    (tmp_path / ".podmates-link.mine").symlink_to("x")
    publish(link, tmp_path / "a")
    publish(link, tmp_path / "b")
    remove_leftovers(link)

    assert os.readlink(link) == "b"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".podmates-link.mine", "link", "tmp-link"]


def test_no_link_is_nothing_published(tmp_path: Path) -> None:
    assert read(tmp_path / "link") is None
    assert read(tmp_path / "missing" / "link") is None


@pytest.mark.parametrize("kind", ["directory", "file"])
def test_something_else_in_the_place_of_the_link_is_an_error_and_stays(tmp_path: Path, kind: str) -> None:
    link = tmp_path / "link"
    if kind == "directory":
        link.mkdir()
    else:
        link.write_text("mine")

    with pytest.raises(OSError, match="Invalid argument"):
        read(link)


def test_a_failed_publish_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "link").mkdir()

    with pytest.raises(OSError, match="directory"):
        publish(tmp_path / "link", tmp_path / "a")

    assert [path.name for path in tmp_path.iterdir()] == ["link"]
