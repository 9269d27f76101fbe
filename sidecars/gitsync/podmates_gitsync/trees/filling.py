"""How a tree gets its files: which ones, and by which of git's commands."""

from __future__ import annotations

import os
from pathlib import Path

from podmates_gitsync.git.commands import GitError, Runner
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.trees import sparse
from podmates_gitsync.trees.recipe import Recipe


class Filler:
    """Fills the worktrees of the repository in *root*."""

    def __init__(self, root: Path, git: Runner, log: Log, recipe: Recipe) -> None:
        self._root, self._git, self._log, self._recipe = root, git, log, recipe

    def fill(self, tree: Path, folder: Path, commit: str) -> None:
        """Check *commit* out in *tree*, whatever is in it, and its submodules.

        Args:
            folder: git's own folder of the worktree.

        Raises:
            GitError, OSError
        """
        # Relative, because a reader may mount the volume elsewhere.
        (tree / ".git").write_text(f"gitdir: {os.path.relpath(folder, tree)}\n")
        self._choose(folder, commit)
        self._git.run(["reset", "--hard", commit, "--"], tree)
        if not self._recipe.sparse:
            _choose_no_more(folder)
        self._submodules(tree)

    def _choose(self, folder: Path, commit: str) -> None:
        """Tell git which files the tree is to hold."""
        chosen = folder / "info" / "sparse-checkout"
        if self._recipe.sparse:
            text = self._patterns(commit)
            chosen.parent.mkdir(exist_ok=True)
            chosen.write_bytes(text)
            (folder / "config.worktree").write_text(sparse.CONFIG)
            if "worktreeconfig" not in (self._root / ".git" / "config").read_text(errors="replace").lower():
                self._git.run(["config", "extensions.worktreeConfig", "true"], self._root)
        elif chosen.exists():  # of an earlier process; without patterns git would leave things as they are
            chosen.write_text(sparse.EVERYTHING)

    def _patterns(self, commit: str) -> bytes:
        if self._recipe.sparse_file:
            return self._recipe.sparse_file.read_bytes()
        questions = "".join(f"{commit}:{path}\n" for path in self._recipe.paths)
        answers = self._git.run(["cat-file", "--batch-check"], self._root, input=questions).splitlines()
        for path, answer in zip(self._recipe.paths, answers, strict=True):
            if answer.split(" ")[1:2] != ["tree"]:
                raise GitError(f"there is no directory {path!r} in {commit}")
        return sparse.patterns(self._recipe.paths).encode("utf-8", "surrogateescape")

    def _submodules(self, tree: Path) -> None:
        recipe = self._recipe
        if recipe.submodules != "off" and (tree / ".gitmodules").is_file():
            if '[submodule "' in (self._root / ".git" / "config").read_text(errors="replace"):
                # git keeps the first URL of each for ever: one that was wrong would fail every later commit.
                self._git.run(["submodule", "sync"], tree)
            words = ["submodule", "update", "--init"]
            words += ["--recursive"] if recipe.submodules == "recursive" else []
            words += ["--depth", str(recipe.depth)] if recipe.depth else []
            self._git.run(words, tree)


def _choose_no_more(folder: Path) -> None:
    chosen = folder / "info" / "sparse-checkout"
    if chosen.exists():
        chosen.unlink()
        (folder / "config.worktree").unlink(missing_ok=True)
