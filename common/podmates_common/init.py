"""The duties of process number one. Lean on purpose: this half of a service stays a bare interpreter."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

# Not forwarded: they are about the process that gets them, or cannot be caught.
_OWN = {signal.SIGCHLD, signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
_OWN |= {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGPIPE}


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
