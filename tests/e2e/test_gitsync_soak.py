"""Sync after sync with hooks, a submodule and HTTP: processes, threads, memory and disk stay flat."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import NamedTuple

from tests.support.git_http import GitServer
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.moving import files_below
from tests.support.ports import free_port
from tests.support.processes import children
from tests.support.waiting import until

SOAK = os.environ.get("SOAK") == "1"
SYNCS = int(os.environ.get("SYNCS", "2000")) if SOAK else 12
WARM = SYNCS // 10 if SOAK else 5  # syncs until all caches are full
PASSWORD = "a password"


class Figures(NamedTuple):
    """What a process and its volume use."""

    descriptors: int
    threads: int
    memory: int  # bytes of its own: a share of what is shared would change with other processes
    disk: int  # bytes below root
    temporary: int  # files beside root


def least(process: Gitsync, kind: str) -> int:
    """Return how many descriptors (`fd`) or threads (`task`) it has between polls; in one it has more."""
    counts = []
    for _ in range(20):
        until(lambda: not children(process.pid), 30, "git to have ended")
        counts.append(len(os.listdir(f"/proc/{process.pid}/{kind}")))
    return min(counts)


def figures(process: Gitsync, folder: Path) -> Figures:
    trees = process.root / ".worktrees"
    until(lambda: len(os.listdir(trees)) == 1 and not children(process.pid), 30, "it to have cleaned up")
    status = Path(f"/proc/{process.pid}")
    found = re.search(r"^Private_Dirty:\s+(\d+) kB", (status / "smaps_rollup").read_text(), re.MULTILINE)
    assert found
    disk = 0
    for path in files_below(process.root):
        with contextlib.suppress(FileNotFoundError):  # it goes on polling
            disk += path.lstat().st_blocks * 512
    return Figures(
        least(process, "fd"),
        least(process, "task"),
        int(found[1]) * 1024,
        disk,
        len(os.listdir(folder)),
    )


def test_many_syncs_use_no_more_than_a_few(tmp_path: Path) -> None:
    inner, upstream = Repository(tmp_path / "served" / "inner"), Repository(tmp_path / "served" / "outer")
    inner.commit({"c": "1"})
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\necho $GITSYNC_HASH >>{tmp_path}/told\n")
    hook.chmod(0o755)
    with GitServer(tmp_path / "served", ("user", PASSWORD)) as server:
        url = f"{server.url}/inner/bare.git"
        (upstream.work / ".gitmodules").write_text(f'[submodule "s"]\n\tpath = s\n\turl = {url}\n')
        upstream.git("update-index", "--add", "--cacheinfo", f"160000,{inner.head()},s")
        upstream.git("add", ".gitmodules")
        first = _commit(upstream, 0)
        flags = [
            f"--exechook-command={hook}",
            f"--http-bind=127.0.0.1:{free_port()}",
            "--http-metrics",
            "--username=user",
            "--period=10ms",
            "--max-failures=-1",
        ]
        repo = f"{server.url}/outer/bare.git"
        with Gitsync(tmp_path, repo, *flags, env={"GITSYNC_PASSWORD": PASSWORD}) as process:
            process.wait_published(first)
            before = Figures(0, 0, 0, 0, 0)
            for number in range(1, SYNCS + 1):
                process.wait_published(_commit(upstream, number))
                if number == WARM:
                    before = figures(process, tmp_path)
            after = figures(process, tmp_path)
            assert (process.link / "s" / "c").read_text() == "1"
            assert "error" not in process.stderr
            print(before, after)

    assert after.descriptors <= before.descriptors + 1  # the connection to the server may be open or not
    assert (after.threads, after.temporary) == (before.threads, before.temporary)
    assert after.memory < before.memory + (3 << 20)
    assert after.disk < 2 * before.disk + (4 << 20)  # garbage gathers until it is worth collecting
    assert (tmp_path / "told").read_text().split()


def _commit(upstream: Repository, number: int) -> str:
    """Commit a change beside the submodule, whose files the work tree does not have."""
    (upstream.work / "a").write_text(str(number))
    upstream.git("add", "a")
    upstream.git("commit", "--quiet", "-m", "change")
    upstream.push()
    return upstream.head()
