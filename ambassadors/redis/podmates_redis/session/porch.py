"""Who has not logged in where clients log in to the servers themselves (`--auth passthrough`). No I/O.

The law of this file
 1. Whether the master wants a login is heard on every connection to it that was made without one. While it
    does a stranger is answered here, in the server's words and within its limits, and has none.
 2. Once in a while one of them is let in all the same, to hear whether that still holds.
 3. A login is the master's to judge. So many strangers at a time have a connection for it; the others wait.
    Who is refused has none any more. What comes behind a login is not read before it is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

MOST = 16  # strangers that try a login at a time
_LOOK = 1.0  # seconds between two that are let in


class Stranger(Protocol):
    """Who has not logged in."""

    wake: Callable[[], None]


class Porch:
    """What is known of the master's door, and who knocks at it."""

    def __init__(self) -> None:
        self.closed = False  # who has not logged in may do nothing else
        self._look_at = 0.0  # when one is let in again, on the clock
        self._inside: set[Stranger] = set()
        self._waiting: dict[Stranger, None] = {}  # in the order of coming

    def heard(self, error: str) -> None:
        """The master has answered a question of somebody who had not logged in; *error* if it refused."""
        if error.startswith("NOAUTH"):
            self.closed = True
        elif not error:
            self.closed = False
            waiting, self._waiting = self._waiting, {}
            for who in waiting:
                who.wake()

    def looks(self, now: float) -> bool:
        """Tell whether somebody is let in, to hear how the master answers now."""
        if now < self._look_at:
            return False
        self._look_at = now + _LOOK
        return True

    def enter(self, who: Stranger) -> bool:
        """Tell whether *who* may try a login now; else it is woken when it may."""
        if who in self._inside:
            return True
        if len(self._inside) >= MOST:
            self._waiting[who] = None
            return False
        self._waiting.pop(who, None)
        self._inside.add(who)
        return True

    def leave(self, who: Stranger) -> None:
        """*who* has been judged, or is gone."""
        self._waiting.pop(who, None)
        if who in self._inside:
            self._inside.discard(who)
            for other in list(self._waiting)[: MOST - len(self._inside)]:
                other.wake()
