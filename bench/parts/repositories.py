"""Repositories of many small files, made fast, and changed by one commit at a time."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

from tests.support.git_repo import git_environment
from tests.support.programs import need


class Upstream:
    """A bare repository of *count* text files of about 3.6 KB in ``folder/bare.git``."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.bare, self._count = folder, folder / "bare.git", count
        self._git, self._number = need("git", "git"), 0
        folder.mkdir(parents=True)
        self.run("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        self.run("config", "uploadpack.allowFilter", "true", where=self.bare)
        draw = random.Random(1)
        words = [f"{draw.getrandbits(32):x}" for _ in range(2000)]
        texts = [f"{n}\n{' '.join(draw.choices(words, k=400))}\n" for n in range(count)]
        self._import("\n".join(self._commit([(_path(n), text) for n, text in enumerate(texts)])))
        self.run("repack", "-adq", where=self.bare)

    def change(self, files: int = 1) -> str:
        """Change so many files, in one commit on top of the branch; return its hash."""
        self._number += 1
        now = f"change {self._number}\n"
        changes = [(_path(n * (self._count // files)), now * 200) for n in range(files)]
        self._import("\n".join(self._commit(changes, "from refs/heads/main^0")))
        return self.head()

    def head(self) -> str:
        return self.run("rev-parse", "refs/heads/main", where=self.bare)

    def _commit(self, files: list[tuple[str, str]], parent: str = "") -> list[str]:
        lines = ["commit refs/heads/main", f"committer A <a@example.com> {int(time.time())} +0000"]
        lines += ["data 6", "change", *([parent] if parent else [])]
        for path, text in files:
            lines += [f"M 100644 inline {path}", f"data {len(text)}", text]
        return lines

    def _import(self, stream: str) -> None:
        words = [self._git, "fast-import", "--quiet"]
        environment = git_environment(self.folder)
        subprocess.run(
            words, cwd=self.bare, env=environment, input=stream + "\n", text=True, check=True, timeout=600
        )

    def run(self, *words: str, where: Path | None = None) -> str:
        done = subprocess.run(
            [self._git, *words],
            cwd=where or self.folder,
            env=git_environment(self.folder),
            capture_output=True,
            text=True,
            check=True,
            timeout=600,
        )
        return done.stdout.strip()


def _path(number: int) -> str:
    return f"d{number // 1000:03d}/s{number // 100 % 10}/f{number:06d}.txt"
