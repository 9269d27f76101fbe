"""What others put in the place of git's own files and folders is neither waited for nor emptied."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any, cast

import pytest

from podmates_gitsync.git.leftovers import remove_leftovers
from podmates_gitsync.git.repository import Repository
from podmates_gitsync.trees.filling import Filler
from podmates_gitsync.trees.modules import take_over
from podmates_gitsync.trees.recipe import Recipe


def test_a_folder_elsewhere_that_a_link_leads_to_stays_as_it_is(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "folder"
    (elsewhere / "sparse-checkout" / "precious").mkdir(parents=True)
    folder.mkdir()
    (folder / "info").symlink_to(elsewhere)

    Filler(tmp_path, cast(Any, None), cast(Any, None), Recipe())._choose(folder, "1" * 40)

    assert (elsewhere / "sparse-checkout" / "precious").is_dir()


@pytest.mark.parametrize("nested", [False, True])
def test_a_pipe_among_submodules_is_not_waited_for(tmp_path: Path, nested: bool) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "modules" / "m").mkdir(parents=True)
    (old / "modules" / "m" / "HEAD").touch()
    os.mkfifo(old / "modules" / "m" / "config")
    new.mkdir()

    with pytest.raises(OSError, match=r"file|pipe"):
        take_over(old, new, nested=nested)

    assert not list(new.iterdir())


def test_what_git_has_no_trouble_with_stays(tmp_path: Path) -> None:
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / "post-checkout").symlink_to(os.devnull)
    os.mkfifo(tmp_path / "ORIG_HEAD")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(tmp_path, os.O_PATH)  # the name of a socket has few letters
        listener.bind(f"/proc/self/fd/{here}/monitor.ipc")
        os.close(here)

        assert remove_leftovers(tmp_path, worktrees=True) == [str(tmp_path / "ORIG_HEAD")]


def test_what_vanishes_while_it_is_counted_counts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = tmp_path / ".git" / "objects" / "pack"
    pack.mkdir(parents=True)
    (pack / "tmp_pack_1").write_text("x")
    (pack / "1.pack").write_text("xx")
    scandir = os.scandir

    def late(path: str) -> list[os.DirEntry[str]]:
        found = list(scandir(path))
        if path == str(pack):
            (pack / "tmp_pack_1").unlink()
        return found

    monkeypatch.setattr(os, "scandir", late)
    stored = Repository._stored(cast(Any, type("R", (), {"folder": tmp_path / ".git"})))

    assert (stored.packs, stored.size) == (1, 2)
