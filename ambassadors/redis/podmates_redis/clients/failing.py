"""How a client ends in which an error of ours has come up: at once, and whatever else goes wrong then."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from typing import Protocol

from podmates_redis import faults
from podmates_redis.session.session import Session


class _Closes(Protocol):
    def close(self) -> None: ...


class Failing:
    """A client that may have to end so."""

    session: Session
    pair: _Closes
    _failed = False

    def fail(self, error: Exception) -> None:
        """Close it and its connections to servers, whose state nobody knows: what is on its way is left."""
        if self._failed:
            return
        self._failed = True
        faults.note(self.session.shared.tally, "a client is closed", error)
        self.session.because("fault")
        for step in (self.cut_off, self.pair.close, self.close, self.end):
            with contextlib.suppress(Exception):  # of the same cause
                step()

    @abstractmethod
    def cut_off(self) -> None:
        """Let the client's connection end."""

    @abstractmethod
    def close(self) -> None:
        """Close it as any other."""

    @abstractmethod
    def end(self) -> None:
        """Let nobody count it any more."""
