"""What waits: a complete tree for its publish, and what a killed process published for its being told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from podmates_gitsync.git.commands import GitError
from podmates_gitsync.hooks.change import Change
from podmates_gitsync.hooks.runner import HookError, HookNotRun
from podmates_gitsync.sync.admission import Rules
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume

FAILURES = (GitError, OSError, HookError)
FILES = {"a": "2", "b": "1", "d/c": "1"}


class Gate:
    """A gate that may be broken, and may work in the tree."""

    def __init__(self) -> None:
        self.asked = 0
        self.broken = False
        self.works: Callable[[Path], object] = lambda tree: None

    def admit(self, tree: Path, change: Change) -> None:
        self.asked += 1
        self.works(tree)
        if self.broken:
            raise HookNotRun("killed")


def replace(tree: Path) -> None:
    (tree / "a.new").write_text("2")
    (tree / "a.new").rename(tree / "a")


def remove(tree: Path) -> None:
    (tree / "b").unlink()


EDITS: dict[str, Callable[[Path], object]] = {
    "a file is written to": lambda tree: (tree / "a").write_text("theirs"),
    "a file is replaced": replace,
    "a file is added": lambda tree: (tree / "d" / "new").write_text("theirs"),
    "a file is removed": remove,
    "a file can be executed": lambda tree: (tree / "b").chmod(0o755),
    "a folder is added": lambda tree: (tree / "empty").mkdir(),
}


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1", "b": "1", "d/c": "1"})
    return repository


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def volume(tmp_path: Path, upstream: Repository) -> Iterator[Volume]:
    made = Volume(tmp_path, upstream)
    made.restart(f"--mirror-dir={tmp_path / 'mirror'}", "--mirror-local-changes=fail")
    made.sync()
    yield made
    made.close()


def fails(volume: Volume, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(FAILURES):
            volume.sync()
        volume.syncer.hold()


def restart(volume: Volume, gate: Gate) -> None:
    """Have a process with a gate, that is in step."""
    volume.rules = Rules(gate=gate.admit)
    volume.restart(f"--mirror-dir={volume.root.parent / 'mirror'}", "--mirror-local-changes=fail")
    volume.sync()


def waiting(volume: Volume, upstream: Repository, *, times: int = 1) -> Path:
    """Have a tree that waits for the mirror to be free, and return it."""
    commit = upstream.commit({"a": "2"})
    (volume.root.parent / "mirror" / "a").write_text("in the way")
    fails(volume, times)
    return volume.root / ".worktrees" / commit


def free_mirror(volume: Volume) -> None:
    (volume.root.parent / "mirror" / "a").write_text("1")


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_a_tree_that_waits_is_not_published(
    volume: Volume, upstream: Repository, edit: str
) -> None:
    tree = waiting(volume, upstream)
    EDITS[edit](tree)
    free_mirror(volume)
    volume.sync()

    assert volume.files() == FILES
    assert not (tree / "empty").exists()
    assert (tree / "b").stat().st_mode & 0o111 == 0
    assert "a worktree was changed before it was published" in volume.log.getvalue()


@pytest.mark.parametrize("edit", EDITS)
def test_a_gate_that_was_cut_off_leaves_nothing_of_its_work(
    volume: Volume, upstream: Repository, gate: Gate, edit: str
) -> None:
    restart(volume, gate)
    gate.broken, gate.works = True, EDITS[edit]
    upstream.commit({"a": "2"})
    fails(volume, times=2)
    gate.broken, gate.works = False, lambda tree: None
    volume.sync()

    assert volume.files() == FILES
    assert gate.asked == 3


def test_the_work_of_a_gate_that_let_a_tree_through_waits_with_it(
    volume: Volume, upstream: Repository, gate: Gate
) -> None:
    restart(volume, gate)
    gate.works = EDITS["a file is added"]
    tree = waiting(volume, upstream, times=2)
    inode = tree.stat().st_ino
    free_mirror(volume)
    volume.sync()

    assert volume.files() == FILES | {"d/new": "theirs"}
    assert volume.tree().stat().st_ino == inode
    assert gate.asked == 1


def test_a_gate_is_asked_again_for_a_tree_that_is_made_anew(
    volume: Volume, upstream: Repository, gate: Gate
) -> None:
    restart(volume, gate)
    gate.works = EDITS["a file is added"]
    EDITS["a file is written to"](waiting(volume, upstream))
    free_mirror(volume)
    volume.sync()

    assert volume.files() == FILES | {"d/new": "theirs"}
    assert gate.asked == 2


def test_trees_that_share_files_with_one_that_waits_may_go(volume: Volume, upstream: Repository) -> None:
    """The number of links to a file changes with them, and that is no edit."""
    mirror = volume.root.parent / "mirror"
    volume.restart(f"--mirror-dir={mirror}", "--publish=link", "--mirror-local-changes=fail")
    volume.sync()
    upstream.commit({"d/c": "2"})
    volume.sync()
    tree = waiting(volume, upstream)
    volume.syncer.clean(volume.syncer.published())
    inode = tree.stat().st_ino
    for path in (volume.tree() / "b", tree / "b"):
        (volume.root / "another").hardlink_to(path)
        (volume.root / "another").unlink()
    free_mirror(volume)
    volume.sync()

    assert volume.tree().stat().st_ino == inode


@pytest.mark.parametrize("more", [False, True], ids=["the same commit", "a newer one"])
def test_what_a_killed_process_owed_is_told_by_the_next_with_all_files(
    volume: Volume, upstream: Repository, more: bool
) -> None:
    """It is killed while it writes the mirror: the link names what neither that nor hooks know."""
    first, mirror = upstream.head(), volume.root.parent / "mirror"
    volume.before_the_link = lambda: (mirror / "a").write_text("changed meanwhile")
    second = upstream.commit({"a": "2"})
    with pytest.raises(OSError, match="changed"):
        volume.sync()
    assert volume.syncer.published() == second

    volume.remembered, volume.before_the_link = first, lambda: None
    (mirror / "a").write_text("1")
    newest = upstream.commit({"b": "3"}) if more else second
    told = len(volume.told)
    volume.restart(f"--mirror-dir={mirror}")
    volume.sync()
    files = b"M\0a\0M\0b\0" if more else b"M\0a\0"
    assert volume.told[told:] == [Change(newest, first, files)]
    volume.sync()
    assert len(volume.told) == told + 1
