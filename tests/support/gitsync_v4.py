"""git-sync v4's commands and checks in its order, on a root that it shares with ours over time.

For tests of taking over in both directions. It does what the original is known to do, wiping included.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from tests.support.git_repo import git_environment


class GitSyncV4:
    """One process of the original; `sync` is one loop of it.

    Attributes:
        wiped: how often the checks failed, so that everything below root was deleted.
        added: how often a tree was made.
    """

    def __init__(self, root: Path, repo: str, *, home: Path, link: str = "link") -> None:
        self.root, self.link, self._repo = root, root / link, repo
        self.wiped = self.added = 0
        self._first = True
        config = home / "git-sync-v4.gitconfig"
        values = "[gc]\nautoDetach=false\npruneExpire=now\n[safe]\ndirectory=*\n[core]\naskPass=true\n"
        config.write_text(values)
        self._environment = {**git_environment(home), "GIT_CONFIG_GLOBAL": str(config)}

    def sync(self) -> str:
        """Run one loop and return the commit that is published then.

        Raises:
            subprocess.CalledProcessError, OSError: the loop failed.
        """
        self.root.mkdir(exist_ok=True)
        if not self._sane():
            self._wipe()
        self._point_origin()
        old = self._published()
        options = ["--verbose", "--no-progress", "--prune", "--no-auto-gc", "--depth", "1"]
        self._git(self.root, "fetch", self._repo, "HEAD", *options)
        commit = self._git(self.root, "rev-parse", "FETCH_HEAD^{}")
        tree = self.root / ".worktrees" / commit
        current = old.name if old else ""
        if current == commit and not self._sound(tree):
            shutil.rmtree(tree, ignore_errors=True)
            current = ""
        changed = current != commit or old != tree
        if changed or self._first:
            self._update(tree, commit, changed=changed)
        if changed and old is not None:
            self._retire(old)
        self._first = False
        self._clean(commit)
        return commit

    def _sane(self) -> bool:
        if not any(self.root.iterdir()) or (self.root / ".git" / "shallow.lock").exists():
            return False
        try:
            top = self._git(self.root, "rev-parse", "--show-toplevel")
            self._git(self.root, "fsck", "--no-progress", "--connectivity-only")
        except subprocess.CalledProcessError:
            return False
        return top == str(self.root)

    def _wipe(self) -> None:
        self.wiped += 1
        for path in self.root.iterdir():
            if path.exists():  # through links
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        self._git(self.root, "init", "-b", "git-sync")
        assert self._sane()

    def _point_origin(self) -> None:
        try:
            known = self._git(self.root, "remote", "get-url", "origin")
        except subprocess.CalledProcessError:
            self._git(self.root, "remote", "add", "origin", self._repo)
            return
        if known != self._repo:
            self._git(self.root, "remote", "set-url", "origin", self._repo)

    def _published(self) -> Path | None:
        try:
            return Path(os.path.normpath(self.link.parent / os.readlink(self.link)))
        except FileNotFoundError:
            return None

    def _sound(self, tree: Path) -> bool:
        if not tree.is_dir() or not any(tree.iterdir()):
            return False
        try:
            head = self._git(tree, "rev-parse", "HEAD")
            self._git(tree, "fsck", "--no-progress", "--connectivity-only")
        except subprocess.CalledProcessError:
            return False
        return head == tree.name

    def _update(self, tree: Path, commit: str, *, changed: bool) -> None:
        self._git(self.root, "reset", "--soft", commit, "--")
        if changed:
            if tree.exists():
                shutil.rmtree(tree)
            self._git(self.root, "worktree", "prune")
            self._git(self.root, "worktree", "add", "--force", "--detach", str(tree), commit, "--no-checkout")
            self.added += 1
        memory = self.root / ".git" / "worktrees" / commit
        (tree / ".git").write_text(f"gitdir: {os.path.relpath(memory, tree)}\n")
        (memory / "info" / "sparse-checkout").unlink(missing_ok=True)
        self._git(tree, "reset", "--hard", commit, "--")
        self._git(tree, "submodule", "update", "--init", "--recursive", "--depth", "1")
        if changed:
            temporary = self.link.parent / "tmp-link"
            temporary.symlink_to(os.path.relpath(tree, self.link.parent))
            temporary.rename(self.link)

    def _retire(self, old: Path) -> None:
        if old.exists():
            os.utime(old)
            if old.parent != self.root / ".worktrees":
                shutil.rmtree(old)

    def _clean(self, commit: str) -> None:
        stale = [
            path
            for path in (self.root / ".worktrees").iterdir()
            if path.name != commit and path.lstat().st_mtime < time.time()
        ]
        for path in stale:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if stale:
            self._git(self.root, "worktree", "prune")
            self._git(self.root, "reflog", "expire", "--expire-unreachable=all", "--all")
            self._git(self.root, "gc")

    def _git(self, cwd: Path, *words: str) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=cwd,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.strip()
