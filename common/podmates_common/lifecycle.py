"""From start to stop: signals, draining, and the duties of process number one."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

STOPPERS = (signal.SIGTERM, signal.SIGINT)
# Not forwarded: they are about the process that gets them, or cannot be caught.
_OWN = {signal.SIGCHLD, signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
_OWN |= {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGPIPE}


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


def init_when_first() -> None:
    """If this is process number one, become its init and go on in a child; else do nothing.

    The kernel gives number one the orphans of a container and shields it from signals that it does
    not handle, so the service itself should not be it. Call this before anything large is imported:
    the two processes then share nearly all of their memory.
    """
    if os.getpid() != 1:
        return
    child = fork()
    if child:
        sys.exit(supervise(child))


def fork() -> int:
    """Fork with signals held back, so that none is lost between fork and `supervise`."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    child = os.fork()
    if not child:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return child


def supervise(child: int) -> int:
    """Forward signals to *child* and reap whatever dies, until *child* has ended.

    Returns:
        its exit status; 128 + the signal's number when a signal ended it.
    """
    waited = signal.valid_signals() - (_OWN - {signal.SIGCHLD})
    signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    while True:
        status = _reap(child)
        if status is not None:
            return status
        number = signal.sigwait(waited)
        if number != signal.SIGCHLD:
            with suppress(ProcessLookupError):
                os.kill(child, number)


def _reap(child: int) -> int | None:
    """Collect every dead process; return the exit status of *child* if it was among them."""
    status = None
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            if found[0] == child:
                code = os.waitstatus_to_exitcode(found[1])
                status = code if code >= 0 else 128 - code
    return status
