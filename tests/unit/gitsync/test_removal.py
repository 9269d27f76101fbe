"""A tree goes whatever is in it, and nothing beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from podmates_gitsync.files.removal import remove


def deep(start: Path, levels: int) -> None:
    """Make so many directories in each other, a file in the last one."""
    start.mkdir()
    descriptor = os.open(start, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=descriptor)
        below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(os.open("file", os.O_CREAT, dir_fd=descriptor))
    os.close(descriptor)


def test_thousands_of_directories_in_each_other_go(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    deep(tree, 2_500)  # more than Python would recurse, or have descriptors open for
    before = len(os.listdir("/proc/self/fd"))

    try:
        remove(tree)
        assert not tree.exists()
        assert len(os.listdir("/proc/self/fd")) == before
    finally:
        subprocess.run(["rm", "-rf", tree], check=True)  # pytest's own cleaning would not get through it


def test_links_go_and_what_they_name_stays(tmp_path: Path) -> None:
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    for folder in (outside, tree, tree / "a", tree / "a" / "b"):
        folder.mkdir()
    (outside / "precious").write_text("x")
    (tree / "a" / "link").symlink_to(outside)
    (tree / "broken").symlink_to("nowhere")
    os.mkfifo(tree / "a" / "b" / "fifo")
    (tmp_path / "itself").symlink_to(outside)

    remove(tree)
    remove(tmp_path / "itself")
    remove(tmp_path / "never-there")
    assert sorted(os.listdir(tmp_path)) == ["outside"]
    assert os.listdir(outside) == ["precious"]


@pytest.mark.skipif(os.geteuid() != 0, reason="root is needed to become somebody without rights")
def test_directories_whose_rights_somebody_took_away_go() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own directories are closed to others
        folder = Path(name)
        folder.chmod(0o755)
        tree = folder / "others" / "tree"
        (tree / "closed" / "inner").mkdir(parents=True)
        (tree / "closed" / "file").write_text("x")
        for path in [folder / "others", *tree.rglob("*"), tree]:
            os.chown(path, 65534, 65534)
        (tree / "closed" / "inner").chmod(0)
        (tree / "closed").chmod(0o555)
        code = (
            "from podmates_gitsync.files.removal import remove; import os, pathlib, sys;"  # readable still
            "os.setgroups([]); os.setgid(65534); os.setuid(65534); remove(pathlib.Path(sys.argv[1]))"
        )
        subprocess.run([sys.executable, "-c", code, str(tree)], check=True, timeout=60)

        assert not tree.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="root is needed to become somebody without rights")
def test_what_others_own_stays_alone() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        tree = folder / "tree"
        for number in range(20):
            (tree / f"ours-{number}" / "deep").mkdir(parents=True)
            (tree / f"ours-{number}" / "file").touch()
        for path in [folder, tree, *tree.rglob("*")]:
            os.chown(path, 65534, 65534)
        theirs = {"theirs-1", "theirs-2", "theirs-3"}  # whichever comes first stops nothing
        for directory in theirs:
            (tree / directory).mkdir()
            (tree / directory / "cache").touch()
        code = (
            "from podmates_gitsync.files.removal import remove; import os, pathlib, sys;"
            "os.setgroups([]); os.setgid(65534); os.setuid(65534); remove(pathlib.Path(sys.argv[1]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tree)], capture_output=True, text=True, timeout=60
        )

        assert done.stderr.splitlines()[-1].startswith("PermissionError: ")
        assert done.stderr.endswith(f": '{tree}'\n")
        assert set(os.listdir(tree)) == theirs


def test_a_tree_that_is_moved_while_it_is_removed_takes_nothing_else_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, elsewhere = tmp_path / "tree", tmp_path / "elsewhere"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "file").write_text("x")
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("x")
    unlink = os.unlink

    def moving(name: str, *, dir_fd: int | None = None) -> None:
        unlink(name, dir_fd=dir_fd)
        (tree / "sub").rename(elsewhere / "sub")

    monkeypatch.setattr(os, "unlink", moving)
    with pytest.raises(OSError, match="was moved while it was removed"):
        remove(tree)
    assert (elsewhere / "precious").exists()
