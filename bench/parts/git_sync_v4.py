"""git-sync v4's git commands, in its order and with its flags: the peer where its binary is not at hand.

Only what its git commands and the removal of trees cost is counted; the original itself costs more than this
by its two Go processes. Run as a program it does so many polls, for counting programs from outside.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

_CONFIG = "[gc]\nautoDetach=false\npruneExpire=now\n[core]\naskPass=true\n[safe]\ndirectory=*\n"


class Cost(NamedTuple):
    """What one loop took, in seconds."""

    cpu: float  # of all its programs that ended
    flipped: float  # until the link was replaced; the whole loop where there was nothing to do


class Peer:
    """One process of the original, on *root*, with its defaults (depth 1, submodules, gc always)."""

    def __init__(self, root: Path, url: str, *, password: tuple[str, str] | None = None, ssh: str = "ssh"):
        self.root, self.url, self._password = root, url, password
        self.link = root / "link"
        root.mkdir(parents=True, exist_ok=True)
        home = root.with_name(root.name + ".home")
        home.mkdir(mode=0o700, exist_ok=True)  # the cache insists on it
        helper = f'[credential]\nhelper=cache --timeout 3600 --socket "{home}/socket"\n'
        (home / "config").write_text(_CONFIG + helper)
        self._socket = home / "socket"
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "GIT_CONFIG_GLOBAL": str(home / "config"),
            "GIT_CONFIG_NOSYSTEM": "true",
            "GIT_SSH_COMMAND": ssh,
        }

    def first(self) -> None:
        """Clone and publish."""
        self._git("init", "-b", "git-sync")
        self._git("remote", "add", "origin", self.url)
        self._approve()
        self._publish(self._fetch())
        self._clean()

    def poll(self) -> Cost:
        """Do what a loop without news does."""
        before, began = _used(), time.monotonic()
        self._look()
        commit = self._fetch()
        tree = self.root / ".worktrees" / commit
        self._git("rev-parse", "HEAD", cwd=tree)
        self._git("fsck", "--no-progress", "--connectivity-only", cwd=tree)
        return Cost(_used() - before, time.monotonic() - began)

    def change(self) -> Cost:
        """Do what a loop with a new commit does."""
        before, began = _used(), time.monotonic()
        self._look()
        old = self.link.resolve()
        self._publish(self._fetch())
        flipped = time.monotonic() - began
        self._remove(old)
        self._clean()
        return Cost(_used() - before, flipped)

    def _remove(self, tree: Path) -> None:
        """The original removes it itself: by a program here, so that it is counted, and not by Python."""
        subprocess.run(["rm", "-rf", str(tree)], check=True, timeout=600)

    def _look(self) -> None:
        self._approve()
        self._git("rev-parse", "--show-toplevel")
        self._git("fsck", "--no-progress", "--connectivity-only")
        self._git("remote", "get-url", "origin")

    def _approve(self) -> None:
        if self._password:
            user, word = self._password
            text = f"url={self.url}\nusername={user}\npassword={word}\n\n"
            self._git("credential", "approve", text=text)

    def _fetch(self) -> str:
        flags = ["--verbose", "--no-progress", "--prune", "--no-auto-gc", "--depth", "1"]
        self._git("fetch", self.url, "HEAD", *flags)
        return self._git("rev-parse", "FETCH_HEAD^{}")

    def _publish(self, commit: str) -> None:
        tree = self.root / ".worktrees" / commit
        self._git("reset", "--soft", commit, "--")
        self._git("worktree", "add", "--force", "--detach", str(tree), commit, "--no-checkout")
        (tree / ".git").write_text(f"gitdir: ../../.git/worktrees/{commit}\n")
        self._git("reset", "--hard", commit, "--", cwd=tree)
        self._git("submodule", "update", "--init", "--recursive", "--depth", "1", cwd=tree)
        (self.root / "tmp-link").symlink_to(f".worktrees/{commit}")
        (self.root / "tmp-link").replace(self.link)

    def _clean(self) -> None:
        self._git("worktree", "prune")
        self._git("reflog", "expire", "--expire-unreachable=all", "--all")
        self._git("gc")

    def _git(self, *words: str, cwd: Path | None = None, text: str = "") -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=cwd or self.root,
            env=self._environment,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
            timeout=600,
        )
        return done.stdout.strip()

    def close(self) -> None:
        """End the credential cache's daemon."""
        if self._socket.exists():
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(str(self._socket))
                line.sendall(b"action=exit\ntimeout=0\n")


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(root: str, url: str, what: str, *, more: list[str]) -> None:
    ssh, password = more
    user, _, word = password.partition(":")
    peer = Peer(Path(root), url, password=(user, word) if user else None, ssh=ssh)
    try:
        peer.change() if what == "change" else peer.poll()
    finally:
        peer.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], more=sys.argv[4:6])
