"""The trees below ``<root>/.worktrees``: made, filled, checked, kept for a while, removed."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import NamedTuple

from podmates_gitsync.files.plain import content
from podmates_gitsync.files.removal import remove
from podmates_gitsync.git.commands import GitError, Runner
from podmates_gitsync.git.refs import is_hash
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.trees import large
from podmates_gitsync.trees.filling import Filler, Tree
from podmates_gitsync.trees.recipe import Recipe
from podmates_gitsync.trees.retention import Entry, Retired, dated, stale

FOLDER = ".worktrees"
_FULL = 1 << 20  # bytes free; with less a failure is told to be one of a full disk


class Removed(NamedTuple):
    """How a clean-up ended."""

    entries: int  # that are gone; one that cannot go counts once, because it is no tree any more
    failures: Sequence[Exception]  # what could not be done


class Worktrees:
    """Checked-out trees of one repository.

    Args:
        root: the repository's directory.
        recipe: how trees get their files.
    """

    def __init__(self, root: Path, git: Runner, log: Log, recipe: Recipe) -> None:
        self.root, self._git, self._log = root, git, log
        self.folder = root / FOLDER
        self._recipe, self._filler = recipe, Filler(root, git, log, recipe)
        self._unfinished: Path | None = None  # made by `add`, not yet filled
        self._retired: dict[str, Retired] = {}
        self._filled: list[Tree] = []  # in the order of time
        self._stuck: Set[str] = frozenset()  # entries that could not be removed

    def path(self, commit: str) -> Path:
        """Return where the tree of *commit* belongs."""
        return self.folder / commit

    def standby(self, commit: str, unique: str) -> Path:
        """Return where a second tree of *commit* may stand meanwhile; its base name is the commit, too."""
        return self.folder / f"standby-{unique}" / commit

    def looks_sound(self, tree: Path, commit: str) -> bool:
        """Return whether *tree* is there, not empty, and on *commit*; a few system calls.

        Edits of its files are not noticed; its disappearance and commits made in it are.
        """
        try:
            if not any(entry != ".git" for entry in os.listdir(tree)) and not self._may_be_empty(
                tree, commit
            ):
                return False
            return content(self._git_folder(tree) / "HEAD").decode().strip() == commit
        except (OSError, ValueError):
            return False

    def is_sound(self, tree: Path, commit: str) -> bool:
        """Return the same, and that git finds every object that it needs; walks all objects."""
        if not self.looks_sound(tree, commit):
            return False
        try:
            self._git.run(["fsck", "--no-progress", "--connectivity-only"], tree)
        except GitError as error:
            self._log.error(error, "worktree failed checks", path=str(tree))
            return False
        return True

    def _may_be_empty(self, tree: Path, commit: str) -> bool:
        """A commit may hold no file at all, or none that was chosen; then an empty tree is a complete one."""
        with contextlib.suppress(GitError):
            if self._recipe.sparse:
                return not self._git.run(["ls-files", "--deleted"], tree).strip()
            return not self._git.run(["ls-tree", commit], self.root).strip()
        return False

    def add(self, tree: Path, commit: str) -> None:
        """Make an empty worktree; nothing of it stays when that fails.

        Raises:
            GitError, OSError
        """
        self._unfinished = tree
        with self._all_or_nothing(tree):
            if self.folder.is_symlink() or not self.folder.is_dir():  # somebody put something in its place
                self.folder.unlink(missing_ok=True)
            tree.parent.mkdir(parents=True, exist_ok=True)
            words = ["worktree", "add", "--force", "--detach", str(tree), commit, "--no-checkout"]
            self._git.run(words, self.root)

    @contextlib.contextmanager
    def _all_or_nothing(self, tree: Path) -> Iterator[None]:
        """Remove *tree* on a failure if it is new: a full disk would stay full by what nobody can use."""
        try:
            yield
        except (GitError, OSError) as error:
            full = shutil.disk_usage(self.root).free < _FULL
            if tree == self._unfinished:
                self._log.info(1, "removing an unfinished worktree", path=str(tree))
                with contextlib.suppress(OSError):
                    self._forget(tree)
            if full:  # git says only that it cannot write
                raise GitError(f"{error}: no space left on {self.root}") from error
            raise

    def settle(self, tree: Path, commit: str) -> None:
        """Fill *tree* with *commit*, or put it right in place; then its submodules.

        When that fails a new tree is removed; one that was there before stays.

        Raises:
            GitError, OSError
        """
        with self._all_or_nothing(tree):
            made = Tree(tree, self._git_folder(tree), commit)
            self._filler.fill(made, self._source() if tree == self._unfinished else None)
        if tree == self._unfinished:
            self._filled.append(made)
        self._unfinished = None

    def _source(self) -> Tree | None:
        """Return the last tree that this process made and that is still there.

        Others may have been made under another configuration: the same content need not be the same file.
        """
        self._filled = [tree for tree in self._filled if self.looks_sound(tree.path, tree.commit)]
        return self._filled[-1] if self._filled else None

    def drop(self, tree: Path) -> None:
        """Remove *tree* now, with git's memory of it; one that cannot go is moved aside, to go later.

        Raises:
            GitError, OSError
        """
        try:
            known = self._forget(tree)
        except OSError as error:
            self._log.error(error, "cannot remove a worktree, moving it aside", path=str(tree))
            tree.rename(self.folder / f"aside-{secrets.token_hex(4)}")
            known = False
        if not known:
            self._git.run(["worktree", "prune"], self.root)

    def _forget(self, tree: Path) -> bool:
        """Remove *tree* and its folder in the repository; return False if it is not known which that is."""
        folder = self._own_folder(tree)
        try:
            remove(tree)
        finally:  # what is left of one that cannot go is no tree: its objects need not stay
            if folder is not None:
                remove(folder)
        return folder is not None

    def _own_folder(self, tree: Path) -> Path | None:
        """Return the folder in the repository that belongs to *tree* and to no other.

        Whoever can write in a tree can make its `.git` name another's: both must name each other.
        """
        with contextlib.suppress(OSError, ValueError):
            folder = self._git_folder(tree)
            back = os.fsdecode(content(folder / "gitdir")).rstrip("\n")
            if folder.parent == self.root / ".git" / "worktrees" and Path(back).parts[-2:] == (
                tree.name,
                ".git",
            ):
                return folder
        return None

    def retire(self, tree: Path) -> None:
        """Start the retention clock of *tree*; one that is ours but stands elsewhere goes at once.

        Such a one is a v3 tree, directly below root. Whatever is outside root is not ours, and a link there
        may be the one that was published.
        """
        entry = self.entry(tree)
        if entry is not None:
            with contextlib.suppress(OSError):
                os.utime(entry)
                self._retired[entry.name] = Retired(entry.lstat().st_mtime, time.monotonic())
            return
        with contextlib.suppress(OSError):  # the link may have named what cannot even be looked at
            if tree.parent == self.root and not tree.is_symlink() and (tree / ".git").is_file():
                self._log.info(0, "removing an old worktree", path=str(tree))
                remove(tree)

    def entry(self, tree: Path) -> Path | None:
        """Return the entry of our folder that *tree* is or lies in."""
        if self.folder not in tree.parents:
            return None
        return self.folder / tree.relative_to(self.folder).parts[0]

    def remove_stale(self, protected: Set[str], timeout: float, keep: int = 0) -> Removed:
        """Remove what is older than *timeout* seconds, the oldest first; a failure stops nothing.

        Args:
            protected: names of entries that stay.
            keep: so many trees beside them stay, too.
        """
        removed, failures, stuck = 0, list[Exception](), set[str]()
        for name in stale(self._entries(), protected=protected, before=time.time() - timeout, keep=keep):
            self._log.info(1, "removing stale worktree", path=str(self.folder / name))
            try:
                self._forget(self.folder / name)
                self._retired.pop(name, None)
                removed += 1
            except OSError as error:
                failures.append(error)
                stuck.add(name)
        removed += len(stuck - self._stuck)
        self._stuck = stuck
        if removed and self._recipe.large:
            commits = [entry.name for entry in self._entries() if entry.folder and is_hash(entry.name)]
            try:
                large.prune(self.root, self._git, commits)
            except (GitError, OSError) as error:
                failures.append(error)
        return Removed(removed, failures)

    def _entries(self) -> Iterator[Entry]:
        """Yield everything in our folder; what cannot be looked at is skipped and told.

        Where there is a link to a folder of somebody else's, nothing in that is ours to remove.
        """
        if self.folder.is_symlink() or not self.folder.is_dir():
            return
        for entry in list(os.scandir(self.folder)):
            try:
                changed = self._dated(Path(entry.path))
            except OSError as error:
                self._log.error(error, "cannot look at a worktree", path=entry.path)
                continue
            yield Entry(entry.name, changed, entry.is_dir(follow_symlinks=False))

    def _dated(self, entry: Path) -> float:
        """Return when *entry* was replaced; one that came from the future begins to age now."""
        changed, now = entry.lstat().st_mtime, time.time()
        if changed > now and entry.name not in self._retired:
            os.utime(entry, follow_symlinks=False)
        return dated(changed, self._retired.get(entry.name), now=now, monotonic=time.monotonic())

    def _git_folder(self, tree: Path) -> Path:
        file = tree / ".git"
        if file.is_symlink() or not file.is_file():  # somebody's, and we read and write it
            raise OSError(f"{file} is no file")
        text = os.fsdecode(content(file))
        if not text.startswith("gitdir: "):
            raise OSError(f"{file} names no directory")
        return Path(os.path.normpath(tree / text.removeprefix("gitdir: ").rstrip("\n")))
