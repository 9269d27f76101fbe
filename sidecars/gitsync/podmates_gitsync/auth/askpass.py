"""``--askpass-url``: a server that knows user and password, asked at the start of each sync."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podmates_gitsync.auth.credentials import Pair
from podmates_gitsync.git.commands import GitError

_TIMEOUT = 1.0  # seconds


class Askpass:
    """Asks one server.

    Args:
        url: of the server.
        repo: what the pair is for.
        environ: of this process, for proxies and certificates.
        count: is told whether it worked, each time.
    """

    def __init__(
        self, url: str, repo: str, environ: Mapping[str, str], *, count: Callable[[bool], None]
    ) -> None:
        self._url, self._repo, self._environ, self._count = url, repo, environ, count

    def pair(self) -> Pair:
        """Return what the server says now.

        Raises:
            GitError: it says nothing of use.
        """
        try:
            pair = self._asked()
        except GitError:
            self._count(False)
            raise
        self._count(True)
        return pair

    def _asked(self) -> Pair:
        from podmates_gitsync.outbound import client  # late: it brings ssl

        try:
            answer = client.request("GET", self._url, timeout=_TIMEOUT, environ=self._environ)
        except client.OutboundError as error:
            raise GitError(f"askpass: {error}") from None
        if answer.status != 200:
            raise GitError(f"askpass: the server answered with status {answer.status}")
        if answer.truncated:
            raise GitError("askpass: the answer is too long")
        user, password = parse(answer.body.decode("utf-8", "surrogateescape"))
        return Pair(self._repo, user, password)


def parse(text: str) -> tuple[str, str]:
    """Return user and password out of lines of ``name=value``; the last one of a name counts."""
    found: dict[str, str] = {}
    for line in text.split("\n"):
        name, equals, value = line.removesuffix("\r").partition("=")
        if equals:
            found[name] = value
    return found.get("username", ""), found.get("password", "")
