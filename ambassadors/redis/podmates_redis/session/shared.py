"""What all sessions of the process share. Plain data, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from podmates_redis.commands.overrides import Overrides
from podmates_redis.commands.table import Table, builtin
from podmates_redis.ledger import Ledger
from podmates_redis.marks import Follower, Marks
from podmates_redis.roster.lines import BUILTIN, Line, learnt
from podmates_redis.roster.roster import Roster
from podmates_redis.servers.choosing import Choice, choose
from podmates_redis.session.barred import Barred
from podmates_redis.session.budget import Budget
from podmates_redis.session.porch import Porch
from podmates_redis.session.scripts import Scripts
from podmates_redis.session.slowlog import SlowLog
from podmates_redis.session.tally import Tally
from podmates_redis.tokens import Tokens
from podmates_redis.wire.dialects import REDIS_7, Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings that decide what happens to a command."""

    consistency: str = "session"  # session, own-writes, bounded, eventual, strict
    choice: Choice = Choice()  # noqa: RUF009  (frozen)
    fallback: str = "master"  # what answers a read that no replica can take; or error, stale
    fallback_rate: float = 0.0  # such reads a second that the master answers; 0: any number
    administrative: bool = False  # whether dangerous commands pass
    passthrough: bool = False  # clients log in with their own credentials
    accept_any_auth: bool = False  # without users of our own: every login is right
    script_cache: bool = False  # EVALSHA at a master that lacks the script is repaired
    op_timeout: float = 5.0  # seconds for a command; 0: any time
    failover_wait: float = 5.0  # seconds in which a command that a server refused to run is sent again
    max_pending: int = 10_000  # commands that may wait for a connection
    retries: int = 2  # times a command that can run twice is sent again when its reply was lost
    close_on_unknown: bool = False  # close the client of a command that may have run, rather than say so
    resume_waits: bool = False  # a wait that a demoted master has ended goes on at the next one
    rewrite_ro: bool = False  # a replica is sent SORT_RO for a SORT that only reads
    overrides: Overrides = Overrides()  # noqa: RUF009  (frozen)
    eval_no_writes: bool = False  # EVAL of a script that says it writes nothing is a read


class Pause:
    """Whether clients are to wait; of several pauses the last end and the strictest kind count."""

    def __init__(self) -> None:
        self.on = False
        self.everything = False  # else only what writes
        self.end = 0.0  # on the clock

    def begin(self, end: float, everything: bool) -> None:
        if self.on:
            end, everything = max(end, self.end), everything or self.everything
        self.on, self.end, self.everything = True, end, everything

    def over(self) -> None:
        self.on = False


@dataclass(slots=True)
class Crowd:
    """What is counted over all clients, whichever shards they are at."""

    pending: int = 0  # commands that wait for a connection
    monitors: int = 0  # clients in MONITOR: while there are any, they are to see all reads


@dataclass(slots=True)
class Shared:
    """The facts that every session reads."""

    policy: Policy = field(default_factory=Policy)
    table: Table = field(default_factory=builtin)
    original: Table | None = None  # the same, as the master says it; None: it has not
    marks: Marks = field(default_factory=Marks)
    followers: list[Follower] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    slowlog: SlowLog = field(default_factory=SlowLog)
    scripts: Scripts = field(default_factory=Scripts)
    misjudged: set[str] = field(default_factory=set)  # reads that a replica refused as writes
    barred: Barred = field(default_factory=Barred)
    crowd: Crowd = field(default_factory=Crowd)
    ledger: Ledger = field(default_factory=Ledger)  # of the memory that clients take
    budget: Budget = field(default_factory=Budget)
    roster: Roster = field(default_factory=Roster)
    template: Line = field(default_factory=lambda: learnt(BUILTIN))  # of the lines in CLIENT LIST
    dialect: Dialect = REDIS_7  # of the master
    greeting: Sequence[object] = ()  # its reply to HELLO in RESP2
    master_databases: int = 0  # how many it has; 0: not known
    learnt: bool = True  # a master has said how it does things
    login: Callable[[], tuple[bytes, bytes | None]] = lambda: (b"", None)  # the ambassador's own at servers
    logins: Callable[[], Mapping[bytes, Sequence[bytes]]] | None = None  # of clients; None: not ours to keep
    porch: Porch = field(default_factory=Porch)  # where clients log in to the servers themselves
    pause: Pause = field(default_factory=Pause)
    resume: Callable[[float], None] = lambda seconds: None  # ends the pause in so many seconds
    clock: Callable[[], float] = lambda: 0.0  # seconds
    turned_away: bool = False  # a read went to the master for want of proof: probe soon
    master_name: str = ""
    news: Callable[[], None] = lambda: None  # followers or commands are others now
    look: Callable[[], None] = lambda: None  # brings tally and sessions up to date
    why_nobody: str = "no_replica"  # "lag" when that is the only thing against one
    home: Follower = field(
        default_factory=lambda: Follower("master")
    )  # the master, where it is read by choice
    kin: list[Shared] = field(default_factory=list)  # of the shards of a cluster, which have their own
    chance: Callable[[], float] = lambda: 0.0  # numbers in [0, 1)
    _falls: Tokens | None = field(init=False)  # reads that may fall back; None: any number

    def change(self, policy: Policy) -> None:
        """Decide by *policy* from now on."""
        self.policy, self.table = policy, policy.overrides.applied(self.original or builtin())
        self.__post_init__()

    def __post_init__(self) -> None:
        rate = self.policy.fallback_rate
        self._falls = Tokens(rate, max(rate, 1.0)) if rate else None

    def pick(self, user: bytes, apart: Follower | None = None) -> Follower | None:
        """Return who *user* reads from now on, not *apart*; `home` for the master; None for nobody."""
        home, now = self.home if self.home.usable else None, self.clock()
        others = [
            one for one in self.followers if one is not apart and not self.barred.has(one.name, user, now)
        ]
        return choose(self.policy.choice, others, home, self.chance)

    def better(self, current: Follower) -> bool:
        """Tell whether a client that reads *current* belongs elsewhere, though it is usable."""
        return (
            self.policy.choice.read_from == "master_preferred"
            and current is not self.home
            and self.home.usable
        )

    def falls_back(self) -> bool:
        """Count a read that the master is to answer for want of a replica; False when that were too many."""
        return self._falls is None or not self._falls.take(self.clock())
