"""The pre-publish hook as a gate: what it does not end with 0 for is not published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from podmates_gitsync.errors import Refused
from podmates_gitsync.hooks.change import Change
from podmates_gitsync.hooks.runner import HookError, HookNotRun


class Runs(Protocol):
    """What the gate runs: an exechook, or a fake of it."""

    def run_in(self, tree: Path, change: Change) -> None: ...


class Gate:
    """Runs a hook and waits for it.

    Args:
        count: is told True or False for each run.
    """

    def __init__(self, hook: Runs, count: Callable[[bool], None]) -> None:
        self._hook, self._count = hook, count

    def admit(self, tree: Path, change: Change) -> None:
        """Return when *tree* may be published.

        Raises:
            Refused: the hook said no, did not end in time, or left no tree.
            HookNotRun: it could not say anything; the sync failed.
        """
        try:
            self._hook.run_in(tree, change)
        except HookNotRun:
            self._count(False)
            raise
        except HookError as error:
            self._count(False)
            raise Refused(change.commit, "hook", str(error)) from None
        said_yes = (tree / ".git").exists()  # a hook that removed what it was to look at has not
        self._count(said_yes)
        if not said_yes:
            raise Refused(change.commit, "hook", "the hook ended with 0 but left no worktree")


def open_gate(tree: Path, change: Change) -> None:
    """Let everything through."""
