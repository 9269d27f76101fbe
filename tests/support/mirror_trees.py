"""A tree and what git would list of it, without git."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from podmates_gitsync.mirror.mirror import Mirror
from podmates_gitsync.reports.logs import Log


class Listing:
    """Lists a tree as `git ls-files` does."""

    def run(self, words: Sequence[str], cwd: Path, *, whole: bool = False) -> str:
        assert words[0] == "ls-files"
        return "".join(sorted(self._line(cwd, path) for path in cwd.rglob("*") if not _is_folder(path)))

    def _line(self, tree: Path, path: Path) -> str:
        if path.is_symlink():
            mode, data = 0o120000, os.fsencode(os.readlink(path))
        else:
            mode, data = (0o100755 if os.access(path, os.X_OK) else 0o100644), path.read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        return f"H {mode:06o} {blob} 0\t{path.relative_to(tree)}\0"


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def tree(folder: Path, files: Mapping[str, str]) -> Path:
    """Make *folder* anew with *files*, path → text; a text that begins with an arrow is a link's."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("→ "):
            path.symlink_to(text[2:])
        else:
            path.write_text(text)
    return folder


def mirror(target: Path, policy: str = "fail") -> Mirror:
    """Return a mirror; by default one that fails wherever it takes a file for changed by somebody else."""
    return Mirror(target, local_changes=policy, git=Listing(), log=Log(0, stream=io.StringIO()))
