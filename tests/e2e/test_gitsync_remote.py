"""A remote that is slow, hangs, or vanishes in the middle of a fetch: cut off in time, and come back from."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.forwarder import Forwarder
from tests.support.git_http import GitServer
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.moving import below
from tests.support.processes import children, group_members
from tests.support.waiting import until

PACK = os.urandom(300_000)


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


@pytest.fixture
def link(upstream: Repository) -> Iterator[Forwarder]:
    with GitServer(upstream.folder) as server, Forwarder(("127.0.0.1", server.port)) as forwarder:
        yield forwarder


def url(link: Forwarder) -> str:
    return f"http://{link.address}/bare.git"


def groups_of_git(process: Gitsync) -> list[int]:
    """Return the process groups of the git commands that run now; each has one of its own."""
    return list(children(process.pid))


def test_a_slow_remote_is_waited_for(tmp_path: Path, upstream: Repository, link: Forwarder) -> None:
    with Gitsync(tmp_path, url(link), "--max-failures=-1") as process:
        process.wait_published(upstream.head())
        link.throttle(300_000)
        process.wait_published(upstream.commit({"a": PACK}))

        assert (process.link / "a").read_bytes() == PACK
        assert "error syncing" not in process.stderr


def test_a_remote_that_vanishes_in_the_middle_of_a_fetch_takes_nothing_away(
    tmp_path: Path, upstream: Repository, link: Forwarder
) -> None:
    first = upstream.head()
    with Gitsync(tmp_path, url(link), "--max-failures=-1") as process:
        process.wait_published(first)
        link.throttle(100_000)
        before = link.forwarded
        commit = upstream.commit({"a": PACK})
        until(lambda: link.forwarded > before + 100_000, 60, "a part of the pack to be there")
        link.cut()
        process.wait_line("error syncing repo", count=2)
        assert process.published() == first
        assert (process.link / "a").read_text() == "1"

        link.throttle(0)
        link.mend()
        process.wait_published(commit)
        assert (process.link / "a").read_bytes() == PACK
        until(lambda: not below(process.root / ".git", "tmp_*"), 30, "no part of a pack to be left")


def test_a_fetch_that_hangs_is_cut_off_with_every_helper(
    tmp_path: Path, upstream: Repository, link: Forwarder
) -> None:
    """Over HTTP git has a helper for the transport and one for the pack, and both wait for the network."""
    first = upstream.head()
    with Gitsync(tmp_path, url(link), "--max-failures=-1", "--period=30s") as process:
        process.wait_published(first)
        process.stop()
    link.throttle(50_000)
    before = link.forwarded
    commit = upstream.commit({"a": PACK})
    flags = ["--max-failures=-1", "--sync-timeout=10s", "--period=1h", "--sync-on-signal=SIGUSR1"]
    with Gitsync(tmp_path, url(link), *flags) as process:
        until(lambda: link.forwarded > before + 30_000, 60, "a part of the pack to be there")
        link.freeze()
        [group] = groups_of_git(process)
        assert len(group_members(group)) >= 3
        assert "context deadline exceeded" in process.wait_line("error syncing repo").string
        until(lambda: not group_members(group), 60, "no helper to be left")
        assert process.published() == first

        link.thaw()
        link.throttle(0)
        process.send(signal.SIGUSR1)
        process.wait_published(commit)


def test_no_helper_outlives_a_process_that_is_told_to_end(
    tmp_path: Path, upstream: Repository, link: Forwarder
) -> None:
    link.throttle(20_000)
    upstream.commit({"a": PACK})
    with Gitsync(tmp_path, url(link)) as process:
        until(lambda: link.forwarded > 30_000, 60, "a part of the pack to be there")
        [group] = groups_of_git(process)
        assert len(group_members(group)) >= 3
        process.stop()
        until(lambda: not group_members(group), 60, "no helper to be left")
