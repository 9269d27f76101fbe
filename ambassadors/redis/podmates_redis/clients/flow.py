"""How much goes through a client's two connections: who is not read, since nobody takes what comes."""

from __future__ import annotations

from collections.abc import Callable

from podmates_redis.faults import guarded
from podmates_redis.servers.upstream import Upstream
from podmates_redis.session.session import Session


class Flow:
    """The connections to the master and to a replica, where they stand, and what is stopped on them."""

    def __init__(
        self, session: Session, flush: Callable[[], None], fail: Callable[[Exception], None]
    ) -> None:
        self._session, self._flush, self.fail = session, flush, fail
        self._master: Upstream | None = None
        self._replica: Upstream | None = None
        self._full: set[Upstream] = set()
        self._behind = False  # a server did not take all at once
        self._paced = False  # replies were piling up when this was last looked at
        self.stalled = False  # the client does not take its replies

    @property
    def unsent(self) -> int:
        """Bytes that the servers have not taken yet."""
        unsent = 0
        if self._behind:
            unsent = sum(way.unsent for way in (self._master, self._replica) if way is not None)
            self._behind = unsent > 0
        return unsent

    @property
    def full(self) -> bool:
        """Tell whether a server does not take what it is sent."""
        return bool(self._full)

    def stall(self, yes: bool) -> None:
        """The client does not take its replies, or takes them again; or may have fewer replies wait."""
        if yes is not self.stalled:
            self.stalled = yes
            self._session.be_patient()
        self.pace()

    def pace(self) -> None:
        """Read the servers only while what they send can be passed on."""
        if self._master is not None:
            self._master.pause(self.stalled or self._session.stuffed("master"))
        if self._replica is not None:
            self._replica.pause(self.stalled or self._session.stuffed("replica"))

    @guarded
    def hold(self, upstream: Upstream, full: bool) -> None:
        """A server does not take what it is sent, or takes it again."""
        (self._full.add if full else self._full.discard)(upstream)
        self._flush()

    def _begin(self, upstream: Upstream) -> None:
        """A connection stands that may bring something."""
        upstream.ledger = self._session.shared.ledger
        upstream.pause(self.stalled)

    def _let_go(self, upstream: Upstream | None) -> None:
        if upstream is not None:
            self._full.discard(upstream)
            upstream.close()
