"""Killed at any step of a sync, the next process takes over; the link names a complete tree all the while."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.processes import children
from tests.support.waiting import pause

FILES = 300
# Each git command of a sync with a change, by its first words.
STEPS = [
    "fetch",
    "rev-parse FETCH_HEAD",
    "reset --soft",
    "worktree add",
    "reset --hard",
    "worktree prune",
    "gc",
]


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({f"d{number % 7}/f{number}": "0" for number in range(FILES)})
    return repository


def complete(link: Path) -> str:
    """Return the one text that all files of the published tree hold; fail unless all are there."""
    tree = link.resolve(strict=True)
    texts = [path.read_text() for path in tree.rglob("f*") if path.is_file()]
    assert len(texts) == FILES
    assert len(set(texts)) == 1
    return texts[0]


def change(upstream: Repository, text: str) -> str:
    return upstream.commit({f"d{number % 7}/f{number}": text for number in range(FILES)})


def kill(process: Gitsync, *, children_too: bool) -> None:
    """End it without a chance to clean up; its git may live on, as it does when a container is not ended."""
    if children_too:
        for pid in [process.pid, *children(process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    else:
        process.send(signal.SIGKILL)
    process.wait(30)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_around_each_git_command_is_healed_by_the_next_process(
    tmp_path: Path, upstream: Repository, step: str, when: str
) -> None:
    with Gitsync(tmp_path, upstream.url, "--one-time") as process:
        assert process.wait(60) == 0
    change(upstream, "1")
    wrapper, armed = tmp_path / "killing-git", tmp_path / "armed"
    run, end = '/usr/bin/env git "$@"', 'rm -f "$armed"; kill -9 $PPID'
    body = f"{end}; exec {run}" if when == "before" else f"{run}; status=$?; {end}; exit $status"
    case = f'case "$*" in "{step}"*) [ -e "$armed" ] && {{ {body}; }};; esac'
    wrapper.write_text(f"#!/bin/sh\narmed={armed}\n{case}\nexec {run}\n")
    wrapper.chmod(0o755)
    armed.touch()
    with Gitsync(tmp_path, upstream.url, "--one-time", f"--git={wrapper}") as process:
        assert process.wait(60) == -signal.SIGKILL
        assert complete(process.link) in {"0", "1"}
    assert not armed.exists()
    commit = change(upstream, "2")
    with Gitsync(tmp_path, upstream.url, "--one-time") as process:
        assert process.wait(60) == 0, process.output

        assert process.published() == commit
        assert complete(process.link) == "2"
        assert os.listdir(process.root / ".worktrees") == [commit]
        assert sorted(os.listdir(process.root)) == [".git", ".worktrees", "link"]


@pytest.mark.parametrize("children_too", [True, False], ids=["with its git", "git lives on"])
def test_kills_at_random_moments_never_wedge_it(
    tmp_path: Path, upstream: Repository, children_too: bool
) -> None:
    chance = random.Random(7)
    rounds = 1000 if os.environ.get("SOAK") == "1" else 12
    for number in range(rounds):
        commit = change(upstream, str(number))
        with Gitsync(tmp_path, upstream.url, "--period=10ms") as process:
            if number:
                process.wait_line('"level":0', count=chance.randint(1, 7))
                pause(chance.random() * 0.08)  # anywhere in the sync, that is the point
                kill(process, children_too=children_too)
                assert complete(process.link).isdigit()
            else:
                process.wait_published(commit)
                kill(process, children_too=children_too)
    with Gitsync(tmp_path, upstream.url, "--one-time") as process:
        assert process.wait(120) == 0, process.output
        assert process.published() == commit
        assert complete(process.link) == str(rounds - 1)
