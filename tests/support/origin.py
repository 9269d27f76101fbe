"""A git hosting service in a container: one repository, fetched by name on the test's network."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from tests.support.engine import Container, Network, built

_AUTHOR = ("-c", "user.name=origin", "-c", "user.email=origin@example.com")


class Origin:
    """Serves ``git://origin/site.git``, branch main; use it as a context manager."""

    url = "git://origin/site.git"

    def __init__(self, network: Network) -> None:
        self._container = Container(
            built("standin-git"), f"--network={network.name}", "--network-alias=origin"
        )
        self._git("init", "-q", "--bare", "--initial-branch=main", "/srv/site.git")
        self._git("clone", "-q", "/srv/site.git", "/tmp/site")
        self._git("-C", "/tmp/site", "checkout", "-q", "-b", "main")

    def push(self, text: str) -> str:
        """Commit ``index.html`` with *text*, push it and return the hash of the commit."""
        written = self._container.execute("tee", "/tmp/site/index.html", stdin=text.encode())
        assert written.status == 0, written.output
        self._git("-C", "/tmp/site", "add", ".")
        self._git("-C", "/tmp/site", *_AUTHOR, "commit", "-q", "--allow-empty", "-m", text)
        self._git("-C", "/tmp/site", "push", "-q", "origin", "main")
        return self._git("-C", "/tmp/site", "rev-parse", "HEAD")

    def _git(self, *arguments: str) -> str:
        done = self._container.execute("git", *arguments)
        assert done.status == 0, done.output
        return done.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.remove()
