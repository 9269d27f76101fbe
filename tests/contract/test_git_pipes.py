"""A pipe in root, which has no end, costs a sync no more than its time, nor does a link to itself."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from podmates_gitsync.hooks.memory import Memory
from podmates_gitsync.sync.acting import FAILURES
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume


def link_to_pipe(path: Path) -> None:
    pipe = path.with_name("somebody's")
    if not pipe.exists():
        os.mkfifo(pipe)
    path.symlink_to("somebody's")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


KINDS = {"pipe": os.mkfifo, "link to a pipe": link_to_pipe, "link to itself": link_to_itself}
PLACES = [
    *("worktrees/{commit}/HEAD", "worktrees/{commit}/index", "worktrees/{commit}/info/sparse-checkout"),
    *("FETCH_HEAD", "ORIG_HEAD", "logs/HEAD", "refs/heads/git-sync"),
    *("podmates/tmp", "podmates/lock", "podmates/collected"),
]


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Cut off what waits for ever."""

    def stop(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(("place", "make"), list(zip(PLACES, itertools.cycle(KINDS.values()), strict=False)))
def test_the_next_commit_is_published_all_the_same(
    volume: Volume, upstream: Repository, place: str, make: Callable[[Path], object]
) -> None:
    volume.sync()
    for restarted in (False, True):
        commit = volume.tree().name
        path = volume.root / ".git" / place.format(commit=commit)
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        if path.is_dir():
            path.rmdir()
        make(path)
        upstream.commit({"a": f"after {commit}"})
        if restarted:
            volume.restart()
        try:
            volume.sync(2)
        except FAILURES:  # git itself waited
            volume.sync()

        assert volume.files() == {"a": f"after {commit}"}


def test_a_repository_is_started_anew_with_a_directory_in_the_place_of_our_size(volume: Volume) -> None:
    volume.sync()
    folder = volume.root / ".git"
    (folder / "podmates" / "collected").unlink(missing_ok=True)
    (folder / "podmates" / "collected" / "somebody's").mkdir(parents=True)
    (folder / "config").write_text("[broken")
    volume.restart()
    volume.sync()

    assert volume.files() == {"a": "1"}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
def test_what_a_hook_was_told_is_remembered_all_the_same(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    folder = tmp_path / ".git" / "podmates" / "hooks"
    folder.mkdir(parents=True)
    make(folder / "exechook")
    make(folder / "exechook.new")
    memory = Memory(tmp_path, "exechook")

    assert memory.told("1") == "1"
    assert memory.told("2") == "1"
