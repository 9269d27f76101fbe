"""A look at a folder that changes meanwhile finds what stays, and never fails for what went away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.moving import below, files_below


def test_what_is_anywhere_below_and_has_the_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "a" / "b.lock").mkdir(parents=True)
    for name in ("a/b.lock/c.lock", "a/d", "e.lock"):
        (tmp_path / name).touch()
    (tmp_path / "round").symlink_to(".")

    found = {str(path.relative_to(tmp_path)) for path in below(tmp_path, "*.lock")}
    assert found == {"a/b.lock", "a/b.lock/c.lock", "e.lock"}
    assert {path.name for path in files_below(tmp_path)} == {"c.lock", "d", "e.lock"}
    assert below(tmp_path / "missing") == []


def test_a_folder_that_goes_away_before_the_look_into_it_hides_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("before", "goes", "stays"):
        (tmp_path / name).mkdir()
    (tmp_path / "stays" / "x").touch()
    scan = os.scandir

    def late(path: str) -> object:
        if os.path.basename(path) == "goes":
            os.rmdir(path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", late)
    assert tmp_path / "stays" / "x" in below(tmp_path)
    assert not (tmp_path / "goes").exists()
