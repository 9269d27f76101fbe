"""Syncs that fail for a long time after the checkout: the volume stays as small as while they went well."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from podmates_gitsync.errors import Refused
from podmates_gitsync.git.commands import GitError
from podmates_gitsync.hooks.change import Change
from podmates_gitsync.hooks.runner import HookError, HookNotRun
from podmates_gitsync.sync.admission import Rules
from podmates_gitsync.trees import publish
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume, commands
from tests.support.mirrored import content

COMMITS = 5
FAILURES = (GitError, OSError, HookError)


class Gate:
    """A gate that is broken, or closed, on demand."""

    def __init__(self) -> None:
        self.asked: list[Change] = []
        self.broken = False
        self.bad: set[str] = set()

    def admit(self, tree: Path, change: Change) -> None:
        self.asked.append(change)
        if self.broken:
            raise HookNotRun("not found")
        if change.commit in self.bad:
            raise Refused(change.commit, "hook", "exit status 1")


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1", "b": "1"})
    return repository


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


@pytest.fixture
def volume(tmp_path: Path, upstream: Repository, gate: Gate, mirror: Path) -> Iterator[Volume]:
    """Collects garbage whenever something has gone."""
    made = Volume(tmp_path, upstream)
    made.rules = Rules(gate=gate.admit)
    made.restart(f"--mirror-dir={mirror}", "--mirror-local-changes=fail", "--git-gc=always", "--one-time")
    yield made
    made.close()


def fails(volume: Volume, times: int = 2) -> None:
    for _ in range(times):
        with pytest.raises(FAILURES):
            volume.sync()
        volume.syncer.hold()


def trees(volume: Volume) -> set[str]:
    return {path.name for path in (volume.root / ".worktrees").iterdir()}


def size(volume: Volume) -> int:
    return sum(p.stat().st_size for p in (volume.root / ".git" / "objects").rglob("*") if p.is_file())


def checkouts(volume: Volume) -> int:
    return sum("worktree add" in command for command in commands(volume))


def noise(seed: int) -> str:
    return random.Random(seed).randbytes(100_000).hex()


def break_mirror(volume: Volume, mirror: Path, gate: Gate) -> None:
    (mirror / "a").write_text("local")


def break_gate(volume: Volume, mirror: Path, gate: Gate) -> None:
    gate.broken = True


def break_writing(volume: Volume, mirror: Path, gate: Gate) -> None:
    """Somebody changes a file between the look at the mirror and the writing of it, each time."""
    volume.before_the_link = lambda: break_mirror(volume, mirror, gate)


BROKEN = {"mirror": break_mirror, "gate": break_gate, "writing the mirror": break_writing}


@pytest.mark.parametrize("what", BROKEN)
def test_a_failure_that_lasts_leaves_one_tree_and_few_objects(
    volume: Volume, upstream: Repository, mirror: Path, gate: Gate, what: str
) -> None:
    volume.sync()
    first = volume.tree().name
    BROKEN[what](volume, mirror, gate)
    sizes = []
    for number in range(COMMITS):
        newest = upstream.commit({"a": f"{number} {noise(number)}"})
        if what == "writing the mirror":
            (mirror / "a").write_text("1")  # so that the link moves, and it fails only then
        fails(volume)
        sizes.append(size(volume))

        moved = what == "writing the mirror"
        assert volume.tree().name == (newest if moved else first)
        assert trees(volume) == ({newest} if moved else {first, newest})
    assert checkouts(volume) == 1 + COMMITS
    assert max(sizes) < 2.5 * sizes[0]


def test_a_checkout_that_cannot_be_ended_leaves_few_objects(volume: Volume, upstream: Repository) -> None:
    upstream.commit({".gitattributes": "* filter=broken\n"})
    volume.sync()
    first = volume.tree().name
    volume.syncer._git.run(["config", "filter.broken.smudge", "false"], volume.root)
    volume.syncer._git.run(["config", "filter.broken.required", "true"], volume.root)
    sizes = []
    for number in range(COMMITS):
        upstream.commit({"a": f"{number} {noise(number)}"})
        fails(volume, times=1)
        sizes.append(size(volume))

        assert trees(volume) == {first}
    assert max(sizes) < 2.5 * sizes[0]


def test_a_process_that_ends_at_its_first_failure_leaves_no_tree_for_each(
    volume: Volume, upstream: Repository, gate: Gate
) -> None:
    volume.sync()
    gate.broken = True
    for number in range(3):
        newest = upstream.commit({"a": f"{number}"})
        volume.restart()
        fails(volume, times=1)

    assert trees(volume) == {volume.tree().name, newest}


def test_a_tree_that_waits_is_used_as_it_is(volume: Volume, upstream: Repository, gate: Gate) -> None:
    volume.sync()
    gate.broken = True
    newest = upstream.commit({"a": "2"})
    fails(volume)
    waiting = (volume.root / ".worktrees" / newest).stat().st_ino
    gate.broken = False
    volume.sync()

    assert volume.tree().stat().st_ino == waiting
    assert volume.files() == {"a": "2", "b": "1"}
    assert checkouts(volume) == 2
    assert volume.updates == 2


def test_a_tree_that_waited_goes_when_the_ref_goes_back(
    volume: Volume, upstream: Repository, gate: Gate
) -> None:
    volume.sync()
    first = upstream.head()
    gate.broken = True
    upstream.commit({"a": "2"})
    fails(volume)
    upstream.git("reset", "--quiet", "--hard", first)
    upstream.push()
    volume.sync()

    assert trees(volume) == {first}
    assert volume.updates == 1


def test_nothing_moves_before_the_mirror_can_follow(
    volume: Volume, upstream: Repository, mirror: Path, gate: Gate
) -> None:
    volume.sync()
    first = upstream.head()
    break_mirror(volume, mirror, gate)
    second = upstream.commit({"b": "2"})
    fails(volume, times=3)

    assert volume.syncer.published() == first
    assert content(mirror) == {"a": "local", "b": "1"}
    assert volume.handed == [("before", first), ("after", first)]
    assert volume.updates == 1
    assert len(gate.asked) == 2  # once for each commit

    (mirror / "a").write_text("1")
    assert volume.sync().changed
    assert volume.told[-1] == Change(second, first, b"M\0b\0")
    assert content(mirror) == {"a": "1", "b": "2"}
    assert (volume.updates, len(gate.asked)) == (2, 2)


def test_a_mirror_that_fails_half_way_is_owed_to_the_hooks_with_all_files(
    volume: Volume, upstream: Repository, mirror: Path, gate: Gate
) -> None:
    volume.sync()
    first = upstream.head()
    break_writing(volume, mirror, gate)
    second = upstream.commit({"a": "2"})
    fails(volume, times=3)
    assert volume.syncer.published() == second
    assert volume.updates == 2  # one for each time that the link was replaced
    third = upstream.commit({"b": "3"})
    fails(volume)
    assert volume.syncer.published() == second  # the next one waits
    assert [change.commit for change in volume.told] == [first]

    volume.before_the_link = lambda: None
    (mirror / "a").write_text("1")
    assert volume.sync().changed
    assert volume.told[1:] == [Change(third, first, b"M\0a\0M\0b\0")]
    assert content(mirror) == {"a": "2", "b": "3"}
    assert volume.updates == 3


def test_what_is_owed_for_one_commit_is_told_once(
    volume: Volume, upstream: Repository, mirror: Path, gate: Gate
) -> None:
    volume.sync()
    first = upstream.head()
    break_writing(volume, mirror, gate)
    second = upstream.commit({"a": "2"})
    fails(volume)
    (mirror / "a").write_text("1")
    assert volume.sync().changed
    assert not volume.sync().changed

    assert volume.told == [Change(first), Change(second, first, b"M\0a\0")]
    assert volume.updates == 2


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_the_mirror_gets_what_stays_published_when_the_next_commit_is_refused(
    volume: Volume, upstream: Repository, mirror: Path, gate: Gate, restarted: bool
) -> None:
    volume.sync()
    break_writing(volume, mirror, gate)
    second = upstream.commit({"a": "2"})
    fails(volume)
    (mirror / "a").write_text("1")
    gate.bad.add(upstream.commit({"a": "bad"}))
    if restarted:
        volume.restart(f"--mirror-dir={mirror}")
    with pytest.raises(Refused):
        volume.sync()

    assert volume.syncer.published() == second
    assert content(mirror) == {"a": "2", "b": "1"}
    assert volume.told[-1].commit == second


def test_what_was_prepared_for_one_tree_is_not_done_with_another(
    volume: Volume, upstream: Repository, mirror: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link cannot be replaced once the mirror is prepared, and the commit after that is refused."""
    volume.sync()
    break_writing(volume, mirror, gate)
    upstream.commit({"a": "2"})
    fails(volume)
    (mirror / "a").write_text("1")
    volume.before_the_link = lambda: None
    with monkeypatch.context() as patch:
        patch.setattr(publish, "publish", lambda link, tree: link.mkdir())
        upstream.commit({"c": "3"})
        fails(volume)
    gate.bad.add(upstream.commit({"a": "bad"}))
    with pytest.raises(Refused):
        volume.sync()

    assert content(mirror) == {"a": "2", "b": "1"}


def test_closing_twice_is_closing_once(volume: Volume) -> None:
    volume.sync()
    volume.syncer.close()
    volume.syncer.close()
    volume.syncer.hold()  # root may be another's by now: nothing is touched

    other = volume.process("--mirror-dir=" + str(volume.root.parent / "mirror"))
    assert volume.handed
    other.close()
