"""A refusal leaves the volume as it was, over real git, also when what is published is damaged."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from podmates_gitsync.errors import Refused
from podmates_gitsync.hooks.change import Change
from podmates_gitsync.hooks.runner import HookNotRun
from podmates_gitsync.sync.admission import Rules
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume


class Gate:
    """Refuses what it was told to, and remembers what it was asked and what was published then."""

    def __init__(self) -> None:
        self.asked: list[tuple[Path, Change]] = []
        self.bad: set[str] = set()
        self.broken = False

    def admit(self, tree: Path, change: Change) -> None:
        self.asked.append((tree, change))
        assert (tree / "a").read_text()
        if self.broken:
            raise HookNotRun("not found")
        if change.commit in self.bad:
            raise Refused(change.commit, "hook", "exit status 1")


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def volume(tmp_path: Path, upstream: Repository, gate: Gate) -> Iterator[Volume]:
    made = Volume(tmp_path, upstream)
    made.rules = Rules(gate=gate.admit)
    made.restart()
    yield made
    made.close()


def force(volume: Volume) -> None:
    volume.syncer.sync(time.monotonic() + 60, forgiving=True)


def test_the_gate_is_asked_for_each_change_with_its_files(
    volume: Volume, upstream: Repository, gate: Gate
) -> None:
    first = upstream.head()
    volume.sync()
    second = upstream.commit({"a": "2", "b": "1"})
    volume.sync()
    volume.sync()
    volume.restart()
    volume.sync()

    trees = volume.root / ".worktrees"
    assert gate.asked == [
        (trees / first, Change(first)),
        (trees / second, Change(second, first, b"M\0a\0A\0b\0")),
    ]


def test_a_refused_commit_is_fetched_once_and_leaves_no_tree(
    volume: Volume, upstream: Repository, gate: Gate
) -> None:
    volume.sync()
    published = volume.tree()
    bad = upstream.commit({"a": "bad"})
    gate.bad.add(bad)
    for _ in range(3):
        with pytest.raises(Refused):
            volume.sync()
        volume.syncer.hold()

    assert len(gate.asked) == 2
    assert volume.tree() == published
    assert volume.files() == {"a": "1"}
    assert [path.name for path in published.parent.iterdir()] == [published.name]
    assert volume.handed[-1] == ("after", published.name)

    with pytest.raises(Refused):
        force(volume)
    assert len(gate.asked) == 3
    gate.bad.clear()
    force(volume)
    assert volume.files() == {"a": "bad"}


def test_a_ref_that_goes_back_to_what_is_published_is_no_refusal(
    volume: Volume, upstream: Repository, gate: Gate
) -> None:
    good = upstream.head()
    volume.sync()
    gate.bad.add(upstream.commit({"a": "bad"}))
    with pytest.raises(Refused):
        volume.sync()
    bad = upstream.head()
    upstream.git("reset", "--quiet", "--hard", good)
    upstream.push()
    assert not volume.sync().changed
    upstream.git("reset", "--quiet", "--hard", bad)
    upstream.push()
    with pytest.raises(Refused):
        volume.sync()

    assert len(gate.asked) == 2


def test_a_damaged_tree_is_replaced_by_one_that_passed_the_gate(
    volume: Volume, upstream: Repository, gate: Gate
) -> None:
    volume.sync()
    (volume.tree() / ".git").unlink()
    volume.sync()

    assert volume.files() == {"a": "1"}
    assert {tree.name for tree, _ in gate.asked} == {upstream.head()}
    assert volume.tree() == gate.asked[-1][0]


def test_a_damaged_tree_stays_when_the_gate_refuses_its_replacement(
    volume: Volume, upstream: Repository, gate: Gate
) -> None:
    volume.sync()
    (volume.tree() / ".git").unlink()
    gate.bad.add(upstream.head())
    for _ in range(2):
        with pytest.raises(Refused):
            volume.sync()
        volume.syncer.hold()

    assert volume.files() == {"a": "1"}


def test_a_gate_that_cannot_say_is_asked_again(volume: Volume, upstream: Repository, gate: Gate) -> None:
    gate.broken = True
    for number in (1, 2):
        with pytest.raises(HookNotRun):
            volume.sync()
        assert len(gate.asked) == number
    gate.broken = False
    volume.sync()

    assert volume.files() == {"a": "1"}


def test_refusals_without_end_do_not_fill_the_volume(
    volume: Volume, upstream: Repository, gate: Gate
) -> None:
    """Objects of refused commits go as those of published ones do."""
    volume.restart("--git-gc=always", "--one-time")  # one that collects at once
    volume.sync()
    sizes = []
    for number in range(6):
        gate.bad.add(upstream.commit({"a": str(number), "big": bytes([number]) + _noise(number)}))
        with pytest.raises(Refused):
            volume.sync()
        sizes.append(sum(p.stat().st_size for p in (volume.root / ".git/objects").rglob("*") if p.is_file()))

    assert max(sizes[2:]) < 2.5 * sizes[0]


def _noise(seed: int) -> bytes:
    return random.Random(seed).randbytes(200_000)


def test_a_refusal_survives_a_repository_that_is_made_anew(
    volume: Volume, upstream: Repository, gate: Gate
) -> None:
    volume.sync()
    gate.bad.add(upstream.commit({"a": "bad"}))
    with pytest.raises(Refused):
        volume.sync()
    for entry in (volume.root / ".git").iterdir():
        if entry.name not in {"podmates", "worktrees"}:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    with pytest.raises(Refused):
        volume.sync()

    assert len(gate.asked) == 2
    assert volume.files() == {"a": "1"}
