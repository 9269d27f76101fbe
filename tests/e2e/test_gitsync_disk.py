"""A full or read-only disk: what is published stays, nothing unfinished does, and it goes on by itself."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.programs import need
from tests.support.tmpfs import Tmpfs
from tests.support.waiting import until

MEBIBYTE = 1 << 20
# What does not fit into six mebibytes: as a pack, or, being easily compressed, only as a tree.
TOO_BIG: dict[str, Callable[[], bytes]] = {
    "fetch": lambda: random.Random(1).randbytes(8 * MEBIBYTE),
    "checkout": lambda: b"0" * (8 * MEBIBYTE),
}


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


@pytest.mark.parametrize(("step", "way_out"), [("fetch", "smaller commit"), ("checkout", "more space")])
def test_a_full_disk_takes_nothing_away_and_keeps_nothing_unfinished(
    tmp_path: Path, upstream: Repository, step: str, way_out: str
) -> None:
    first = upstream.head()
    with (
        Tmpfs(tmp_path / "root", size=6 * MEBIBYTE) as disk,
        Gitsync(tmp_path, upstream.url, "--max-failures=-1", "--period=300ms") as process,
    ):
        process.wait_published(first)
        free = disk.free()
        commit = upstream.commit({"a": "2", "big": TOO_BIG[step]()})
        process.wait_line("error syncing repo", count=2, timeout=60)

        assert process.published() == first
        assert (process.link / "a").read_text() == "1"
        assert not (process.root / ".worktrees" / commit / "big").exists()
        until(lambda: disk.free() > free - MEBIBYTE, 60, "the space to be free between two tries")
        assert process.returncode is None

        if way_out == "more space":
            disk.resize(64 * MEBIBYTE)
        else:
            commit = upstream.commit({"a": "3", "big": None})
        process.wait_published(commit)
        assert (process.link / "a").read_text() == ("2" if way_out == "more space" else "3")


def test_no_room_for_the_new_link_keeps_the_old_one(tmp_path: Path, upstream: Repository) -> None:
    """The disk has no more files to give from the moment when the tree is complete."""
    first, fill, root = upstream.head(), tmp_path / "fill", tmp_path / "root"
    wrapper = tmp_path / "filling-git"
    use_up = f"( i=0; while : >{root}/x$i; do i=$((i+1)); done ) 2>{tmp_path}/full"
    wrapper.write_text(
        f'#!/bin/sh\n{need("git", "git")} "$@" || exit\n'
        f'case "$1" in reset) [ "$2" = --hard ] && [ -e {fill} ] && {{ {use_up}; }};; esac\nexit 0\n'
    )
    wrapper.chmod(0o755)
    with (
        Tmpfs(root, size=64 * MEBIBYTE, inodes=2000),
        Gitsync(tmp_path, upstream.url, "--max-failures=-1", f"--git={wrapper}") as process,
    ):
        process.wait_published(first)
        fill.touch()
        commit = upstream.commit({"a": "2"})
        assert "No space left" in process.wait_line("error syncing repo").string
        assert process.published() == first
        assert (process.link / "a").read_text() == "1"

        fill.unlink()
        for path in root.glob("x*"):
            path.unlink()
        process.wait_published(commit)
        assert sorted(os.listdir(root)) == [".git", ".worktrees", "link"]


def test_a_volume_that_is_read_only_for_a_while_is_followed_when_it_can_be_written(
    tmp_path: Path, upstream: Repository
) -> None:
    with Tmpfs(tmp_path / "root", size=64 * MEBIBYTE) as disk:
        with Gitsync(tmp_path, upstream.url, "--one-time") as process:
            assert process.wait(60) == 0
        disk.read_only(True)
        commit = upstream.commit({"a": "2"})
        with Gitsync(tmp_path, upstream.url, "--max-failures=-1") as process:
            process.wait_line("error syncing repo", count=2)
            assert (process.link / "a").read_text() == "1"

            disk.read_only(False)
            process.wait_published(commit)


def test_a_volume_that_is_read_only_from_the_start_ends_it_with_1(
    tmp_path: Path, upstream: Repository
) -> None:
    with Tmpfs(tmp_path / "root", size=MEBIBYTE) as disk:
        disk.read_only(True)
        with Gitsync(tmp_path, upstream.url) as process:
            assert process.wait(60) == 1
            assert "Read-only file system" in process.stderr


def test_commits_that_never_fitted_do_not_fill_the_disk_for_ever(
    tmp_path: Path, upstream: Repository
) -> None:
    """Each can be fetched and not be checked out; what was fetched of it must go some time."""
    chance = random.Random(1)
    with (
        Tmpfs(tmp_path / "root", size=6 * MEBIBYTE) as disk,
        Gitsync(tmp_path, upstream.url, "--max-failures=-1", "--period=300ms") as process,
    ):
        process.wait_published(upstream.head())
        for number in range(1, 4):
            upstream.commit({"big": chance.randbytes(3 * MEBIBYTE)})
            process.wait_line("error syncing repo", count=2 * number, timeout=60)
        process.wait_published(upstream.commit({"big": None, "a": "2", "b": chance.randbytes(MEBIBYTE)}))
        process.wait_published(upstream.commit({"a": "3"}))
        assert disk.free() > 2 * MEBIBYTE
