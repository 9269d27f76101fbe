"""One request on its way, and one connection to a server as a session sees it. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from podmates_redis.commands.plans import Plan
from podmates_redis.commands.table import Kind, Use
from podmates_redis.marks import Follower
from podmates_redis.session.shared import Shared
from podmates_redis.session.state import State
from podmates_redis.session.transactions import Result, Transaction
from podmates_redis.wire.requests import Request


class Slot:
    """The place of one reply in a client's queue, with all that is needed to get it, again if need be."""

    __slots__ = (
        "acks",
        "answer",
        "args",
        "began",
        "block",
        "clash",
        "done",
        "dry",
        "ended",
        "era",
        "generation",
        "hops",
        "inside",
        "kind",
        "leg",
        "marks",
        "mute",
        "own",
        "parts",
        "passed",
        "plan",
        "raw",
        "reading",
        "refusal",
        "result",
        "route",
        "sent",
        "shut_out",
        "since",
        "size",
        "streamed",
        "then",
        "tries",
        "uploaded",
        "weight",
        "why",
    )

    def __init__(self, request: Request, plan: Plan) -> None:
        self.args, self.raw = request
        self.reading = b""  # what a replica is sent in place of raw
        self.plan = plan
        self.kind: Kind = plan.command.kind
        self.parts: list[bytes] = []  # of the reply, not passed on yet
        self.size = 0  # bytes in parts
        self.passed = 0  # bytes that the client has already
        self.done = False
        self.mute = False  # CLIENT REPLY: the reply is dropped
        self.sent = False  # written to the connection it waits for
        self.streamed = False  # some of the reply is with the client already
        self.uploaded = False  # it passed on while it came, so it cannot be sent again
        self.inside = False  # queued in a transaction, so its reply is not its result
        self.clash = False  # a read of a key that is written later in the same batch
        self.acks = 0  # acknowledgements that a subscription still owes; -1: not known yet
        self.answer: bytes | None = None  # told to the client in place of what the server says
        self.then: Callable[[bytes], bytes | None] | None = None  # the answer, of the server's; None: again
        self.block: Transaction | None = None  # the transaction it belongs to, MULTI and EXEC included
        self.dry = False  # it is only made ready to be sent
        self.result: Result | None = None  # what its part of EXEC's reply means
        self.marks: Sequence[int] | None = ()  # of the keys; None: all
        self.generation = 0  # of a write; 0: not marked when sent
        self.era = 0  # of the scripts, when it was sent
        self.since = 0.0  # when it was here, seconds
        self.began = self.ended = 0.0  # when it was sent last, when its reply was here; 0: it was not
        self.own = False  # of the ambassador's, which no client has sent
        self.weight = 0  # bytes of memory; 0: not the client's request
        self.tries = 0  # times its reply was lost
        self.hops = 0  # times a server of a cluster has sent it elsewhere
        self.leg: Leg | None = None  # of a cluster: where it was sent
        self.refusal = b""  # what a server said that did not run it
        self.shut_out: Follower | None = None  # the replica that refused its user
        self.route = ""
        self.why = ""  # why a read was not for a replica

    def replan(self, plan: Plan, reading: bytes) -> None:
        """Treat it by *plan*; a replica is sent *reading* for it, unless that is empty."""
        self.plan, self.kind, self.reading = plan, plan.command.kind, reading

    def acquires(self) -> bool:
        """Tell whether the reply may mean that another pod has done its part."""
        return self.plan.command.acquires and self.kind is not Kind.READ  # EVAL may be one

    def script(self) -> bool:
        """Tell whether it runs a script, which may take any time, and the more of it the more servers try."""
        return self.plan.command.script is not Use.NONE or self.plan.command.name in ("fcall", "fcall_ro")

    def error(self) -> bool:
        """Tell whether the reply is an error line."""
        return not self.streamed and bool(self.parts) and self.parts[0][:1] == b"-"


def dropped(slot: Slot, raw: bytes = b"") -> Slot:
    """Return what takes the reply of *slot*, or of *raw* sent for it, and shows it to nobody."""
    silent = Slot(Request([], raw), slot.plan)
    silent.sent = silent.done = True
    return silent


_WRITING = frozenset([Kind.WRITE, Kind.EXEC, Kind.BLOCKING])


class Lane:
    """A connection to a server: what waits for its reply, in order, and what is to be written."""

    __slots__ = (
        "collecting",
        "drop",
        "frame",
        "framed",
        "id",
        "out",
        "queue",
        "reads",
        "state",
        "up",
        "wrote",
        "wrote_here",
    )

    def __init__(self, *, reads: bool = False) -> None:
        self.reads = reads  # to a replica
        self.queue: deque[Slot] = deque()
        self.out: list[bytes] = []
        self.up = False
        self.drop = False  # the shell is to close the connection
        self.collecting = False  # it refused a command: take what it still owes, send nothing more
        self.frame: list[bytes] | None = None  # parts of a push that is not complete
        self.framed = 0  # bytes of them
        self.state = State()
        self.id = 0  # that the server gave the connection; 0: not known
        self.wrote = self.wrote_here = False  # something that may be a write went out; by this connection

    def send(self, slot: Slot) -> bool:
        """Write *slot*, now (True) or when the connection is there."""
        self.queue.append(slot)
        slot.sent = self.up and not self.collecting
        if slot.sent:
            self._write(slot)
        return slot.sent

    def ready(self, state: State, number: int = 0) -> None:
        """The connection stands, in *state*, with the id *number*: write what has waited for it."""
        self.up, self.drop, self.collecting, self.state, self.id = True, False, False, state, number
        for slot in self.queue:
            slot.sent = True
            self._write(slot)

    def _write(self, slot: Slot) -> None:
        if slot.kind in _WRITING and not slot.plan.command.counts:
            self.wrote = self.wrote_here = True
        self.out.append(slot.reading if self.reads and slot.reading else slot.raw)

    def close(self) -> None:
        """Let the shell close the connection; the queue stays for whoever takes it over."""
        self.drop, self.up, self.collecting, self.frame = True, False, False, None
        self.wrote_here, self.framed = False, 0
        self.out.clear()

    def owed(self) -> bool:
        """Tell whether a reply to something written is missing."""
        return bool(self.queue) and self.queue[0].sent

    def changes(self) -> bool:
        """Tell whether the reply to something is missing that may do more than tell."""
        return any(slot.sent and slot.kind is not Kind.READ for slot in self.queue)


class Leg:
    """The connections of one client to one shard of a cluster, and what is known of them."""

    __slots__ = """
        at_replica begun echoes follower holds master number replica shared writes
    """.split()  # noqa: SIM905  (one a line would hide what follows)

    def __init__(self, number: int, shared: Shared) -> None:
        self.number, self.shared = number, shared
        self.master, self.replica = Lane(), Lane(reads=True)
        self.follower: Follower | None = None
        self.at_replica = 0
        self.writes: deque[Slot] = deque()
        self.holds = False  # channels, so that its loss is the client's
        self.begun = bytearray()  # a line of MONITOR whose end has not come
        self.echoes = False  # its next line says what another shard has said

    def busy(self) -> bool:
        """Tell whether anything is on its way to the shard."""
        return bool(self.master.queue or self.replica.queue)
