"""What all sessions of the process share. Plain data, no I/O."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from podmates_redis.commands import Table, builtin
from podmates_redis.marks import Follower, Marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings that decide what happens to a command."""

    consistency: str = "session"  # session, own-writes, bounded, eventual, strict
    read_from: str = "replica_preferred"  # or master
    administrative: bool = False  # whether dangerous commands pass
    passthrough: bool = False  # clients log in with their own credentials


@dataclass(slots=True)
class Tally:
    """What has been counted, by label values.

    Counting in a core bends a rule: an event for each command would cost more than the command.
    """

    commands: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # command, route, outcome
    reads: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # route, reason, node
    retries: Counter[str] = field(default_factory=Counter)  # cause
    broken: int = 0  # clients whose stream was no protocol


@dataclass(slots=True)
class Shared:
    """The facts that every session reads."""

    policy: Policy = field(default_factory=Policy)
    table: Table = field(default_factory=builtin)
    marks: Marks = field(default_factory=Marks)
    followers: list[Follower] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    monitors: int = 0  # clients in MONITOR: while there are any, they are to see all reads
    turned_away: bool = False  # a read went to the master for want of proof: probe soon
    master_name: str = ""

    def pick(self) -> Follower | None:
        """Return the usable replica with the fewest clients."""
        return min((f for f in self.followers if f.usable), key=lambda f: f.clients, default=None)

    def why_none(self) -> str:
        """Return why no replica is usable."""
        lagging = any(f.why_not == "lag" for f in self.followers)
        return "lag" if lagging else "no_replica"
