"""Both sides of the comparison, and the servers that they sync from."""

from __future__ import annotations

import os
import re
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.parts.git_sync_v4 import Cost, Peer
from bench.parts.measures import cpu
from bench.parts.repositories import Upstream
from tests.support.nginx_git import NginxGit
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.sshd import Sshd, keypair
from tests.support.waiting import pause, until
from tests.support.web import get

USER, PASSWORD = "deploy", "word"
SECONDS, PEER_POLLS = 1.5, 3  # how much a round looks at


class Sidecar(Process):
    """gitsync, or the original where *program* is that, on *root* with its HTTP endpoint."""

    def __init__(
        self,
        program: str,
        root: Path,
        url: str,
        *flags: str,
        wrapped: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.root, self.link, port = root, root / "link", free_port()
        self._url = f"http://127.0.0.1:{port}"
        home = root.with_name(root.name + ".home")
        home.mkdir(parents=True, exist_ok=True)
        argv = [*wrapped, program, f"--repo={url}", f"--root={root}", "--link=link", "--http-metrics"]
        argv += [f"--http-bind=127.0.0.1:{port}", "--max-failures=-1", *flags]
        secret = {"GITSYNC_PASSWORD": PASSWORD} if url.startswith("http") else {}
        user = [f"--username={USER}"] if secret else []
        super().__init__(
            [*argv, *user], env={"HOME": str(home), "TMPDIR": str(home), **secret, **(env or {})}, cwd=home
        )

    def loops(self) -> int:
        """Return how many syncs have ended without news."""
        found = re.search(r'git_sync_count_total\{status="noop"\} (\d+)', get(f"{self._url}/metrics").body)
        return int(found[1]) if found else 0

    def wait_ready(self) -> None:
        """Return after the first success of this process."""
        until(lambda: get(f"{self._url}/").status == 200, 600, "the first success", ignoring=(OSError,))

    def wait_loops(self, count: int) -> None:
        """Return after so many more syncs without news; asked seldom, because answering costs as much."""
        self.wait_ready()
        goal = self.loops() + count
        while self.loops() < goal:
            pause(0.3)

    def wait_published(self, commit: str) -> float:
        """Return the seconds until the link names *commit*."""
        began = time.monotonic()
        while not (self.link.is_symlink() and os.readlink(self.link).endswith(commit)):
            assert time.monotonic() < began + 600, "the link was not replaced"
            pause(0.002)
        return time.monotonic() - began

    def wait_done(self, syncs: int) -> None:
        """Return after so many syncs of this process, each with its clean-up; it runs with ``-v2``."""
        until(lambda: self.stderr.count('"next sync"') >= syncs, 600, "the end of a sync")

    def poll(self, seconds: float) -> float:
        """Return the CPU seconds of a poll, over so many seconds at least."""
        first, before, end = self.loops(), cpu(self.pid), time.monotonic() + seconds
        while time.monotonic() < end or self.loops() == first:
            pause(seconds)
        used_now = cpu(self.pid)
        return (used_now - before) / (self.loops() - first)


class Places(NamedTuple):
    """Where the repository of a size is served."""

    upstream: Upstream
    web: NginxGit
    urls: Mapping[str, str]
    ssh: str  # GIT_SSH_COMMAND
    flags: Mapping[str, list[str]]


@contextmanager
def served(folder: Path, files: int) -> Iterator[Places]:
    upstream = Upstream(folder / "upstream", files)
    with NginxGit(upstream.folder, (USER, PASSWORD)) as web, Sshd(folder / "sshd") as sshd:
        key, known = folder / "key", folder / "known_hosts"
        sshd.authorize(keypair(key))
        known.write_text(sshd.known_hosts)
        urls = {
            "http": f"{web.url}/bare.git",
            "file": f"file://{upstream.bare}",
            "ssh": sshd.url(upstream.bare),
        }
        ssh = f"ssh -i {key} -o StrictHostKeyChecking=yes -o UserKnownHostsFile={known}"
        flags = [f"--ssh-key-file={key}", f"--ssh-known-hosts-file={known}"]
        yield Places(upstream, web, urls, ssh, {"http": [], "file": [], "ssh": flags})


class Theirs:
    """The peer: its script, or the original's program."""

    def __init__(self, root: Path, places: Places) -> None:
        self._places, self._root = places, root
        self._program = os.environ.get("GIT_SYNC_V4", "")
        self._sidecar: Sidecar | None = None
        self._peer: Peer | None = None

    def use(self, transport: str) -> None:
        """Sync over *transport* from now on."""
        self.close()
        url = self._places.urls[transport]
        if self._program:
            flags = ["--period=20ms", *self._places.flags[transport]]
            self._sidecar = Sidecar(self._program, self._root, url, *flags)
            self._sidecar.wait_published(self._places.upstream.head())
            self._sidecar.wait_loops(1)
            return
        password = (USER, PASSWORD) if transport == "http" else None
        self._peer = Peer(self._root, url, password=password, ssh=self._places.ssh)
        if not self._peer.link.is_symlink():
            self._peer.first()

    def poll(self) -> float:
        if self._sidecar:
            return self._sidecar.poll(SECONDS)
        assert self._peer is not None
        return statistics.median([self._peer.poll().cpu for _ in range(PEER_POLLS)])

    def change(self) -> Cost:
        """Do a change that is there already."""
        if self._sidecar:
            return self._own_change(self._sidecar)
        assert self._peer is not None
        return self._peer.change()

    def _own_change(self, sidecar: Sidecar) -> Cost:
        """The program itself polls: it gets a change of its own."""
        before = cpu(sidecar.pid)
        flipped = sidecar.wait_published(self._places.upstream.change())
        sidecar.wait_loops(2)
        return Cost(cpu(sidecar.pid) - before, flipped)

    def close(self) -> None:
        if self._sidecar:
            self._sidecar.stop()
            self._sidecar.close()
        if self._peer:
            self._peer.close()
        self._sidecar = self._peer = None
