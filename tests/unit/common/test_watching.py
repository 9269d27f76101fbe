"""A file that changes is noticed once, when it stands still."""

from __future__ import annotations

import os
from pathlib import Path

from podmates_common.watching import Watched


def test_a_change_is_told_once_and_not_before_the_file_stands_still(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    watched = Watched(str(path))
    told = [watched.changed()]
    path.write_text("half of tw")
    told.append(watched.changed())
    path.write_text("half of two, and the rest")
    told += [watched.changed(), watched.changed(), watched.changed()]

    assert told == [False, False, False, True, False]


def test_a_pipe_is_not_to_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    watched = Watched(str(path))
    told = []
    for time in (1, 2, 2):
        os.utime(path, (time, time))
        told.append(watched.changed())

    assert told == [False] * 3


def test_a_file_that_is_away_for_a_while_has_not_changed(tmp_path: Path) -> None:
    path, aside = tmp_path / "file", tmp_path / "aside"
    path.write_text("one")
    watched = Watched(str(path))
    path.rename(aside)
    told = [watched.changed(), watched.changed()]
    aside.rename(path)
    told += [watched.changed(), watched.changed()]

    assert told == [False] * 4


def test_a_link_that_is_swapped_is_noticed_though_what_it_leads_to_is_as_old(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("same")
        os.utime(tmp_path / name / "file", (1, 1))
    link = tmp_path / "data"
    link.symlink_to("one")
    watched = Watched(str(link / "file"))
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(link)

    assert [watched.changed(), watched.changed()] == [False, True]


def test_no_file_never_changes() -> None:
    assert not Watched("").changed()
