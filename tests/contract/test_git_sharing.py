"""A tree made by sharing files with the tree before is the one that a full checkout makes, over real git."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from podmates_gitsync.trees import sharing
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume, commands

FILES = {f"d{number % 3}/f{number}": f"text {number}\n" for number in range(12)} | {"d/e/f/g": "deep"}


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit(FILES)
    (repository.work / "d" / "link").symlink_to("e/f/g")
    (repository.work / "d" / "program").write_text("#!/bin/sh\n")
    (repository.work / "d" / "program").chmod(0o755)
    repository.commit({})
    return repository


@pytest.fixture
def volume(tmp_path: Path, upstream: Repository) -> Iterator[Volume]:
    made = Volume(tmp_path, upstream)
    made.restart("--publish=link", "--stale-worktree-timeout=1h")
    made.sync()
    settle(made)
    yield made
    made.close()


def settle(volume: Volume) -> None:
    """Make the files older than the index: what was written in the same moment is never shared."""
    tree = volume.tree()
    for path in tree.rglob("*"):
        if path.name != ".git":
            os.utime(path, (1_000_000_000, 1_000_000_000), follow_symlinks=False)
    git(tree, "status")  # takes the new times over


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "safe.directory=*", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True).stdout


def contents(tree: Path) -> dict[str, tuple[str, int, bytes]]:
    """Return path → kind, rights and content of everything in *tree*."""
    found = {}
    for path in sorted(tree.rglob("*")):
        if path != tree / ".git":
            mode = path.lstat().st_mode
            data = os.readlink(path).encode() if path.is_symlink() else b""
            data = path.read_bytes() if stat.S_ISREG(mode) else data
            found[str(path.relative_to(tree))] = (stat.filemode(mode)[0], stat.S_IMODE(mode), data)
    return found


def full(volume: Volume, tmp_path: Path) -> dict[str, tuple[str, int, bytes]]:
    """Return what a full checkout of the same commit holds."""
    folder = tmp_path / f"full-{volume.tree().name}"
    git(volume.root, "worktree", "add", "--quiet", "--detach", str(folder), volume.tree().name)
    return contents(folder)


def shared(volume: Volume, old: Path) -> set[str]:
    """Return the files that the published tree and *old* are both names of."""
    tree = volume.tree()
    paths = {path.relative_to(tree) for path in tree.rglob("*") if not path.is_dir() or path.is_symlink()}
    return {
        str(path)
        for path in paths
        if os.path.lexists(old / path) and (tree / path).lstat().st_ino == (old / path).lstat().st_ino
    }


def test_what_did_not_change_is_shared_with_its_time_and_the_rest_is_written(
    volume: Volume, upstream: Repository, tmp_path: Path
) -> None:
    old = volume.tree()
    (old / "untracked").write_text("made by a hook")
    upstream.commit({"d0/f0": "2", "d1": None, "d/e/f": None, "d/e/new": "2"})
    volume.sync()

    assert contents(volume.tree()) == full(volume, tmp_path)
    names = {f"d{n % 3}/f{n}" for n in range(1, 12) if n % 3 != 1}
    assert shared(volume, old) == names | {"d/link", "d/program"}
    assert (volume.tree() / "d2" / "f2").stat().st_mtime == 1_000_000_000
    assert git(volume.tree(), "status", "--porcelain") == ""
    assert git(volume.tree(), "diff-files") == ""
    assert git(old, "diff-files", "--name-only") == ""
    assert (old / "d0" / "f0").read_text() == FILES["d0/f0"]
    assert commands(volume)[-1].startswith("git read-tree ")  # and no look at every file once more


def _edit_in_place(tree: Path) -> None:
    with open(tree / "d0" / "f0", "r+") as file:
        file.write("EDIT")
    with open(tree / "d0" / "f3", "a") as file:
        file.write("more")


def _edit_of_the_same_size_and_time(tree: Path) -> None:
    (tree / "other").write_text(FILES["d0/f0"].upper())
    os.utime(tree / "other", (1_000_000_000, 1_000_000_000))
    os.replace(tree / "other", tree / "d0" / "f0")


def _outside(tree: Path) -> Path:
    """Make a directory with a file that looks like one of the tree."""
    (tree.parent.parent / "outside").mkdir(exist_ok=True)
    os.rename(tree / "d0" / "f0", tree.parent.parent / "outside" / "f0")
    return tree.parent.parent / "outside"


def _file_behind_a_link(tree: Path) -> None:
    (tree / "d0" / "f0").symlink_to(_outside(tree) / "f0")


def _directory_behind_a_link(tree: Path) -> None:
    outside = _outside(tree)
    for path in (tree / "d0").iterdir():
        os.rename(path, outside / path.name)
    (tree / "d0").rmdir()
    (tree / "d0").symlink_to(outside)


def _pipe(tree: Path) -> None:
    (tree / "d0" / "f0").unlink()
    os.mkfifo(tree / "d0" / "f0")


def _staged(tree: Path) -> None:
    _edit_in_place(tree)
    git(tree, "add", "--all")


def _the_only_file_of_a_folder_is_younger(tree: Path) -> None:
    os.utime(tree / "d" / "e" / "f" / "g")
    (tree / "d0" / "f0").unlink()


TROUBLE: dict[str, Callable[[Path], object]] = {
    "edited in place": _edit_in_place,
    "replaced by another of the same size and time": _edit_of_the_same_size_and_time,
    "other rights": lambda tree: (tree / "d0" / "f0").chmod(0o600),
    "removed": lambda tree: (tree / "d0" / "f0").unlink(),
    "a file behind a link": _file_behind_a_link,
    "a directory behind a link": _directory_behind_a_link,
    "a pipe": _pipe,
    "index removed": lambda tree: index(tree).unlink(),
    "index of another version": lambda tree: git(tree, "update-index", "--index-version=4"),
    "index broken": lambda tree: index(tree).write_bytes(b"DIRC\0\0\0\2\0\0\0\7" + bytes(99)),
    "index with a wrong sum": lambda tree: index(tree).write_bytes(index(tree).read_bytes()[:-1] + b"\0"),
    "index that assumes": lambda tree: git(tree, "update-index", "--assume-unchanged", "d0/f0"),
    "something staged": _staged,
    "a folder with nothing to share": _the_only_file_of_a_folder_is_younger,
    "split index": lambda tree: git(tree, "update-index", "--split-index"),
}


def index(tree: Path) -> Path:
    return tree.parent.parent / ".git" / "worktrees" / tree.name / "index"


@pytest.mark.parametrize("damage", TROUBLE.values(), ids=TROUBLE.keys())
def test_whatever_happened_to_the_tree_before_the_new_one_is_right(
    volume: Volume, upstream: Repository, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    old = volume.tree()
    damage(old)
    upstream.commit({"d0/f9": "2", "d/e/f": None})
    volume.sync()

    assert contents(volume.tree()) == full(volume, tmp_path)
    assert "d0/f0" not in shared(volume, old)
    assert git(volume.tree(), "status", "--porcelain") == ""


def test_a_shared_tree_has_the_folders_of_submodules_that_nobody_wants(
    volume: Volume, upstream: Repository, tmp_path: Path
) -> None:
    volume.restart("--publish=link", "--stale-worktree-timeout=1h", "--submodules=off")
    upstream.git("update-index", "--add", "--cacheinfo", f"160000,{upstream.head()},sub")
    upstream.git("commit", "--quiet", "-m", "a submodule")
    upstream.push()
    volume.sync()
    settle(volume)
    old = volume.tree()
    upstream.git("commit", "--quiet", "--allow-empty", "-m", "nothing")
    upstream.push()
    volume.sync()

    assert (volume.tree() / "sub").is_dir()
    assert contents(volume.tree()) == full(volume, tmp_path)
    assert "d0/f0" in shared(volume, old)


@pytest.mark.parametrize("before", [{}, {"d0/.gitattributes": "* text\n"}], ids=["none", "others"])
def test_attributes_that_change_write_every_file_anew(
    volume: Volume, upstream: Repository, tmp_path: Path, before: dict[str, str]
) -> None:
    upstream.commit(before)
    volume.sync()
    settle(volume)
    old = volume.tree()
    upstream.commit({"d0/.gitattributes": "* text eol=crlf\n"})
    volume.sync()

    assert contents(volume.tree()) == full(volume, tmp_path)
    assert (volume.tree() / "d0" / "f0").read_bytes().endswith(b"\r\n")
    assert shared(volume, old) == set()


def test_a_tree_of_another_process_is_not_shared_with(
    volume: Volume, upstream: Repository, tmp_path: Path
) -> None:
    volume.restart("--publish=link", "--stale-worktree-timeout=1h")  # perhaps with another configuration
    old = volume.tree()
    upstream.commit({"d0/f0": "2"})
    volume.sync()

    assert contents(volume.tree()) == full(volume, tmp_path)
    assert shared(volume, old) == set()


@pytest.mark.parametrize(
    ("flags", "many", "expected"),
    [
        pytest.param([], True, True, id="many files"),
        pytest.param([], False, False, id="few files"),
        pytest.param(["--exechook-command=true"], True, False, id="a hook may write"),
        pytest.param(["--pre-publish-exechook-command=true"], True, False, id="another hook may write"),
        pytest.param(["--group-write"], True, False, id="the group may write"),
        pytest.param(["--publish=checkout"], True, False, id="not wanted"),
    ],
)
def test_it_is_chosen_where_it_pays_and_nobody_else_writes(
    volume: Volume,
    upstream: Repository,
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
    many: bool,
    expected: bool,
) -> None:
    monkeypatch.setattr("podmates_gitsync.trees.filling._MANY", 5 if many else 50)
    volume.restart("--stale-worktree-timeout=1h", *flags)
    upstream.commit({"d0/f0": "2"})
    volume.sync()
    settle(volume)
    old = volume.tree()
    upstream.commit({"d0/f0": "3"})
    volume.sync()

    assert bool(shared(volume, old)) is expected


def test_a_file_system_that_shares_blocks_is_used_and_git_knows_the_new_files(
    volume: Volume, upstream: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clone(descriptor: int, request: int, source: int) -> int:
        """Do what such a file system does; the one of the tests may not."""
        assert request == sharing._FICLONE
        os.sendfile(descriptor, source, 0, os.fstat(source).st_size)
        return 0

    monkeypatch.setattr(fcntl, "ioctl", clone)
    volume.restart("--publish=auto", "--stale-worktree-timeout=1h")
    upstream.commit({"d0/f0": "2"})
    volume.sync()
    settle(volume)
    old = volume.tree()
    upstream.commit({"d0/f0": "3"})
    volume.sync()

    assert contents(volume.tree()) == full(volume, tmp_path)
    assert shared(volume, old) == set()
    assert (volume.tree() / "d2" / "f2").stat().st_mtime == 1_000_000_000
    assert (volume.tree() / "d0" / "f0").stat().st_mtime != 1_000_000_000
    assert git(volume.tree(), "diff-files") == ""


def test_reflink_on_a_file_system_without_is_a_checkout(
    volume: Volume, upstream: Repository, tmp_path: Path
) -> None:
    volume.restart("--publish=reflink")
    for number in range(2):
        upstream.commit({"d0/f0": f"{number}"})
        volume.sync()

    assert contents(volume.tree()) == full(volume, tmp_path)
