"""Damage of every kind is healed by the next sync, over real git, and takes nothing away meanwhile."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from podmates_gitsync.files.ours import ours
from podmates_gitsync.git import repository
from podmates_gitsync.git.commands import Git, GitError
from podmates_gitsync.sync.syncer import Synced
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume, each_way


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1", "deep/b": "1"})
    return repository


DAMAGE: dict[str, Callable[[Volume], object]] = {
    "link removed": lambda v: v.link.unlink(),
    "published tree removed": lambda v: shutil.rmtree(v.tree()),
    "all trees removed": lambda v: shutil.rmtree(v.root / ".worktrees"),
    "published tree emptied": lambda v: empty(v.tree()),
    "commit made in the tree": lambda v: commit_in(v.tree()),
    "repository removed": lambda v: shutil.rmtree(v.root / ".git"),
    "HEAD broken": lambda v: (v.root / ".git" / "HEAD").write_text("garbage\n"),
    "HEAD removed": lambda v: (v.root / ".git" / "HEAD").unlink(),
    "objects removed": lambda v: shutil.rmtree(v.root / ".git" / "objects"),
    "config broken": lambda v: (v.root / ".git" / "config").write_text("[broken\n"),
    "worktree's memory removed": lambda v: shutil.rmtree(v.root / ".git" / "worktrees"),
    "shallow.lock": lambda v: (v.root / ".git" / "shallow.lock").touch(),
    "repository replaced by a file": lambda v: replace(v.root / ".git", lambda p: p.write_text("x")),
    "repository replaced by a dead link": lambda v: replace(v.root / ".git", lambda p: p.symlink_to("no")),
    "trees replaced by a file": lambda v: replace(v.root / ".worktrees", lambda p: p.write_text("x")),
    "trees replaced by a dead link": lambda v: replace(v.root / ".worktrees", lambda p: p.symlink_to("no")),
    "published tree replaced by a file": lambda v: replace(v.tree(), lambda p: p.write_text("x")),
    "published tree replaced by a dead link": lambda v: replace(v.tree(), lambda p: p.symlink_to("no")),
    "tree's .git replaced": lambda v: (v.tree() / ".git").write_text("gitdir: /nowhere\n"),
    "index broken": lambda v: (v.root / ".git" / "index").write_text("garbage"),
    "branch broken": lambda v: (v.root / ".git" / "refs" / "heads" / "git-sync").write_text("garbage\n"),
    "branch names nothing": lambda v: (v.root / ".git/refs/heads/git-sync").write_text("1" * 40 + "\n"),
    "shallow broken": lambda v: (v.root / ".git" / "shallow").write_text("garbage\n"),
    "objects emptied": lambda v: [p.write_bytes(b"") for p in files_below(v.root / ".git" / "objects")],
    "worktree's index broken": lambda v: (memory(v) / "index").write_text("garbage"),
    "worktree's HEAD broken": lambda v: (memory(v) / "HEAD").write_text("garbage\n"),
    "worktree's gitdir broken": lambda v: (memory(v) / "gitdir").write_text("garbage\n"),
    "worktree's commondir removed": lambda v: (memory(v) / "commondir").unlink(),
    "published tree emptied but for .git": lambda v: remove_files(v.tree()),
    "worktree's index cut off": lambda v: cut_off(memory(v) / "index"),
    "HEAD replaced by a pipe": lambda v: put(v.root / ".git" / "HEAD", os.mkfifo),
    "FETCH_HEAD replaced by a directory": lambda v: put(v.root / ".git" / "FETCH_HEAD", os.mkdir),
    "worktree's memory replaced by a file": lambda v: replace(memory(v).parent, lambda p: p.write_text("x")),
    "worktree's memory replaced by a link": lambda v: replace(memory(v).parent, lambda p: p.symlink_to("..")),
    "refs replaced by a link": lambda v: replace(v.root / ".git" / "refs", lambda p: p.symlink_to("HEAD")),
    "tree's .git replaced by a pipe": lambda v: put(v.tree() / ".git", os.mkfifo),
    "our folder replaced by a file": lambda v: replace(ours(v.root), lambda p: p.write_text("x")),
    "our folder replaced by a link": lambda v: replace(ours(v.root), lambda p: p.symlink_to("no")),
    "the lock replaced by a directory": lambda v: replace(ours(v.root), lambda p: os.makedirs(p / "lock")),
    "the lock replaced by a link": lambda v: replace(ours(v.root), dead_lock),
    "HEAD names another branch": lambda v: (v.root / ".git/HEAD").write_text("ref: refs/heads/other\n"),
    "chosen files replaced by a directory": lambda v: os.makedirs(
        memory(v) / "info" / "sparse-checkout" / "x"
    ),
}


def put(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def dead_lock(folder: Path) -> None:
    folder.mkdir()
    (folder / "lock").symlink_to("no/where")


def replace(path: Path, make: Callable[[Path], object]) -> None:
    shutil.rmtree(path)
    make(path)


def memory(volume: Volume) -> Path:
    return volume.root / ".git" / "worktrees" / volume.tree().name


def remove_files(tree: Path) -> None:
    (tree / "a").unlink()
    shutil.rmtree(tree / "deep")


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def files_below(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    for path in found:
        path.chmod(0o644)
    return found


def empty(tree: Path) -> None:
    shutil.rmtree(tree)
    tree.mkdir()


def commit_in(tree: Path) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "safe.directory=*"]
    words = ["git", *who, "commit", "--quiet", "--allow-empty", "-m", "x"]
    subprocess.run(words, cwd=tree, check=True, timeout=60)


def head(tree: Path) -> str:
    words = ["git", "-c", "safe.directory=*", "rev-parse", "HEAD"]
    return subprocess.run(words, cwd=tree, capture_output=True, text=True, timeout=60).stdout.strip()


@pytest.mark.parametrize(("name", "again"), each_way(DAMAGE))
def test_damage_is_healed_by_the_next_sync(
    volume: Volume, upstream: Repository, name: str, again: str
) -> None:
    commit = volume.sync().commit
    DAMAGE[name](volume)
    if again == "restarted":
        volume.restart()

    assert volume.sync().commit == commit
    assert volume.files() == {"a": "1", "deep/b": "1"}
    assert os.readlink(volume.link) == f".worktrees/{commit}"
    assert head(volume.tree()) == commit
    assert (volume.root / ".git" / "HEAD").read_text() == "ref: refs/heads/git-sync\n"
    commit = upstream.commit({"a": "2"})
    assert volume.sync() == Synced(commit, True)
    assert sorted(path.name for path in (volume.root / ".worktrees").iterdir()) == [commit]


def test_a_root_that_is_gone_is_made_anew(volume: Volume) -> None:
    commit = volume.sync().commit
    shutil.rmtree(volume.root)
    assert volume.sync() == Synced(commit, True)
    assert volume.files() == {"a": "1", "deep/b": "1"}


def test_a_link_in_the_place_of_the_repository_is_not_followed_to_empty_it(
    volume: Volume, tmp_path: Path
) -> None:
    foreign = tmp_path / "foreign"
    volume.sync()
    (volume.root / ".git").rename(foreign)
    (volume.root / ".git").symlink_to(foreign)
    (foreign / "HEAD").write_text("garbage\n")
    (foreign / "precious").write_text("x")
    volume.restart()
    volume.sync()

    assert (foreign / "precious").exists()
    assert not (volume.root / ".git").is_symlink()
    assert volume.files() == {"a": "1", "deep/b": "1"}


def test_the_published_tree_stays_readable_while_a_damaged_repository_is_made_anew(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume.sync()
    shutil.rmtree(volume.root / ".git" / "objects")
    volume.restart()
    seen: list[dict[str, str]] = []
    run = Git.run

    def watching(git: Git, words: list[str], cwd: Path, *, locked: bool = True) -> str:
        seen.append(volume.files())
        try:
            return run(git, words, cwd, locked=locked)
        finally:
            seen.append(volume.files())

    monkeypatch.setattr(Git, "run", watching)
    volume.sync()

    assert len(seen) > 10
    assert all(files == {"a": "1", "deep/b": "1"} for files in seen)


def test_a_damaged_repository_that_cannot_be_removed_fails_the_sync_and_takes_nothing_away(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = volume.sync().commit
    (volume.root / ".git" / "HEAD").write_text("garbage\n")
    volume.restart()

    def fail(path: Path) -> None:
        raise PermissionError(f"cannot remove {path.name}")

    with monkeypatch.context() as patch:
        patch.setattr(repository, "remove", fail)
        with pytest.raises(PermissionError):
            volume.sync()
        assert volume.files() == {"a": "1", "deep/b": "1"}
    assert volume.sync() == Synced(commit, True)


def test_a_vanished_remote_takes_nothing_away(volume: Volume, upstream: Repository) -> None:
    volume.sync()
    upstream.bare.rename(upstream.folder / "away")
    with pytest.raises(GitError, match="does not appear to be a git repository"):
        volume.sync()
    assert volume.files()["a"] == "1"

    (upstream.folder / "away").rename(upstream.bare)
    upstream.commit({"a": "2"})
    volume.sync()
    assert volume.files()["a"] == "2"


def test_a_colliding_directory_is_replaced(volume: Volume, upstream: Repository) -> None:
    commit = upstream.head()
    (volume.root / ".worktrees" / commit).mkdir(parents=True)
    (volume.root / ".worktrees" / commit / "junk").write_text("x")
    (volume.root / commit).write_text("a file called like the commit")
    volume.sync()

    assert volume.files() == {"a": "1", "deep/b": "1"}


@pytest.mark.parametrize("kind", ["directory", "file"])
def test_something_else_in_the_place_of_the_link_fails_and_stays(volume: Volume, kind: str) -> None:
    if kind == "directory":
        volume.link.mkdir()
    else:
        volume.link.write_text("mine")

    with pytest.raises(OSError, match="Invalid argument"):
        volume.sync()
    assert volume.link.exists()


def test_a_v3_tree_directly_below_root_is_replaced_and_removed(volume: Volume, upstream: Repository) -> None:
    commit = upstream.head()
    old = volume.root / commit
    volume.sync()
    volume.link.unlink()
    shutil.copytree(volume.root / ".worktrees" / commit, old)
    volume.link.symlink_to(commit)
    volume.restart()
    assert volume.sync() == Synced(commit, True)  # the same hash at another place is a change

    assert os.readlink(volume.link) == f".worktrees/{commit}"
    assert not old.exists()


def test_what_the_link_named_outside_root_is_not_touched(volume: Volume, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / ".git").write_text("gitdir: x\n")
    volume.link.symlink_to(foreign)
    volume.sync()

    assert (foreign / ".git").exists()
    assert volume.files()["a"] == "1"


@pytest.mark.parametrize("other", [False, True], ids=["itself", "another link"])
def test_a_link_that_names_a_link_in_root_is_replaced_and_none_is_removed(
    volume: Volume, other: bool
) -> None:
    volume.sync()
    names = volume.root / "other" if other else volume.link
    os.replace(volume.link, names)
    if not other:
        names.unlink()
    volume.link.symlink_to(names.name)
    volume.restart()
    assert volume.sync().changed

    assert volume.files()["a"] == "1"
    assert names.exists()
