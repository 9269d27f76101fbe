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
    link = folder / "link"
    hooks = Hooks(lambda change: told.append(f"before {named(link)}"), lambda change: None, lambda: None)
    repository, trees = Repository(folder, git, log), Worktrees(folder, git, log, Recipe())
    admission = Admission(folder, rules, log)
    return Actor(repository, trees, link, git=git, log=log, hooks=hooks, admission=admission)


def named(link: Path) -> str:
    return os.path.basename(os.readlink(link)) if link.is_symlink() else "nothing"


@pytest.mark.parametrize("refuses", [False, True], ids=["published", "refused"])
def test_the_gate_comes_before_the_link_and_its_time_is_not_the_syncs(tmp_path: Path, refuses: bool) -> None:
    told: list[str] = []
    git = Git("git", {}, Log(stream=io.StringIO()), Running())
    git.deadline = before = 1e9
    tree = tmp_path / ".worktrees" / CHANGE.commit
    tree.mkdir(parents=True)

    def gate(path: Path, change: Change) -> None:
        assert (path, change) == (tree, CHANGE)
        told.append(f"gate {named(tmp_path / 'link')}")
        pause(SECONDS)
        if refuses:
            raise Refused(change.commit, "hook", "no")

    acting = actor(tmp_path, Rules(gate=gate), told, git)
    if refuses:
        with pytest.raises(Refused):
            acting.apply([Publish(str(tree))], CHANGE)
        assert not tree.exists()
        assert told == ["gate nothing"]
    else:
        acting.apply([Publish(str(tree))], CHANGE)
        assert os.readlink(tmp_path / "link") == f".worktrees/{CHANGE.commit}"
        assert told == ["gate nothing", "before nothing"]
    assert git.deadline >= before + SECONDS * 0.9


def test_the_pre_publish_hook_is_started_before_the_link_names_the_commit(tmp_path: Path) -> None:
    told: list[str] = []
    acting = actor(tmp_path, Rules(), told, Git("git", {}, Log(stream=io.StringIO()), Running()))
    for commit in ("a" * 40, "b" * 40):
        acting.apply([Publish(str(tmp_path / ".worktrees" / commit))], Change(commit))

    assert told == ["before nothing", f"before {'a' * 40}"]
    assert named(tmp_path / "link") == "b" * 40
