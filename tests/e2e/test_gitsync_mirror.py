"""`--mirror-dir` of the running sidecar: who is told when, what it refuses, and a kill at any moment."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync, drop_in
from tests.support.mirrored import content, state
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.waiting import until
from tests.support.web import get


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1", "d/b": "1"})
    return repository


def mirrored(folder: Path, upstream: Repository, *flags: str) -> Gitsync:
    return Gitsync(folder, upstream.url, f"--mirror-dir={folder / 'mirror'}", *flags)


def test_nobody_is_told_before_the_mirror_is_done(tmp_path: Path, upstream: Repository) -> None:
    mirror, seen, touch, port = tmp_path / "mirror", tmp_path / "seen", tmp_path / "touched", free_port()
    hook = tmp_path / "hook"
    hook.write_text(f'#!/bin/sh\necho "$GITSYNC_HASH $(cat {mirror}/a)" >> {seen}\n')
    hook.chmod(0o755)
    flags = (f"--exechook-command={hook}", f"--touch-file={touch}", f"--http-bind=127.0.0.1:{port}")
    with mirrored(tmp_path, upstream, *flags, "--max-failures=-1") as process:
        until(touch.exists, 60, "the touch-file")
        first = process.published()
        until(lambda: seen.exists() and seen.read_text() == f"{first} 1\n", 60, "the hook")
        assert get(f"http://127.0.0.1:{port}/").status == 200

        touch.unlink()
        (mirror / "new").write_text("theirs, and in the way")
        second = upstream.commit({"a": "2", "new": "ours"})
        process.wait_line("the mirror .* was left as it is: new", 60)
        assert process.published() == first
        assert seen.read_text() == f"{first} 1\n"
        assert not touch.exists()

        (mirror / "new").unlink()
        until(touch.exists, 60, "the touch-file")
        until(lambda: seen.read_text() == f"{first} 1\n{second} 2\n", 60, "the hook")
        assert content(mirror) == {"a": "2", "d/b": "1", "new": "ours"}

    (mirror / "newer").write_text("theirs, and in the way")
    third = upstream.commit({"newer": "ours"})
    with mirrored(tmp_path, upstream, *flags, "--max-failures=-1") as process:
        process.wait_line("the mirror .* was left as it is: newer", 60, count=2)
        assert get(f"http://127.0.0.1:{port}/").status == 503
        (mirror / "newer").unlink()
        until(lambda: get(f"http://127.0.0.1:{port}/").status == 200, 60, "readiness")
        assert process.published() == third


@pytest.mark.parametrize(
    ("mirror", "reason"),
    [
        ("full", "neither empty nor a mirror"),
        ("root/in", "must not be one in the other"),
        (".", "must not be"),
    ],
)
def test_a_place_that_cannot_be_a_mirror_ends_it_at_once(
    tmp_path: Path, upstream: Repository, mirror: str, reason: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "theirs").write_text("theirs")
    argv = [str(drop_in(tmp_path)), f"--repo={upstream.url}", f"--root={tmp_path}/root"]
    done = run([*argv, f"--mirror-dir={tmp_path / mirror}"], env={"HOME": str(tmp_path)})

    assert done.status == 1
    assert reason in done.stderr
    assert content(tmp_path / "full") == {"theirs": "theirs"}
    assert not (tmp_path / "root" / ".git").exists()


def test_a_second_process_cannot_have_the_same_mirror(tmp_path: Path, upstream: Repository) -> None:
    with mirrored(tmp_path, upstream) as process:
        until(lambda: content(tmp_path / "mirror") == {"a": "1", "d/b": "1"}, 60, "the mirror")
        other = tmp_path / "other"
        other.mkdir()
        flags = (f"--mirror-dir={tmp_path / 'mirror'}", "--sync-timeout=10s")
        with Gitsync(other, upstream.url, *flags) as second:
            assert second.wait(60) == 1
            assert "in use by another process" in second.stderr
        assert process.returncode is None


def test_a_full_disk_leaves_each_file_old_or_new_and_is_got_over(
    tmp_path: Path, upstream: Repository
) -> None:
    """A limit of the process for the size of files stands for the disk: writes past it fail."""
    upstream.commit({"large": "x" * (4 << 20)})
    argv = [
        "/bin/sh",
        "-c",
        'ulimit -f 2048; exec "$@"',
        "sh",
        str(drop_in(tmp_path)),
        f"--repo={upstream.url}",
    ]
    mirror = tmp_path / "mirror"
    flags = [f"--root={tmp_path}/root", "--link=link", f"--mirror-dir={mirror}", "--one-time"]
    with mirrored(tmp_path, upstream, "--one-time") as first:
        assert first.wait(60) == 0
    before = state(mirror)
    upstream.commit({"a": "2", "large": "y" * (4 << 20)})
    done = run([*argv, *flags], env={"HOME": str(tmp_path)})
    assert done.status == 1, done.stderr
    assert content(mirror)["large"] == "x" * (4 << 20)
    assert state(mirror)["large"] == before["large"]

    with mirrored(tmp_path, upstream, "--one-time", "--mirror-local-changes=fail") as last:
        assert last.wait(60) == 0, last.stderr
    assert content(mirror) == {"a": "2", "d/b": "1", "large": "y" * (4 << 20)}
    assert not list(mirror.rglob("*.tmp"))


def test_killed_at_any_moment_the_next_one_carries_on(tmp_path: Path, upstream: Repository) -> None:
    """With ``fail`` a file that the one before wrote and the next does not know as ours would end it."""
    rounds = 200 if os.environ.get("SOAK") == "1" else 6
    mirror = tmp_path / "mirror"
    for number in range(rounds):
        files = {f"d{n % 7}/f{n}": f"{number}" for n in range(150)} | {f"only{number}/x": "1"}
        if number:
            files[f"only{number - 1}"] = None  # type: ignore[assignment]
        commit = upstream.commit(files)
        with mirrored(tmp_path, upstream, "--mirror-local-changes=fail") as process:
            process.wait_published(commit)
            changed = (number * 37) % 150  # the kill comes when so many files have been written
            until(
                lambda changed=changed, number=number: (  # type: ignore[misc]
                    (mirror / f"d{changed % 7}" / f"f{changed}").exists()
                    and (mirror / f"d{changed % 7}" / f"f{changed}").read_text() == str(number)
                ),
                60,
                "the mirror to get on",
            )
            process.send(signal.SIGKILL)
            process.wait(30)
            assert "somebody changed" not in process.stderr
    with mirrored(tmp_path, upstream, "--mirror-local-changes=fail", "--one-time") as process:
        assert process.wait(60) == 0, process.stderr

    assert content(mirror) == content(upstream.work)
    assert not list(mirror.rglob("*.tmp"))
