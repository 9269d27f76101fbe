"""How a tree gets its files: which ones, and whether git writes them or they are shared with another tree."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from podmates_common.files import TooLarge, read_small
from podmates_gitsync.files.plain import content, put
from podmates_gitsync.files.removal import remove
from podmates_gitsync.git.commands import GitError, Runner
from podmates_gitsync.git.index import Index
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.trees import modules, sharing, sparse
from podmates_gitsync.trees.recipe import Recipe

_MOST = 16 << 20  # bytes of patterns
_MANY = 2000  # files; with fewer a plain checkout is as good as hard links
_ATTRIBUTES = ":(glob)**/.gitattributes"
_END_OF_ATTRIBUTES = b".gitattributes\0"  # how an index, of the versions that we read, ends such a name


class Tree(NamedTuple):
    """A worktree."""

    path: Path
    folder: Path  # git's own, in the repository
    commit: str


class Filler:
    """Fills the worktrees of the repository in *root*."""

    def __init__(self, root: Path, git: Runner, log: Log, recipe: Recipe) -> None:
        self._root, self._git, self._log, self._recipe = root, git, log, recipe
        self._blocks: bool | None = None  # whether the file system can share them

    def fill(self, tree: Tree, source: Tree | None = None) -> None:
        """Check a commit out in *tree*, whatever is in it, and its submodules.

        Args:
            tree: an existing one.
            source: a complete one that this process filled, to share files with; *tree* is empty then.

        Raises:
            GitError, OSError
        """
        # Relative, because a reader may mount the volume elsewhere.
        put(tree.path / ".git", os.fsencode(f"gitdir: {os.path.relpath(tree.folder, tree.path)}\n"))
        self._choose(tree.folder, tree.commit)
        if not (source and self._share(source, tree)):
            self._check_out(tree)
        if not self._recipe.sparse:
            _choose_no_more(tree.folder)
        self._submodules(tree, source)

    def _check_out(self, tree: Tree) -> None:
        self._git.run(["reset", "--hard", tree.commit, "--"], tree.path)

    def _share(self, source: Tree, tree: Tree) -> bool:
        """Fill *tree* with files of *source*, and let git do the rest; False when it is empty again."""
        try:
            known, way = self._prepare(source, tree)
            if known is None or way is None:
                return False
            had = _END_OF_ATTRIBUTES in known.data
            written = (source.folder / "index").stat().st_mtime_ns
            sharing.share(source.path, tree.path, known, written=written, way=way)
            put(tree.folder / "index", known.data)
            # As `reset --hard`, but it looks only at files that differ: at all others we have just looked.
            self._git.run(["read-tree", "-m", "-u", tree.commit], tree.path)
            if not had and _END_OF_ATTRIBUTES in content(tree.folder / "index"):
                raise ValueError("attributes that were not there before")
        except (GitError, OSError, ValueError) as error:
            self._log.info(1, "cannot share files with the tree before", reason=str(error))
            _empty(tree)
            return False
        return True

    def _prepare(self, source: Tree, tree: Tree) -> tuple[Index | None, sharing.Way | None]:
        """Return the index of *source*, and how to share; None for not at all."""
        if self._recipe.publish == "checkout" or len(source.commit) != 40:
            return None, None
        known = Index(content(source.folder / "index"))
        way = self._way(known.count)
        if way is None or _chosen(source.folder) != _chosen(tree.folder):
            return None, None
        # Attributes decide how a file is written; then the same content may be another file.
        words = ["diff-tree", "-r", "--name-only", source.commit, tree.commit, "--", _ATTRIBUTES]
        if _END_OF_ATTRIBUTES in known.data and self._git.run(words, self._root):
            return None, None
        return known, way

    def _way(self, files: int) -> sharing.Way | None:
        mode = self._recipe.publish
        if mode in {"auto", "reflink"} and self._shares_blocks():
            return sharing.Reflinks()
        if mode == "link" or (mode == "auto" and files >= _MANY and not self._recipe.changed_by_others):
            # The number of links is a change of the inode; git would take it for one of the content.
            self._configure("core", "trustctime", "false")
            return sharing.HardLinks()
        return None

    def _shares_blocks(self) -> bool:
        if self._blocks is None:
            self._blocks = sharing.shares_blocks(self._root / ".git")
        return self._blocks

    def _configure(self, section: str, key: str, value: str) -> None:
        """Set what whoever runs git in a tree must know; it stays."""
        if os.fsencode(f"{key} = {value}") not in content(self._root / ".git" / "config"):
            self._git.run(["config", f"{section}.{key}", value], self._root)

    def _choose(self, folder: Path, commit: str) -> None:
        """Tell git which files the tree is to hold."""
        chosen = folder / "info" / "sparse-checkout"
        if chosen.parent.is_symlink():  # what it leads to is not ours
            chosen.parent.unlink()
        if chosen.is_dir():  # somebody's
            remove(chosen)
        if self._recipe.sparse:
            text = self._patterns(commit)
            chosen.parent.mkdir(exist_ok=True)
            put(chosen, text)
            config = sparse.config(cone=self._recipe.sparse_file is not None)
            put(folder / "config.worktree", config.encode())
            self._configure("extensions", "worktreeConfig", "true")
        elif chosen.exists():  # of an earlier process; without patterns git would leave things as they are
            put(chosen, sparse.EVERYTHING.encode())

    def _patterns(self, commit: str) -> bytes:
        if self._recipe.sparse_file:
            return _read(self._recipe.sparse_file)
        questions = "".join(f"{commit}:{path}\n" for path in self._recipe.paths)
        answers = self._git.run(["cat-file", "--batch-check"], self._root, input=questions).splitlines()
        for path, answer in zip(self._recipe.paths, answers, strict=True):
            if answer.split(" ")[1:2] != ["tree"]:
                raise GitError(f"there is no directory {path!r} in {commit}")
        return sparse.patterns(self._recipe.paths).encode("utf-8", "surrogateescape")

    def _submodules(self, tree: Tree, source: Tree | None) -> None:
        if self._recipe.submodules == "off" or not self._names_submodules(tree):
            return
        seeded = source is not None and self._take_submodules_over(source, tree)
        try:
            self._update_submodules(tree.path)
        except GitError as error:
            if not seeded:
                raise
            self._log.info(1, "cannot use the submodules of the tree before", reason=str(error))
            _empty(tree)
            remove(tree.folder / modules.FOLDER)
            self._check_out(tree)
            self._update_submodules(tree.path)

    def _names_submodules(self, tree: Tree) -> bool:
        """Return whether the commit says where submodules come from.

        git reads that from its index where the file itself was not chosen.
        """
        if self._recipe.sparse:
            return bool(self._git.run(["ls-files", "--", ".gitmodules"], tree.path))
        return (tree.path / ".gitmodules").is_file()

    def _take_submodules_over(self, source: Tree, tree: Tree) -> bool:
        """Spare git to fetch what the tree before has; False when it has nothing that is sure to be right."""
        words = ["diff-tree", "-r", "--raw", "--ignore-submodules=none", source.commit, tree.commit]
        try:
            # Of the commits: the files need not be among those that were chosen.
            named = [f"{commit}:.gitmodules" for commit in (source.commit, tree.commit)]
            if len(set(self._git.run(["rev-parse", *named], self._root).split())) > 1:
                return False  # a submodule may come from elsewhere now
            moved = _moves_submodules(self._git.run(words, self._root))
            modules.take_over(source.folder, tree.folder, nested=not moved)
        except (GitError, OSError, ValueError) as error:
            self._log.info(1, "cannot take submodules over", reason=str(error))
            return False
        return (tree.folder / modules.FOLDER).is_dir()

    def _update_submodules(self, tree: Path) -> None:
        recipe = self._recipe
        if b'[submodule "' in content(self._root / ".git" / "config"):
            # git keeps the first URL of each for ever: one that was wrong would fail every later commit.
            self._git.run(["submodule", "sync"], tree)
        words = ["submodule", "update", "--init"]
        words += ["--recursive"] if recipe.submodules == "recursive" else []
        words += ["--depth", str(recipe.depth)] if recipe.depth else []
        # Without paths git takes all of them, those in directories that are not published, too.
        words += ["--", *(f":(literal){path}" for path in recipe.paths)] if recipe.paths else []
        self._git.run(words, tree)


def _moves_submodules(changes: str) -> bool:
    """Return whether raw *changes*, which may be cut off, name a submodule."""
    lines = changes.splitlines()
    return "160000" in changes or any(not line.startswith(":") for line in lines)


def _choose_no_more(folder: Path) -> None:
    chosen = folder / "info" / "sparse-checkout"
    if chosen.exists():
        chosen.unlink()
        (folder / "config.worktree").unlink(missing_ok=True)


def _read(patterns: Path) -> bytes:
    try:
        return read_small(patterns, _MOST)
    except TooLarge as error:
        raise GitError(f"{patterns}: {error}") from None


def _chosen(folder: Path) -> bytes | None:
    try:
        return content(folder / "info" / "sparse-checkout")
    except FileNotFoundError:
        return None


def _empty(tree: Tree) -> None:
    """Remove every file of *tree*, and what git knows of them."""
    for entry in list(os.scandir(tree.path)):
        if entry.name != ".git" or entry.is_dir(follow_symlinks=False):
            remove(Path(entry.path))
    for name in ("index", "index.lock"):
        (tree.folder / name).unlink(missing_ok=True)
