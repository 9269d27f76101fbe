"""The clocks of one client: looks whether something takes too long, or nothing happens for too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from podmates_redis.faults import guarded
from podmates_redis.session import deadlines, losing
from podmates_redis.session.session import Session

_NEVER = float("inf")


class Times(Protocol):
    """The settings that a client's clocks need, in seconds; 0 means any time."""

    @property
    def client_idle_timeout(self) -> float: ...
    @property
    def idle_transaction_timeout(self) -> float: ...


class Patience:
    """Looks at *session* while it has to; calls *acted* when it did something, *end* to end the
    client, *fail* with an error of ours.

    *stalled* tells whether the client does not take its replies.
    """

    def __init__(
        self,
        session: Session,
        times: Times,
        *,
        stalled: Callable[[], bool],
        acted: Callable[[], None],
        end: Callable[[], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._session, self._times = session, times
        self._stalled, self._acted, self._end, self.fail = stalled, acted, end, fail
        self._timer: asyncio.TimerHandle | None = None
        self._due = _NEVER  # when it goes off
        self._active = 0.0  # when something happened last
        self._over = False

    def watch(self) -> None:
        """Something has happened."""
        now = self._active = self._session.shared.clock()
        wait = self._wait()
        if wait and now + wait < self._due and not self._over:
            self._set(wait)

    def stop(self) -> None:
        """Look no more."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()

    def _set(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)
        self._due = self._session.shared.clock() + seconds

    def _wait(self) -> float:
        """Return in how many seconds to look for the first time; 0: there is nothing to look for."""
        session, times = self._session, self._times
        wait = times.client_idle_timeout or _NEVER
        if session.slots:
            wait = min(wait, session.shared.policy.op_timeout / 2 or _NEVER)
        if session.transaction is not None or session.watching:
            wait = min(wait, times.idle_transaction_timeout or _NEVER)
        return 0.0 if wait == _NEVER else wait

    @guarded
    def _look(self) -> None:
        self._timer, self._due = None, _NEVER
        session, active = self._session, self._active
        again = self._idle()
        if self._over:
            return
        if self._stalled():  # and has itself to blame
            session.be_patient()
            again.append(session.shared.policy.op_timeout)
        else:
            again.append(deadlines.look(session))
        again = [wait for wait in again if wait > 0]
        if again:
            self._set(min(again))
        self._acted()
        self._active = active  # looking is no activity

    def _idle(self) -> list[float]:
        """End what nobody uses; return the seconds in which to look at it again."""
        session, times, again = self._session, self._times, []
        idle = session.shared.clock() - self._active
        limit = times.client_idle_timeout
        if limit:
            if idle >= limit and session.idle() and not session.waiting():
                self._end()
                return []
            again.append(limit - idle if idle < limit else limit)
        limit = times.idle_transaction_timeout
        if limit and (session.transaction is not None or session.watching):
            if idle >= limit and session.idle():
                losing.transaction_idle(session)
            else:
                again.append(limit - idle if idle < limit else limit)
        return again
