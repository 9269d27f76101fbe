"""A volume that a syncer of ours keeps in step with an upstream repository, within the test's process."""

from __future__ import annotations

import io
import itertools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from podmates_gitsync.flags.load import Loader
from podmates_gitsync.git import gitconfig
from podmates_gitsync.git.commands import Git
from podmates_gitsync.hooks.change import Change, Hooks
from podmates_gitsync.mirror import place
from podmates_gitsync.mirror.mirror import Mirror
from podmates_gitsync.programs import Running
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.sync.admission import Rules
from podmates_gitsync.sync.syncer import Synced, Syncer
from tests.support.git_repo import Repository


class Volume:
    """A root with its syncer; `restart` is a new process on the same volume."""

    def __init__(self, folder: Path, upstream: Repository) -> None:
        self.root, self.upstream = folder / "root", upstream
        self.root.mkdir()
        self.link = self.root / "link"
        self.log = io.StringIO()
        self.handed: list[tuple[str, str]] = []
        self.told: list[Change] = []  # what those who follow the link heard
        self.remembered = ""  # the commit that the hooks of the next process remember
        self.updates = 0  # that were counted
        self.before_the_link: Callable[[], object] = lambda: None
        self.rules = Rules()  # of the next process
        self._config = gitconfig.PrivateConfig(gitconfig.render(gitconfig.DEFAULTS))
        self.syncer = self.process()

    def restart(self, *flags: str) -> None:
        self.syncer.close()
        self.syncer = self.process(*flags)

    def process(self, *flags: str) -> Syncer:
        log = Log(5, stream=self.log)
        settings = Loader({}).command([f"--repo={self.upstream.url}", "--root=/unused", *flags]).settings
        hooks = Hooks(self._before, self._after, self._updated, told=lambda: self.remembered)
        git = Git("git", gitconfig.additions(self._config.path, "ssh"), log, Running())
        target = place.make(settings.mirror_dir, self.root) if settings.mirror_dir else None
        local = settings.mirror_local_changes
        mirror = Mirror(target, local_changes=local, git=git, log=log) if target else None
        return Syncer(
            settings, self.root, self.link, git=git, log=log, hooks=hooks, rules=self.rules, mirror=mirror
        )

    def _before(self, change: Change) -> None:
        self.handed.append(("before", change.commit))
        self.before_the_link()

    def _after(self, change: Change) -> None:
        self.handed.append(("after", change.commit))
        self.told.append(change)

    def _updated(self) -> None:
        self.updates += 1

    def sync(self, seconds: float = 60) -> Synced:
        synced = self.syncer.sync(time.monotonic() + seconds)
        self.syncer.clean(synced.commit)
        return synced

    def tree(self) -> Path:
        return self.root / os.readlink(self.link)

    def files(self) -> dict[str, str]:
        tree = self.link.resolve(strict=True)
        found = {str(path.relative_to(tree)): path.read_text() for path in tree.rglob("*") if path.is_file()}
        return {name: text for name, text in found.items() if name != ".git"}

    def close(self) -> None:
        self.syncer.close()
        self._config.remove()


def each_way(table: dict[str, Any]) -> list[tuple[str, str]]:
    """Return every name with both ways to go on; outside a soak with one, in turn."""
    ways = ("running", "restarted")
    if os.environ.get("SOAK") == "1":
        return list(itertools.product(table, ways))
    return [(name, ways[number % 2]) for number, name in enumerate(table)]


def commands(volume: Volume) -> list[str]:
    lines = [json.loads(line) for line in volume.log.getvalue().splitlines()]
    return [line["cmd"] for line in lines if line["msg"] == "running command"]
