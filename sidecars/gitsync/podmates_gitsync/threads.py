"""Threads of ours: none holds up the end of the process, and no room for one more is an OSError."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from typing import Any


def start(target: Callable[..., object], *given: Any, name: str) -> threading.Thread:
    """Run *target* with what is *given* in a thread called *name*, and return that.

    Raises:
        OSError: there is no room for it, as in a container at its limit of processes.
    """
    thread = threading.Thread(target=target, args=given, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, str(error)) from None
    return thread
