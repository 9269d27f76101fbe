"""The error file is replaced in one step, and is where it is expected to be."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from podmates_gitsync.reports.files import ErrorFile, error_file, touch


def test_the_error_file_is_replaced_in_one_step_and_its_directories_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "error"
    file = ErrorFile(path)
    file.write("first " * 1000)
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for _ in range(50):
            file.write("second " * 1000)
            file.write("first " * 1000)
    finally:
        over.set()
        reader.join(30)

    assert seen <= {"first " * 1000, "second " * 1000}
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(path.parent) == ["error"]  # no tmp-err-… is left
    file.delete()
    file.delete()
    assert not path.exists()


def test_the_error_file_comes_by_way_of_a_file_of_its_own_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[tuple[str, Path, str]] = []
    monkeypatch.setattr(os, "replace", lambda old, new: moved.append((old, new, Path(old).read_text())))
    for _ in range(2):
        ErrorFile(tmp_path / "error").write("text")

    assert {(Path(old).parent, Path(old).name[:8], new, text) for old, new, text in moved} == {
        (tmp_path, "tmp-err-", tmp_path / "error", "text")
    }
    assert len({old for old, _, _ in moved}) == 2


def test_a_relative_error_file_is_below_root_as_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to("real")
    for name, place in (("e/error", "root/e/error"), (f"{tmp_path}/else", "else")):
        file = error_file(f"{tmp_path}/root", name)
        assert file is not None
        file.write("x")
        assert (tmp_path / place).read_text() == "x"
    assert error_file(str(tmp_path), "") is None


def test_an_error_file_that_cannot_be_written_troubles_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    file = ErrorFile(tmp_path / "file" / "error")
    file.write("x")
    file.delete()

    assert (tmp_path / "file").read_text() == "x"


def test_bytes_that_are_no_text_are_no_obstacle(tmp_path: Path) -> None:
    file = ErrorFile(tmp_path / "error")
    file.write("no such signal: \udcff")
    assert (tmp_path / "error").read_text() == "no such signal: \\udcff"
    file.observe("message", "\udcff", {"path": "\udcff"})
    assert '"Err": "\\udcff"' in (tmp_path / "error").read_text()


def test_touching_makes_a_file_and_sets_its_times(tmp_path: Path) -> None:
    path = tmp_path / "a" / "touched"
    touch(path)
    os.utime(path, (0, 0))
    touch(path)

    assert path.stat().st_mtime > 0


def test_a_text_that_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "error").mkdir()  # what cannot be replaced by a file

    ErrorFile(tmp_path / "error").write("text")

    assert os.listdir(tmp_path) == ["error"]
