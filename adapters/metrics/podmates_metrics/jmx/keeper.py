"""Keeps a session with a JVM: opened in the background, kept awake, opened again when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from podmates_common.backoff import Backoff
from podmates_metrics.jmx.jrmp import RemoteError
from podmates_metrics.jmx.session import FAILURES, Options, Session
from podmates_metrics.jmx.target import Target

log = logging.getLogger(__name__)
HEARTBEAT = 50.0  # seconds without a call; the server closes a session after 120
FIRST_RETRY, LAST_RETRY = 0.5, 30.0  # seconds between attempts while nobody asks
GRACE = 1.0  # seconds that a scrape waits for a JVM that did not answer before
PATIENCE = 5.0  # seconds for an attempt, and for a heartbeat
GOODBYE = 1.0  # seconds for the end of a session


class Unreachable(ConnectionError):
    """There is no session now, and why."""


class Keeper:
    """The session with one JVM.

    A scrape waits for the first attempt to connect. Once the JVM is known not to answer it waits a
    second at most, so that a hung JVM does not hold up every page; attempts go on by themselves.
    """

    def __init__(self, target: Target, options: Options, heartbeat: float) -> None:
        self._target, self._options, self._heartbeat = target, options, heartbeat
        self._backoff = Backoff(FIRST_RETRY, LAST_RETRY)
        self._session: Session | None = None
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._attempt: asyncio.Task[None] | None = None
        self._loop: asyncio.Task[None] | None = None
        self._reason = ""  # why the JVM is known not to answer; empty when it does, or nobody knows
        self._tried = float("-inf")  # monotonic seconds, of the end of the last attempt
        self._used, self._renewal = 0.0, 0.0  # monotonic seconds: of the last call, when the lease is due
        self.sessions = 0  # opened so far

    async def session(self) -> Session:
        """Return the session.

        Raises:
            Unreachable: there is none, and none could be had now.
        """
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._keep())
        if self._session is None:
            await self._attempted()
        if self._session is None:
            raise Unreachable(self._reason or "the session was lost")
        return self._session

    async def _attempted(self) -> None:
        if self._attempt is None and self._reason and time.monotonic() - self._tried < FIRST_RETRY:
            return
        await asyncio.wait({self._begin()}, timeout=GRACE if self._reason else None)

    @contextlib.asynccontextmanager
    async def using(self, session: Session) -> AsyncIterator[None]:
        """Have *session* to oneself; a failure drops it, because replies may be on the way."""
        async with self._lock:
            try:
                yield
            except RemoteError:
                raise
            except BaseException as error:
                if isinstance(error, asyncio.CancelledError):  # by a deadline
                    self._reason = "accepts connections and does not answer"
                self._forget(session)
                raise
            self._used = time.monotonic()

    def _begin(self) -> asyncio.Task[None]:
        if self._attempt is None:
            self._attempt = asyncio.create_task(self._open())
        return self._attempt

    async def _open(self) -> None:
        """Try once to have a session; a failure is told by `_reason`."""
        try:
            async with asyncio.timeout(PATIENCE):
                session = await Session.open(self._target, self._options)
                try:
                    self._leased(await session.renew())
                except BaseException:
                    session.abort()
                    raise
        except FAILURES as error:
            reason = str(error) or f"does not answer within {PATIENCE:g} s"
            self._reason = reason.removeprefix(f"{self._target.registry}: ")
        except Exception as error:  # a fault of ours: to be seen, and no reason to stop trying
            log.exception("JVM %s", self._target.label)
            self._reason = f"internal error: {error!r}"[:200]
        else:
            self._session, self._reason, self._used = session, "", time.monotonic()
            self.sessions += 1
            self._backoff.reset()
        finally:
            self._attempt, self._tried = None, time.monotonic()

    def _leased(self, seconds: float) -> None:
        self._renewal = time.monotonic() + max(0.1, seconds / 2)

    def _forget(self, session: Session) -> None:
        session.abort()
        if self._session is session:
            self._session = None
            self._wake.set()

    async def _keep(self) -> None:
        while True:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._wake.wait()
                continue  # the session was lost: begin to count from here
            if self._session is None:
                await asyncio.wait({self._begin()})
            elif not self._lock.locked():
                with contextlib.suppress(*FAILURES):
                    await self._care(self._session)

    def _pause(self) -> float:
        """Return the seconds until there is something to do."""
        if self._session is None:
            return self._backoff.next()
        due = min(self._used + self._heartbeat, self._renewal)
        return max(0.1, due - time.monotonic())

    async def _care(self, session: Session) -> None:
        async with asyncio.timeout(PATIENCE), self.using(session):
            if time.monotonic() >= self._renewal:
                self._leased(await session.renew())
            else:
                await session.ping()

    async def close(self) -> None:
        """End the session, if the JVM answers within a second, and stop trying."""
        tasks = {task for task in (self._loop, self._attempt) if task}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._session:
            with contextlib.suppress(*FAILURES):
                async with asyncio.timeout(GOODBYE), self.using(self._session):
                    await self._session.close()
            self._session = None
