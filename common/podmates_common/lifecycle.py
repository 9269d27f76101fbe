"""From start to stop: one signal drains, a second one ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

STOPPERS = (signal.SIGTERM, signal.SIGINT)


async def until_stopped(body: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run *body* until it returns; SIGTERM or SIGINT sets the event that it is given.

    The first signal asks for a drain; a second one ends the process at once, with 128 + its number.
    """
    stop = asyncio.Event()

    def asked(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in STOPPERS:
        loop.add_signal_handler(number, asked, number)
    try:
        await body(stop)
    finally:
        for number in STOPPERS:
            loop.remove_signal_handler(number)
