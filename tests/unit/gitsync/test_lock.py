"""Root has one writer, and a child that inherited the lock counts as one."""

from __future__ import annotations

import subprocess
from pathlib import Path

from podmates_gitsync.git.lock import RootLock


def test_the_second_one_waits_until_the_first_is_gone(tmp_path: Path) -> None:
    first, second = RootLock(tmp_path), RootLock(tmp_path)

    assert first.take()
    assert first.take()
    assert not second.take()
    assert second.held == ()
    first.release()
    assert second.take()
    second.release()


def test_a_child_that_outlives_us_keeps_it(tmp_path: Path) -> None:
    first, second = RootLock(tmp_path), RootLock(tmp_path)
    assert first.take()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=first.held) as child:
        first.release()

        assert not second.take()
        assert child.stdin is not None
        child.stdin.close()
        child.wait(30)

        assert second.take()
    second.release()


def test_a_file_that_was_replaced_is_locked_anew(tmp_path: Path) -> None:
    lock = RootLock(tmp_path)
    assert lock.take()
    lock.path.unlink()

    assert lock.take()
    assert lock.path.exists()
    assert not RootLock(tmp_path).take()
    lock.release()
