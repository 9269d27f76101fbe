"""How many files and connections the process may have open, and which of them are not for clients.

The kernel gives the lowest number that is free, so the next number tells how many are in use. The last ones
are kept for what the ambassador itself needs: questions to servers, its admin port, connections that wait to
be turned away.
"""

from __future__ import annotations

import errno
import os
import resource

from podmates_common.errors import PodmatesError

KEPT = 128  # descriptors for the ambassador itself
_EACH = 3  # descriptors of a client: its own connection, and two to servers
_SHORT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def raise_limit(clients: int) -> str:
    """See to it that so many clients can be served, or return how many can, as a line for the log.

    Raises:
        PodmatesError: not one can.
    """
    wanted = _EACH * clients + KEPT
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < wanted:  # negative: any number
        soft = wanted if hard < 0 else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if 0 <= soft < wanted:
        most = max(0, soft - KEPT) // _EACH
        if not most:
            raise PodmatesError(
                f"with {soft} descriptors (ulimit -n) no client can be served: one needs {_EACH + KEPT}, and"
                f" max_clients = {clients} needs {wanted}"
            )
        return f"with {soft} descriptors some {most} clients can be served, not {clients}"
    return ""


def for_clients(number: int) -> bool:
    """Tell whether a client may have the descriptor *number*."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return limit < 0 or number < limit - KEPT


def left() -> bool:
    """Tell whether there is one more descriptor for what clients need."""
    try:
        number = os.dup(2)
    except OSError:
        return False
    os.close(number)
    return for_clients(number)


def short(error: BaseException) -> bool:
    """Tell whether *error* is a want of this process, which no server is to blame for."""
    return isinstance(error, OSError) and error.errno in _SHORT


def missing() -> OSError:
    """Return the error of an attempt that is not made since no descriptor is left for it."""
    return OSError(errno.EMFILE, os.strerror(errno.EMFILE))
