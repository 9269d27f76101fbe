"""What is counted of commands and clients, by label values. No I/O.

Counting in a core bends a rule: an event for each command would cost more than the command.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

BOUNDS = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0)  # seconds

# first words of errors; scripts make up others, which must not make series of their own
_WORDS = """
ASK BUSY BUSYGROUP BUSYKEY CLUSTERDOWN CROSSSLOT DENIED ERR EXECABORT INPROG INVALIDOBJ IOERR LOADING
MASTERDOWN MISCONF MOVED NOAUTH NOGOODSLAVE NOGROUP NOMASTERLINK NOPERM NOPROTO NOREPLICAS NOSCRIPT NOTBUSY
NOTREADY OOM READONLY REDIRECT TRYAGAIN UNBLOCKED UNKILLABLE WRONGPASS WRONGTYPE
"""
ERRORS = frozenset(_WORDS.split())


class Times:
    """A histogram of seconds: how many were in each of BOUNDS or beyond them, and what they make together."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def merge(self, counts: Sequence[int], total: float) -> None:
        """Add what another one has counted."""
        self.counts = [one + other for one, other in zip(self.counts, counts, strict=True)]
        self.total += total


@dataclass(slots=True)
class Tally:
    """The counts since the start."""

    commands: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # command, route, outcome
    reads: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # route, reason, node
    retries: Counter[str] = field(default_factory=Counter)  # cause
    errors: Counter[str] = field(default_factory=Counter)  # first word of the reply
    closed: Counter[str] = field(default_factory=Counter)  # clients, by reason
    broken: int = 0  # clients whose stream was no protocol
    faults: int = 0  # errors of ours
    durations: dict[tuple[str, str], Times] = field(default_factory=dict)  # command, route
    queued: dict[str, Times] = field(default_factory=dict)  # route: from a command's arrival to its sending
    served: dict[str, Times] = field(default_factory=dict)  # node: from its sending to its reply

    def error(self, word: bytes, count: int = 1) -> None:
        """Count an error reply, or so many, that begins with *word*."""
        name = word.decode("latin-1")
        self.errors[name if name in ERRORS else "other"] += count

    def took(self, command: str, route: str, seconds: float) -> None:
        """Count that *command* was answered after so many seconds."""
        times = self.durations.get((command, route))
        if times is None:
            times = self.durations[command, route] = Times()
        times.add(seconds)

    def sent(self, route: str, node: str, waited: float, took: float) -> None:
        """Count what a command spent here before it was sent, and at *node* until its reply was here."""
        for known, name, seconds in ((self.queued, route, waited), (self.served, node, took)):
            times = known.get(name)
            if times is None:
                times = known[name] = Times()
            times.add(seconds)

    def forget(self, node: str) -> None:
        """Keep nothing of *node*: it is not among the servers any more."""
        self.served.pop(node, None)
        for key in [key for key in self.reads if key[2] == node]:
            del self.reads[key]
