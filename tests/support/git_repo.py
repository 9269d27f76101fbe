"""Git repositories for a test, made by git itself with none of the machine's configuration."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.processes import environment
from tests.support.programs import need


def git_environment(home: Path) -> dict[str, str]:
    """Return a clean environment in which git reads no configuration but *home*'s and never asks."""
    return environment(
        {
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "A U Thor",
            "GIT_AUTHOR_EMAIL": "author@example.com",
            "GIT_COMMITTER_NAME": "C O Mitter",
            "GIT_COMMITTER_EMAIL": "committer@example.com",
        }
    )


class Repository:
    """A work tree in ``folder/work`` that pushes to the bare repository ``folder/bare.git``.

    Attributes:
        bare: the path to clone from; `url` is the same as a URL.
        work: the work tree; it is on *branch*.
    """

    def __init__(self, folder: Path, *, branch: str = "main") -> None:
        self._git = need("git", "git")
        self.folder = folder
        self.branch = branch
        self.bare = folder / "bare.git"
        self.work = folder / "work"
        self._environment = git_environment(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._run(folder, "init", "--quiet", "--bare", f"--initial-branch={branch}", str(self.bare))
        for setting in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            self._run(self.bare, "config", setting, "true")
        self._run(folder, "init", "--quiet", f"--initial-branch={branch}", str(self.work))
        self.git("remote", "add", "origin", str(self.bare))

    @property
    def url(self) -> str:
        return f"file://{self.bare}"

    def git(self, *words: str) -> str:
        """Run git in the work tree and return what it printed, stripped.

        Raises:
            AssertionError: it failed; with its standard error.
        """
        return self._run(self.work, *words)

    def _run(self, folder: Path, *words: str) -> str:
        done = subprocess.run(
            [self._git, *words], cwd=folder, env=self._environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr}"
        return done.stdout.strip()

    def commit(
        self, files: Mapping[str, str | bytes | None], message: str = "change", *, push: bool = True
    ) -> str:
        """Write *files* (path → content, None removes), commit them, and return the commit's id.

        With *push* the branch in the bare repository moves, if need be by force.
        """
        for name, content in files.items():
            path = self.work / name
            if content is None:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        if push:
            self.push()
        return self.head()

    def push(self, *refs: str) -> None:
        """Push the branch and *refs* (tags, other branches) by force."""
        self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{self.branch}", *refs)

    def head(self) -> str:
        """Return the id of the work tree's commit."""
        return self.git("rev-parse", "HEAD")
