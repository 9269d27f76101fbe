"""Killed at any step of a sync, the next sync takes over; the link names a complete tree all the while."""

from __future__ import annotations

import itertools
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.killing_git import CALLS, Kill, KillingGit
from tests.support.moving import below, files_below
from tests.support.waiting import pause, until

SOAK = os.environ.get("SOAK") == "1"
KILLS = int(os.environ.get("KILLS", "1000")) if SOAK else 2  # in each mode
MODES = {
    "as git-sync": [],
    "gate": ["--pre-publish-exechook-command=true", "--pre-publish-exechook-mode=gate"],
    "link": ["--publish=link"],
    "mirror": ["--mirror-dir={folder}/mirror"],
}
FILES = 110  # more than git's unpackLimit, so that whole packs come, too
# Each git command of a sync with a change, by its first words.
STEPS = [
    "fetch",
    "rev-parse FETCH_HEAD",
    "reset --soft",
    "worktree add",
    "reset --hard",
    "read-tree",
    "worktree prune",
    "reflog",
    "gc",
]


class Patient:
    """A volume with the process that works on it, and what each commit is known to hold."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder, self.flags = folder, [flag.format(folder=folder) for flag in flags]
        self.mirror = folder / "mirror"  # in some modes
        self.upstream = Repository(folder / "upstream")
        self.killer = KillingGit(folder / "killer")
        self.last = "nothing"  # what was done to it, for messages
        self.contents: dict[str, dict[str, str]] = {}
        self._names = [f"d{number % 7}/e{number % 3}/f{number}" for number in range(FILES)]
        self._files: dict[str, str] = {}
        self.commit = self.change(0)
        self.process: Gitsync | None = None

    def change(self, number: int) -> str:
        """Commit and push: all files in every third change, else three of them."""
        names = self._names[number % FILES :][:3] if number % 3 else self._names
        changed = {name: f"{number} {name}" for name in names}
        self._files = {**self._files, **changed}
        self.commit = self.upstream.commit(changed)
        self.contents[self.commit] = self._files
        return self.commit

    def start(self) -> Gitsync:
        """Start a process; its first sync comes at once, others on a signal."""
        own = ["--period=1h", "-v=2", "--max-failures=-1", "--sync-on-signal=SIGUSR1"]
        self.process = Gitsync(self.folder, self.upstream.url, *own, f"--git={self.killer.path}", *self.flags)
        return self.process

    def heal(self) -> None:
        """Have the newest commit published, by the process that lives or by the next one."""
        self.killer.disarm()
        if self.process is None or self.process.returncode is not None:
            self.close()
            process, before = self.start(), 0
        else:
            process, before = self.process, syncs(self.process)
            process.send(signal.SIGUSR1)
        until(lambda: syncs(process) > before or process.returncode is not None, 60, "a sync to end")
        if process.returncode is not None:
            process.wait()  # for all of its output
        assert process.returncode is None, f"after {self.last}: {process.output}"
        assert process.published() == self.commit, f"after {self.last}: {process.output}"
        self.check()
        assert os.listdir(process.root / ".worktrees") == [self.commit], (
            f"after {self.last}: {process.output}"
        )
        assert not leftovers(process.root), f"after {self.last}: {process.output}"
        if any("--mirror-dir" in flag for flag in self.flags):
            assert contents(self.mirror) == self.contents[self.commit], f"after {self.last}: {process.output}"

    def strike(self, kill: Kill, number: int) -> bool:
        """Let *kill* happen during the sync of a change; return whether it did."""
        self.last = f"{kill} in change {number}"
        self.killer.arm(kill)
        self.change(number)
        process = self.process
        assert process is not None
        before = syncs(process)
        process.send(signal.SIGUSR1)
        until(lambda: process.returncode is not None or syncs(process) > before, 60, f"{kill} to end a sync")
        self.check()
        killed = process.returncode is not None or self.killer.outcome() == "killed"
        if kill.victim == "caller" and not killed:
            process.close()  # strace would go on counting, and kill it in a later sync
        return killed

    def check(self) -> None:
        """Fail unless the link names a tree that is its commit, file by file."""
        assert self.process is not None
        tree = self.process.link.resolve(strict=True)
        assert contents(tree) == self.contents[tree.name]

    def close(self) -> None:
        if self.process is not None:
            self.process.close()


def contents(folder: Path) -> dict[str, str]:
    """Return the files of a tree, except those that say what it is."""
    found = {str(path.relative_to(folder)): path for path in files_below(folder)}
    return {name: path.read_text() for name, path in found.items() if not name.startswith(".")}


def syncs(process: Gitsync) -> int:
    return process.stderr.count('"next sync"')


def leftovers(root: Path) -> list[str]:
    """Return what killed processes left below *root* and nobody needs.

    A lock in the memory of a worktree stays for a while where it may be a hook's: until it is old.
    """
    git = root / ".git"
    odd = [*below(git, "*.lock"), *below(git, "tmp_*"), *below(git, "gc.pid")]
    odd = [path for path in odd if git / "worktrees" not in path.parents]
    odd += [path for path in root.iterdir() if path.name not in {".git", ".worktrees", "link"}]
    return [str(path) for path in odd]


def candidates() -> Iterator[Kill]:
    """Yield every place to kill at: all kinds of calls of all commands, the n-th of each before the next.

    Where a command makes fewer calls than that it is spared, and the places after that one are left out.
    """
    for number in range(1, 60):
        for command, calls, victim in itertools.product(STEPS, CALLS, ("git", "all")):
            yield Kill(command, calls, number, victim)
        for calls in ("rename", "link", "unlink", "mkdir", "write"):
            yield Kill("fetch", calls, number, "caller")  # from the fetch on, to the end of the cleaning


@pytest.mark.parametrize("flags", MODES.values(), ids=MODES.keys())
def test_a_kill_at_any_system_call_is_healed_by_the_next_sync(tmp_path: Path, flags: list[str]) -> None:
    places = list(candidates())
    if not SOAK:  # another sample each time, of the calls that all commands make
        places = [kill for kill in places if kill.number <= 2 and (kill.victim, kill.number) != ("caller", 2)]
        random.shuffle(places)
    patient = Patient(tmp_path, *flags)
    spared: set[tuple[str, ...]] = set()
    done = number = 0
    try:
        patient.heal()
        while done < KILLS:
            for kill in places:
                if (kill.command, kill.calls, kill.victim) in spared or done >= KILLS:
                    continue
                number += 1
                if patient.strike(kill, number):
                    done += 1
                else:
                    spared.add((kill.command, kill.calls, kill.victim))
                patient.heal()
            spared.clear()  # a soak goes through all of it again, with other changes
    finally:
        patient.close()


def test_a_git_that_outlives_its_killed_gitsync_is_waited_for(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    rounds = 60 if SOAK else 2
    try:
        for number in range(1, rounds + 1):
            patient.heal()
            patient.change(number)
            process = patient.process
            assert process is not None
            process.send(signal.SIGUSR1)
            process.wait_line(r'"update required"|"syncing"', count=2 + number % 2)
            pause(random.random() * 0.1)  # anywhere in the sync, that is the point
            process.send(signal.SIGKILL)
            process.wait(30)
            patient.check()
        patient.heal()
    finally:
        patient.close()
