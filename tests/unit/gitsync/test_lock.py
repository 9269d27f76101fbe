"""Root has one writer, and a child that inherited the lock counts as one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

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


@pytest.mark.skipif(os.geteuid() != 0, reason="root is needed to become somebody else")
def test_where_the_group_may_write_its_members_take_turns() -> None:
    """A volume outlives the user whom its pod runs as: with `--group-write` only the group is the same."""
    code = (
        "from podmates_gitsync.git.lock import RootLock; import os, pathlib, sys;"  # readable still
        "os.umask(0o002); os.setgroups([]); os.setgid(65533); os.setuid(int(sys.argv[1]));"
        "sys.exit(0 if RootLock(pathlib.Path(sys.argv[2])).take() else 1)"
    )
    with tempfile.TemporaryDirectory() as name:  # pytest's own directories are closed to others
        os.chown(name, 65533, 65533)
        os.chmod(name, 0o2775)
        for user in ("65533", "65534"):
            subprocess.run([sys.executable, "-c", code, user, name], check=True, timeout=60)
