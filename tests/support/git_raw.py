"""Commits that no git would make: trees with any names at all, written object by object."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.support.git_repo import Repository, git_environment

FILE, EXECUTABLE, LINK, TREE, COMMIT = "100644", "100755", "120000", "40000", "160000"


class RawRepository:
    """Writes objects straight into the bare repository of *upstream*."""

    def __init__(self, upstream: Repository) -> None:
        self._upstream, self._folder = upstream, upstream.bare

    def blob(self, content: bytes) -> str:
        return self._write("blob", content)

    def tree(self, entries: Iterable[tuple[str, str, str]]) -> str:
        """Write (mode, name, object id), in the order given, whatever the names."""
        parts = [
            f"{mode} {name}".encode() + b"\0" + bytes.fromhex(identity) for mode, name, identity in entries
        ]
        return self._write("tree", b"".join(parts))

    def publish(self, tree: str) -> str:
        """Commit *tree*, let the branch name the commit, and return it."""
        commit = self._git("commit-tree", "-m", "raw", tree)
        self._git("update-ref", f"refs/heads/{self._upstream.branch}", commit)
        return commit

    def chain(self, name: str, levels: int) -> str:
        """Return a tree with so many directories called *name* in each other, a file in the last one."""
        path = "/".join([name] * levels)
        script = "blob\nmark :1\ndata 1\nx\ncommit refs/heads/chain\ncommitter c <c> 0 +0000\ndata 0\n"
        script += f"M 100644 :1 {path}/f\n"
        self._run(["fast-import", "--quiet", "--force"], script.encode())
        return self._git("rev-parse", "refs/heads/chain^{tree}")

    def _write(self, kind: str, content: bytes) -> str:
        return self._run(["hash-object", "-t", kind, "-w", "--stdin", "--literally"], content)

    def _git(self, *words: str) -> str:
        return self._run(list(words), b"")

    def _run(self, words: list[str], given: bytes) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=self._folder,
            env=git_environment(Path(self._upstream.folder)),
            input=given,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()
