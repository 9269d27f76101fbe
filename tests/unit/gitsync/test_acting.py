"""What happens around the moment in which a tree is published."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from podmates_gitsync.errors import Refused
from podmates_gitsync.git.commands import Git
from podmates_gitsync.git.repository import Repository
from podmates_gitsync.hooks.change import Change, Hooks
from podmates_gitsync.programs import Running
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.sync.acting import Actor
from podmates_gitsync.sync.admission import Admission, Rules
from podmates_gitsync.sync.plan import Publish
from podmates_gitsync.trees.recipe import Recipe
from podmates_gitsync.trees.worktrees import Worktrees
from tests.support.waiting import pause

CHANGE = Change("a" * 40)
SECONDS = 0.05  # that the gate takes


def actor(folder: Path, rules: Rules, told: list[str], git: Git) -> Actor:
    log = Log(stream=io.StringIO())
    hooks = Hooks(lambda change: told.append("before"), lambda change: None, lambda: None)
    repository, trees = Repository(folder, git, log), Worktrees(folder, git, log, Recipe())
    admission = Admission(folder, rules, log)
    return Actor(repository, trees, folder / "link", git=git, log=log, hooks=hooks, admission=admission)


@pytest.mark.parametrize("refuses", [False, True], ids=["published", "refused"])
def test_the_gate_comes_before_the_link_and_its_time_is_not_the_syncs(tmp_path: Path, refuses: bool) -> None:
    told: list[str] = []
    git = Git("git", {}, Log(stream=io.StringIO()), Running())
    git.deadline = before = 1e9
    tree = tmp_path / ".worktrees" / CHANGE.commit
    tree.mkdir(parents=True)

    def gate(path: Path, change: Change) -> None:
        assert (path, change) == (tree, CHANGE)
        told.append(f"gate {(tmp_path / 'link').is_symlink()}")
        pause(SECONDS)
        if refuses:
            raise Refused(change.commit, "hook", "no")

    acting = actor(tmp_path, Rules(gate=gate), told, git)
    if refuses:
        with pytest.raises(Refused):
            acting.apply([Publish(str(tree))], CHANGE)
        assert not tree.exists()
        assert told == ["gate False"]
    else:
        acting.apply([Publish(str(tree))], CHANGE)
        assert os.readlink(tmp_path / "link") == f".worktrees/{CHANGE.commit}"
        assert told == ["gate False", "before"]
    assert git.deadline >= before + SECONDS * 0.9
