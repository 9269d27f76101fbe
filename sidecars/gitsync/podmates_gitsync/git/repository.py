"""The repository below root: made, checked, healed, fetched into. Nothing is ever checked out in it."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Callable
from pathlib import Path

from podmates_gitsync.files.ours import OURS, remember
from podmates_gitsync.files.plain import content
from podmates_gitsync.files.removal import remove
from podmates_gitsync.files.scratch import Scratch
from podmates_gitsync.git.commands import GitError, Runner
from podmates_gitsync.git.garbage import LOOSE, Stored, is_due
from podmates_gitsync.git.leftovers import remove_leftovers
from podmates_gitsync.git.refs import fetched
from podmates_gitsync.reports.logs import Log

BRANCH = "git-sync"
_GC = {"auto": ("gc", "--auto"), "always": ("gc",), "aggressive": ("gc", "--aggressive")}


class Repository:
    """``<root>/.git``, on its branch ``git-sync``."""

    def __init__(self, root: Path, git: Runner, log: Log) -> None:
        self.root, self._git, self._log = root, git, log
        self.folder = root / ".git"
        self._scratch = Scratch(root)
        self._peeled: dict[str, str] = {}  # what FETCH_HEAD held last → its commit

    def run(self, *words: str) -> str:
        """Run git in root.

        Raises:
            GitError
        """
        return self._git.run(words, self.root)

    def clear_the_way(self) -> None:
        """Have a directory at ``.git`` or nothing: a file there, or a link to what is no repository, goes.

        So does what is no directory in the place of our own folder. What a link points at is not ours and
        stays.

        Raises:
            OSError
        """
        dead_link = self.folder.is_symlink() and not (self.folder / "HEAD").is_file()
        if dead_link or (self.folder.exists() and not self.folder.is_dir()):
            self.folder.unlink()
        own = self.folder / OURS
        if own.is_symlink() or (own.exists() and not own.is_dir()):
            own.unlink()

    def looks_sound(self) -> bool:
        """Return whether what a damaged repository mostly lacks is there; a few system calls."""
        return self._has_head() and not (self.folder / "shallow.lock").exists()

    def _has_head(self) -> bool:
        file = self.folder / "HEAD"
        try:
            head = file.read_text(errors="replace").strip() if file.is_file() else ""  # a pipe has no end
        except OSError:
            return False
        return head == f"ref: refs/heads/{BRANCH}"

    def is_sound(self) -> bool:
        """Return whether git finds the repository, here and complete; walks all objects."""
        if not self._has_head():
            return False
        try:
            top = self.run("rev-parse", "--show-toplevel").rstrip("\n")
            self.run("fsck", "--no-progress", "--connectivity-only")
        except GitError as error:
            self._log.error(error, "repo directory failed checks", path=str(self.root))
            return False
        return top == os.fsencode(self.root).decode(errors="replace")  # as all that git says

    def start_anew(self) -> None:
        """Make an empty repository in the place of whatever is there; published trees stay.

        Raises:
            GitError: it cannot be made, or is not sound even now.
            OSError: what is there cannot be removed.
        """
        self._log.info(0, "initializing repo directory", path=str(self.root))
        self._peeled.clear()
        remove(self._size_file)
        if self.folder.is_symlink():
            self.folder.unlink()  # what it names is not ours to empty
        self.folder.mkdir(exist_ok=True)
        for entry in self.folder.iterdir():
            if entry.name != OURS:  # the lock must survive a new start
                remove(entry)
        self.run("init", "-b", BRANCH)
        if not self.is_sound():
            raise GitError(f"{self.root} cannot be made a sound repository")

    def remove_leftovers(self, *, worktrees: bool, stale: Callable[[Path], bool]) -> list[str]:
        """Remove what a killed git left; see `leftovers`."""
        return remove_leftovers(self.folder, worktrees=worktrees, stale=stale)

    def point_at(self, url: str) -> None:
        """Make the remote ``origin`` *url*: submodules with relative URLs start from there.

        Raises:
            GitError
        """
        try:
            known = self.run("remote", "get-url", "origin").rstrip("\n")
        except GitError:
            self.run("remote", "add", "origin", url)
            return
        if known != url:
            self._log.info(0, "updating the remote", remote=url)
            self.run("remote", "set-url", "origin", url)

    def fetch(self, url: str, ref: str, *, depth: int, filter: str) -> str:
        """Fetch *ref* and return the commit that it names; a tag is peeled.

        Raises:
            GitError: with git's own words.
        """
        words = ["fetch", url, ref, "--verbose", "--no-progress", "--prune", "--no-auto-gc"]
        if depth > 0:
            words += ["--depth", str(depth)]
        elif (self.folder / "shallow").exists():
            words.append("--unshallow")
        if filter:
            words += ["--filter", filter]
        self.run(*words)
        return self._resolve()

    def fetched(self) -> str:
        """Return the object that the last fetch brought: a commit, or an annotated tag of one.

        Raises:
            GitError: there was none.
        """
        try:
            return fetched(content(self.folder / "FETCH_HEAD").decode(errors="replace"))
        except (OSError, ValueError) as error:
            raise GitError(f"nothing was fetched: {error}") from None

    def _resolve(self) -> str:
        name = self.fetched()
        if name not in self._peeled:
            peeled = name if self._is_loose_commit(name) else self.run("rev-parse", "FETCH_HEAD^{}").strip()
            self._peeled = {name: peeled}
        return self._peeled[name]

    def _is_loose_commit(self, name: str) -> bool:
        """Return whether the object has a file of its own that says so; a program less for most changes."""
        with contextlib.suppress(OSError, zlib.error):
            data = content(self.folder / "objects" / name[:2] / name[2:])
            return zlib.decompressobj().decompress(data, 7) == b"commit "
        return False

    def changed(self, old: str, new: str, *, longest: int) -> bytes | None:
        """Return git's ``status NUL path NUL`` for each path that differs; None when it cannot be told.

        That is where *old*'s objects are gone, or where the list has more than *longest* bytes.
        """
        words = ["diff-tree", "-r", "-z", "--name-status", "--no-renames", "--ignore-submodules=none"]
        try:
            with self._scratch.file() as path:
                self.run(*words, f"--output={path}", old, new)
                with path.open("rb") as file:
                    found = file.read(longest + 1)
        except (GitError, OSError) as error:
            self._log.info(1, "changed files are not known", error=str(error))
            return None
        return found if len(found) <= longest else None

    def advance(self, commit: str) -> None:
        """Move our branch, so that the next fetch asks for little."""
        self.run("reset", "--soft", commit, "--")

    def prune(self) -> None:
        """Drop single objects that nothing needs; this takes no space.

        Raises:
            GitError
        """
        self.run("reflog", "expire", "--expire=now", "--all")
        self.run("prune", "--expire=now")

    def collect_garbage(self, mode: str, *, at_once: bool = False) -> None:
        """Drop what no worktree needs any more, when enough has gathered.

        Args:
            mode: ``--git-gc``. With ``auto`` git itself knows what is enough.
            at_once: do not wait for enough: nobody will come back.

        Raises:
            GitError, OSError
        """
        if mode not in _GC or not (at_once or mode == "auto" or self._is_due()):
            return
        self.run("worktree", "prune")
        self.run("reflog", "expire", "--expire-unreachable=all", "--all")
        self.run(*_GC[mode])
        remember(self._size_file, f"{self._stored().size}\n")

    def _is_due(self) -> bool:
        stored = self._stored()
        if self._collected() is None:  # a fresh clone, or one that git-sync kept small until now
            remember(self._size_file, f"{stored.size}\n")
        return is_due(stored, self._collected() or 0)

    @property
    def _size_file(self) -> Path:
        return self.folder / OURS / "collected"

    def _collected(self) -> int | None:
        """Return the size after the last collection, of an earlier process too."""
        with contextlib.suppress(OSError, ValueError):
            return int(content(self._size_file))
        return None

    def _stored(self) -> Stored:
        """Count the objects; loose ones only until they are enough."""
        loose = packs = size = 0
        for entry in list(os.scandir(self.folder / "objects")):
            if entry.name == "pack":
                for file in list(os.scandir(entry.path)):
                    packs += file.name.endswith(".pack")
                    size += _size(file)
            elif len(entry.name) == 2 and loose < LOOSE:
                for file in list(os.scandir(entry.path)):
                    loose += 1
                    size += _size(file)
        return Stored(loose, packs, size)


def _size(file: os.DirEntry[str]) -> int:
    with contextlib.suppress(FileNotFoundError):  # the git of a hook may run
        return file.stat().st_size
    return 0
