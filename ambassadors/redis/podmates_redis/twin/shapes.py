"""The shapes of the shared path in Python: what is known of commands, clients, requests and servers.

Numbers that the rest of the service sees are those of the compiled engine, see engine/shapes.pxi. No I/O, no
clock: `Core.now` is set by who has one; times are seconds.
"""

from __future__ import annotations

from collections import deque

from podmates_redis.engine.events import ENDS
from podmates_redis.engine.rules import HARD, REASONS, WRITE, Row
from podmates_redis.twin.marks import Proof

BLOCK = 7  # a whole MULTI .. EXEC, as one request; the other kinds stand in engine.rules
(
    WHY_NONE,
    WHY_MARK,
    WHY_ACQUIRE,
    WHY_PIPELINE,
    WHY_POLICY,
    WHY_CURSOR,
    WHY_NO_REPLICA,
    WHY_LAG,
    WHY_RETRY,
) = range(9)
BY_MASTER, BY_REPLICA, BY_LOCAL = range(3)
OPEN, LEAVING, DOOMED, CLOSED, AWAY = range(5)  # Client.state
FINE, LEAVE, HOLD, MORE, FAIL = range(5)  # what is to become of a request
FOR_READS, FOR_MASTER, FOR_REPLIES = 1, 2, 3  # Client.hold

PLACES, GROUPS, COMMANDS, NAME_BYTES = 16, 64, 512, 32
BATCH = 256  # requests looked at together
PLAIN_LIMIT = (
    65536  # bytes; longer requests are for connections of one client: a stalled upload must not block all
)
RECEIVE = 65536  # bytes read from a server at a time
LINE = 1024  # bytes of a line without end from which it is passed on unfinished
WINDOW, WIDEST = (
    16,
    1024,
)  # unanswered commands of a client that has not shown that it takes its replies; of others
CREDIT = 50_000  # fifths of a retry that are saved up at most
UNREAD = 1 << 18  # bytes of unread output from which later commands are not shared
KEPT = 8  # times as many, the rest of the reply at hand included, from which its connection is not read
EARLY = 16  # times as many of replies that wait for an earlier one, from which the same holds
REFUSAL = 512  # bytes of what a server says that refuses a command
SLOWS, WORDS, WORD_BYTES = 128, 64, 16
STUCK_AFTER, OTHERS_WAIT, ANOTHER = 1.0, 0.2, 2.0  # seconds
CLIENT_COST = 1600  # bytes that a client takes, about

Keys = tuple[int, ...] | None  # places among the marks; None: it may be any
Slow = tuple[int, str, bytes | None, int, float, float, float, float, int, bytes]
Event = tuple[int, int, int, int]
# of the parts of a histogram, the last without end
BOUNDS = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0)


class Histogram:
    """How many took how long."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0


class Command:
    """One command, and what was counted of it."""

    def __init__(self, row: Row) -> None:
        self.name, self.row = row.name, row
        self.kind, self.rule, self.reason, self.flags = row.kind, row.rule, row.reason, row.flags
        self.tally = [[0, 0], [0, 0], [0, 0]]  # by route: answered well, with an error
        self.took: list[Histogram | None] = [None, None, None]  # by route


Head = tuple[Command, int]  # what the beginning of a request says: its command, and how many words it has


class Request:
    """One whole request in a client's bytes."""

    __slots__ = ("command", "data", "flags", "keys", "kind", "reason", "replies", "words")

    def __init__(self, data: bytes, words: list[bytes]) -> None:
        self.data, self.words = data, words
        self.command: Command = UNKNOWN
        self.kind = self.flags = self.reason = 0
        self.replies = 1  # or those of a block
        self.keys: Keys = ()


class Slot:
    """Requests on their way to a server: one, or a *count* of the same command that came together."""

    generation = 0  # of a write that is sent; 0: not counted
    passed = 0  # bytes of its reply that are passed on
    told = 0  # of a block: replies that the client has already
    silent = 0  # replies to drop, since an earlier sending has brought them
    tries = 0  # times that a reply to it was lost
    refused_before = False  # its group knows in what words
    partial = False  # some of the reply at hand has been passed on
    refused = False  # its block was: drop what comes, send it again at the end
    over = False  # its reply is for nobody: its client has been told something, or asks elsewhere
    elsewhere = False  # a replica that failed had it before
    odd = False  # one of these is not as at first

    def __init__(self, client: Client, request: Request, now: float, count: int = 1) -> None:
        self.client, self.data, self.count = client, request.data, count
        self.command, self.kind = request.command, request.kind
        self.flags, self.reason = request.flags, request.reason
        self.replies = self.owed = request.replies
        self.seq = client.next_seq
        self.since = self.began = now  # when it came, and when it was sent; 0: not yet
        self.end = 0  # where it ends in what its connection sends

    def again(self) -> Slot:
        """Return another slot for the same."""
        found = Slot.__new__(Slot)
        found.__dict__.update(self.__dict__)
        return found

    def writes(self) -> bool:
        return self.kind == WRITE or self.kind == BLOCK


class Parked:
    """A reply, or its beginning, or several, that came before its turn."""

    __slots__ = ("complete", "count", "pieces", "size")

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.size, self.complete, self.count = 0, False, 1


class Client:
    """One client that is here."""

    state, hold, place, why = OPEN, 0, 0, 0
    dirty = resumed = False
    reading, wants_write = True, False
    ended = False  # it sends nothing more, or is not asked any more
    moved = False  # some of its commands were taken from one master to the next
    known = False  # it was given: who gave it has to hear when it is gone
    next_seq = head_seq = 0  # of its next request; of the reply it is owed next
    at_master = at_replica = writes = 0  # requests there; of those at the master, writes
    born = heard = taken = 0.0  # when it came, last sent something, took something
    where = b""  # it is connected, as whoever gave it says it
    command: Command | None = None  # its last
    did = 0
    pauses = 0  # connections that are not read because of it
    sending = False  # more, while it is not read
    unpaced = False  # until it has taken all, they are read nevertheless
    oldest_write = 0  # no unanswered write of it is of an older generation
    input = b""  # an incomplete request, or what is held back
    input_need = 0
    unsent = kept = 0  # bytes of replies that are here; those of them that are counted as memory
    parked_bytes = 0
    master: Upstream | None = None  # where its latest commands went
    replica: Upstream | None = None

    def __init__(self, fd: int, number: int, group: Group) -> None:
        self.fd, self.id, self.group = fd, number, group
        self.window = WINDOW
        self.output: list[bytes] = []  # that nobody has tried to send
        self.backlog: deque[bytes] = deque()  # that comes before it
        self.parked: dict[int, Parked] = {}
        self.read: list[
            Keys | bytes
        ] = []  # what it reads at a replica: places, or requests with one key each


class Upstream:
    """One connection to a server; with the descriptor -1 what it holds waits for one."""

    late = False  # a client was told so: nobody is to wait behind that
    hopeless = False  # to be closed at the end of the turn
    collecting = False  # refused something, or is the master no more: take what it owes, send nothing
    stuck = False  # its head is unanswered for long
    wants_write, current = False, True
    paused_for: Client | None = None  # not read, since this client does not take what it brings
    paused_at = collect_until = moved = 0.0  # `moved`: when it last said something
    head = sent = tail = 0  # bytes: answered, with the kernel, in all
    need = skip = 0  # elements, or bytes of the bulk at hand, that the reply at hand still lacks
    in_line = error = False  # within a line that is passed on unfinished; the reply at hand is an error line
    rest = b""  # an unfinished line

    def __init__(self, group: Group, place: int) -> None:
        self.fd = -1
        self.group, self.place = group, place
        self.slots: deque[Slot] = deque()
        self.pending: deque[bytes] = deque()  # from `sent` to `tail`

    def wait(self) -> None:
        """Have all that is here still to be sent."""
        self.pending = deque(slot.data for slot in self.slots)
        self.sent = self.head

    def append(self, slot: Slot) -> None:
        self.tail += len(slot.data)
        slot.end = self.tail
        self.slots.append(slot)
        self.pending.append(slot.data)

    def join(self, slot: Slot) -> None:
        """Make *slot* a part of the newest."""
        last = self.slots[-1]
        self.tail += len(slot.data)
        last.data += slot.data
        last.count, last.end = last.count + slot.count, self.tail
        self.pending[-1] = last.data

    def drop(self) -> Slot:
        """Forget the oldest."""
        slot = self.slots.popleft()
        self.head += len(slot.data)
        return slot


class Group:
    """One class of shared connections."""

    def __init__(self, number: int, database: int) -> None:
        self.number, self.database = number, database
        self.salt = database * 0x9E37  # so that a key of another database has another mark
        self.collecting = 0  # masters of it that still owe replies
        self.current: list[Upstream | None] = [None] * PLACES
        self.refusal = b""  # what a master last said that refused something


class Place:
    """A server, for all groups: 0 is the master, the others are replicas."""

    def __init__(self) -> None:
        self.usable = False
        self.covered = self.clients = self.others = self.reads = self.sent = self.received = 0
        self.share = 1.0
        self.served = Histogram()


class Core:
    """All that is here."""

    def __init__(self, *, window: int, memory_limit: int, output_limit: int) -> None:
        self.proof = Proof()
        self.commands: dict[bytes, Command] = {}
        self.heads: dict[bytes, Head | None] = {}
        self.groups: list[Group] = []
        self.places = [Place() for _ in range(PLACES)]
        self.upstreams: list[Upstream] = []
        self.clients: dict[int, Client] = {}
        self.dirty: list[Client] = []
        self.leavers: list[Client] = []
        self.events: list[Event] = []
        self.reads_allowed = self.prove_marks = self.prove_floor = True
        self.lagging = self.turned_away = False
        self.gone = [0] * len(ENDS)  # clients, by why
        self.reads = [0] * len(REASONS)  # answered at the master, by reason
        self.retries = self.holds = self.resent = self.lost = 0
        self.queued = [Histogram() for _ in range(3)]  # by route: from a request's arrival to its sending
        self.words: dict[bytes, int] = {}  # errors by first word
        self.slows: deque[tuple[Slot, int, float]] = deque(maxlen=SLOWS)  # what, where, when
        self.slow_told = 0.0
        self.lost_text = self.late_text = b""
        self.window = window
        self.memory_limit, self.client_limit = memory_limit, output_limit
        self.unread = min(UNREAD, memory_limit // 32) if memory_limit else UNREAD
        self.kept = 0  # bytes of output, input and early replies
        self.now = 0.0
        self.turn = 0
        self.credit = CREDIT
        self.patience = self.grace = self.failover_wait = self.slow = 0.0
        self.most_tries, self.close_unknown = 0, False

    def memory(self) -> int:
        """Return the bytes that clients and servers take, about."""
        return self.kept + len(self.clients) * CLIENT_COST + sum(u.tail - u.head for u in self.upstreams)

    def over_limit(self) -> bool:
        return self.memory_limit != 0 and self.memory() > self.memory_limit


class Nobody(Client):
    """Whose requests are asked elsewhere."""

    state = AWAY


UNKNOWN = Command(Row("", HARD))
NOBODY = Nobody(-1, 0, Group(-1, 0))
