"""A mirror whose process dies at any system call, or meets an error there, is carried on by the next one."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.mirror_trees import mirror, tree
from tests.support.mirrored import content

FIRST = {"a": "1", "b/c": "1", "b/d": "1", "up": "1", "x/y/z": "1", "same": "1"}
SECOND = {"a": "2", "b": "now a file", "up/file": "2", "new/file": "2", "l": "→ a", "same": "1"}
THIRD = {"a": "3", "b": "→ up", "up": "3", "new/other": "3", "same": "1"}
CALLS = ("write", "copy_file_range", "rename", "unlink", "mkdir", "rmdir", "symlink")
NOW = float("inf")
STRIDE = 1 if os.environ.get("SOAK") == "1" else 3  # from one call to the next that is tried


class Interruption:
    """Does something in place of, or after, the n-th system call that changes something."""

    def __init__(self, number: int, act: Callable[[], Any], *, after: bool) -> None:
        self.count, self._number, self._act, self._after = 0, number, act, after

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.count += 1
            if self.count != self._number:
                return call(*arguments, **named)
            try:
                return call(*arguments, **named) if self._after else None
            finally:
                self._act()

        return counted


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """A target that mirrors FIRST, and a tree with SECOND."""
    target = tmp_path / "target"
    begin(target, tmp_path / "tree")
    return target, tmp_path / "tree"


def begin(target: Path, source: Path) -> None:
    tree(target, {})
    first = mirror(target)
    first.bring(tree(source, FIRST), "1", NOW)
    first.close()
    (target / "theirs").write_text("theirs")
    tree(source, SECOND)


def dies_at(number: int, target: Path, source: Path, *, after: bool) -> bool:
    """Bring the mirror in a child that is dead at its n-th call; return whether it came to that."""
    child = os.fork()
    if child == 0:
        try:
            stop = Interruption(number, lambda: os._exit(9), after=after)
            for name in CALLS:
                setattr(os, name, stop.around(getattr(os, name)))
            mirror(target).bring(source, "2", NOW)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


# The child touches nothing that another thread could hold.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("goal", [SECOND, THIRD], ids=["same commit", "newer commit"])
def test_whatever_call_it_dies_at_the_next_one_ends_it(
    places: tuple[Path, Path], after: bool, goal: dict[str, str]
) -> None:
    target, source = places
    number = 1
    while dies_at(number, target, source, after=after):
        mirror(target).bring(tree(source, goal), "3", NOW)

        assert content(target) == {**goal, "theirs": "theirs"}, number
        assert folders(target) == folders(source), number
        assert not list(target.rglob("*.tmp")), number
        number += STRIDE
        begin(target, source)

    assert number > 30


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_whatever_call_fails_the_next_try_ends_it(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    target, source = places

    def fail() -> None:
        raise OSError(code, os.strerror(code))

    number, ended = 1, False
    while not ended:
        ours = mirror(target)
        stop = Interruption(number, fail, after=False)
        with monkeypatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, stop.around(getattr(os, name)))
            try:
                ours.bring(source, "2", NOW)
                ended = stop.count < number
            except OSError as error:
                assert error.errno == code  # noqa: PT017
        ours.bring(source, "2", NOW)
        ours.close()

        assert content(target) == {**SECOND, "theirs": "theirs"}, number
        assert folders(target) == folders(source), number
        assert not list(target.rglob("*.tmp")), number
        number += STRIDE
        begin(target, source)

    assert number > 30


def folders(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()}
