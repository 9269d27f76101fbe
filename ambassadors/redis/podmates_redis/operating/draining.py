"""The end of the clients, in order: who is idle, who is answered, who waits, and who is left in the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from podmates_redis.clients.listening import Doorman

log = logging.getLogger(__name__)

_LOOK = 0.02  # seconds
_HEAR = 3  # looks in which who waits may hear what the last of the others did
_LAST_WORDS = 1.0  # seconds for clients whose time is up


async def drain(doorman: Doorman, seconds: float) -> None:
    """See what is on its way answered, for at most so many *seconds*, and every client gone.

    Who waits for what may never come (a subscriber, BLPOP) is kept while others are answered: it may wait
    for them, and hears what they brought about.
    """
    clients, end = doorman.clients, asyncio.get_running_loop().time() + seconds
    log.info("draining clients=%d", doorman.present)

    def only_waiting() -> bool:
        doorman.drain()
        return doorman.present == sum(client.waiting() for client in clients)

    await _until(only_waiting, end, looks=_HEAR)
    for client in list(clients):
        client.drain()
    await _until(lambda: not doorman.present, end)
    doorman.close()
    await _until(lambda: not doorman.present, asyncio.get_running_loop().time() + _LAST_WORDS)


async def _until(done: Callable[[], bool], end: float, *, looks: int = 1) -> None:
    """Wait until *done* says so at so many *looks* in a row."""
    seen = 0
    while seen < looks and asyncio.get_running_loop().time() < end:
        seen = seen + 1 if done() else 0
        if seen < looks:
            await asyncio.sleep(_LOOK)
