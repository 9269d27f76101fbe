"""When a client may be lent to the engine: nothing of it is on its way, and it is like any other. No I/O."""

from __future__ import annotations

from podmates_redis.session.session import Session

_PATIENT = 3  # times that a client comes back before it has to show that it is plain
_MOST = 256  # plain commands in a row that it has to show at most


class Habits:
    """How often a client has needed what the engine has not got: *visits* times before it went there last."""

    def __init__(self, visits: int) -> None:
        self.visits = visits
        self._plain = 0  # requests since the last that was not plain

    def sent(self, count: int) -> None:
        self._plain += count

    def steady(self) -> bool:
        """Tell whether it is likely to stay with the engine."""
        return self.visits <= _PATIENT or self._plain >= min(2 ** (self.visits - _PATIENT), _MOST)


def plain(session: Session) -> bool:
    """Tell whether the client has nothing of its own that a shared connection would lack."""
    if session.slots or session.held or session.output or session.errand or session.closing:
        return False
    if session.quitting or session.eof or session.abort or session.lingering or session.unread:
        return False
    if session.pinned or session.unsettled or session.tunnel or session.subscribing or session.counting:
        return False
    if session.subscriptions.active() or session.transaction is not None or session.open:
        return False
    if session.watching or session.watched or session.watch_lost or session.muted or session.skip:
        return False
    if session.redirect != -1 or session.broadcast or session.protected or session.untouching:
        return False
    shared, state = session.shared, session.state
    return not shared.pause.on and not state.user and state.password is None and bool(session.who)
