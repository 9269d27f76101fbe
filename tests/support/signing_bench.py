"""What a signature is looked at with: a repository, keys, and a root that fetches."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from podmates_gitsync.git import gitconfig
from podmates_gitsync.git.commands import Git
from podmates_gitsync.git.repository import Repository as Root
from podmates_gitsync.git.signatures import Signatures
from podmates_gitsync.programs import Running
from podmates_gitsync.reports.logs import Log
from tests.support.git_repo import Repository
from tests.support.signing import Key


@dataclass
class Bench:
    """A repository, two keys of which one may sign, and a root that fetches."""

    upstream: Repository
    good: Key
    other: Key
    signers: Path
    root: Path
    config: gitconfig.PrivateConfig

    def git(self, more: Mapping[str, str]) -> Git:
        environment = {**gitconfig.additions(self.config.path, "ssh"), **more}
        return Git("git", environment, Log(stream=io.StringIO()), Running())

    def fault(self, ref: str = "main", objects: str = "commit") -> str:
        """Fetch *ref* and return what is wrong with its signature."""
        git = self.git({})
        root = Root(self.root, git, Log(stream=io.StringIO()))
        if not root.folder.exists():
            root.start_anew()
        found = root.fetch(self.upstream.url, ref, depth=1, filter="")
        signatures = Signatures(self.git, self.root, objects=objects, signers=self.signers)
        return signatures.fault(found, root.fetched(), ref, time.monotonic() + 60)


def benches(folder: Path, good: Key, other: Key) -> Iterator[Bench]:
    """Yield a bench in *folder*, on which *good* may sign."""
    signers = folder / "allowed"
    signers.write_text(good.allowed())
    root = folder / "root"
    root.mkdir()
    config = gitconfig.PrivateConfig(gitconfig.render(gitconfig.DEFAULTS))
    yield Bench(Repository(folder / "upstream"), good, other, signers, root, config)
    config.remove()
