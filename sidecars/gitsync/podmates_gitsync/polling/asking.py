"""The question over http: one request to a server that is known, two to one that is not."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping

from podmates_common.version import VERSION
from podmates_gitsync.polling import lsrefs, naming
from podmates_gitsync.polling.connection import Answer, Connection
from podmates_gitsync.polling.eligibility import Endpoint, Held
from podmates_gitsync.polling.failures import ExchangeError
from podmates_gitsync.polling.pktline import ProtocolError

_AGENT = f"podmates-gitsync/{VERSION}"
_HEADERS = {
    "User-Agent": f"git/{_AGENT}",  # hosting services answer git at such addresses, and others by a page
    "Git-Protocol": "version=2",
    "Pragma": "no-cache",
}
_TYPE = "application/x-git-upload-pack"


class Asker:
    """Asks one server about one ref.

    Args:
        where: the repository's address.
        ref: a name that `naming.can_be_asked` accepts.
    """

    def __init__(self, where: Endpoint, ref: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._where, self._ref = where, ref
        self._connection = Connection(
            where.scheme, where.host, where.port, authority=where.authority, clock=clock
        )
        self._able: lsrefs.Capabilities | None = None

    def ask(self, held: Held | None, deadline: float) -> str | None:
        """Return the hash that the ref names; None when the server has no such ref.

        Args:
            held: the credential for exactly this server, sent with the first request already.

        Raises:
            ExchangeError: no answer, or a status other than 200.
            ProtocolError: an answer that is none.
        """
        try:
            refs = self._refs(_HEADERS | _authorization(held), deadline)
        except ProtocolError:
            self._connection.close()
            raise
        return naming.resolve(self._ref, refs)

    def _refs(self, headers: Mapping[str, str], deadline: float) -> Mapping[str, str]:
        able, self._able = self._able, None  # what went wrong once is looked at anew
        if able is None:
            able = self._discover(headers, deadline)
        body = lsrefs.question(able, naming.candidates(self._ref), _AGENT)
        answer = self._connection.exchange(
            "POST",
            f"{self._where.path}/git-upload-pack",
            {**headers, "Content-Type": f"{_TYPE}-request", "Accept": f"{_TYPE}-result"},
            body=body,
            deadline=deadline,
        )
        refs = lsrefs.answered(_checked(answer, "result"), able)
        self._able = able
        return refs

    def _discover(self, headers: Mapping[str, str], deadline: float) -> lsrefs.Capabilities:
        path = f"{self._where.path}/info/refs?service=git-upload-pack"
        answer = self._connection.exchange("GET", path, headers, body=None, deadline=deadline)
        return lsrefs.advertised(_checked(answer, "advertisement"))

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def _checked(answer: Answer, what: str) -> bytes:
    if answer.status != 200:
        raise ExchangeError(f"the server answered with status {answer.status}")
    if answer.kind != f"{_TYPE}-{what}":
        raise ExchangeError(f"the server answered with {answer.kind[:80]!r}")
    return answer.body


def _authorization(held: Held | None) -> dict[str, str]:
    if held is None:
        return {}
    pair = f"{held.user}:{held.password}".encode("utf-8", "surrogateescape")
    return {"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")}
