"""What clients of several pods did and were told, with the times: the material that `laws` judges.

All times are of one clock, seconds. An operation that ended without a reply ends at `NEVER`: it may have
run, or run later.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum

NEVER = float("inf")
OUTSIDE = -1  # the pod of one who asks the servers themselves, when all is quiet


class Kind(Enum):
    """What an operation was."""

    WRITE = "write"  # of a value that nobody else writes
    READ = "read"
    ACQUIRE = "acquire"  # its reply may tell of others' writes; the value is the message it brought, if any
    SEND = "send"  # of a message, to a queue or a channel
    COUNT = "count"  # INCR; the value is the reply


@dataclass(frozen=True, slots=True)
class Event:
    """One operation of one client."""

    kind: Kind
    pod: int
    client: str
    connection: int
    begin: float
    end: float
    key: str
    value: bytes | None
    refused: bool = False  # answered in words that promise that it did not run
    behind: bytes = b""  # of a read: what its connection has written to the key in the same packet, before it

    def __str__(self) -> str:
        """Say what happened in a line."""
        told = "refused" if self.refused else "unanswered" if self.end == NEVER else f"{self.end:.4f}"
        return f"{self.client} {self.kind.value} {self.key}={self.value!r} {self.begin:.4f}..{told}"


@dataclass(frozen=True, slots=True)
class Loss:
    """A failover in which the servers themselves may lose acknowledged writes.

    What was begun before *until* and is not among what the new master had when it became one (*survived*:
    key → value) may be gone for whoever reads after *since*. Without *survived* only what was acknowledged
    before *reach* is known to be there.
    """

    since: float
    until: float
    survived: Mapping[str, bytes | None] | None = None
    reach: float = 0.0


@dataclass(slots=True)
class History:
    """Everything that happened; safe to add to from any thread."""

    events: list[Event] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)  # what a client saw to be wrong by itself
    errors: Counter[str] = field(default_factory=Counter)  # what clients were told, by first words
    causal: Collection[int] = (0, 1)  # pods that promise causality (law 2), not only their own writes
    acts: list[str] = field(default_factory=list)  # what was done to the servers, with the times
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, event: Event) -> None:
        self.events.append(event)  # atomic

    def fault(self, text: str) -> None:
        self.faults.append(text)

    def told(self, error: str) -> None:
        with self._lock:
            self.errors[error] += 1
