"""One client, between its own connection and its pair of connections to servers. No I/O.

The law of the session (this module holds the facts; `routing` lets requests in, `answering` takes replies,
`losing` repairs what a lost connection leaves)
 1. `slots` are the client's requests in order; a reply leaves when all before it have left.
 2. A lane's queue is in the order of sending; a reply belongs to the oldest slot of its lane.
 3. A write does not overtake its client's reads at a replica: it is held until they are answered.
 4. Marks are set before a write is sent, the floor before a reply leaves.
 5. A shell calls in, then writes `output`, `master.out` and `replica.out`, opens what is wanted, closes
    what is to `drop`, and closes the client when `closing` (after the output) or `abort` (at once) says so.
"""

from __future__ import annotations

from collections import deque

from podmates_redis.commands import Kind
from podmates_redis.marks import Follower, Marks
from podmates_redis.shared import Shared
from podmates_redis.slots import Lane, Slot
from podmates_redis.state import State
from podmates_redis.subscriptions import Subscriptions
from podmates_redis.transactions import Transaction

STREAM = 64 * 1024  # bytes of a reply from which it is passed on before it is complete
PARKED = 4 << 20  # bytes of replies that wait for an earlier one, from which their server is not read
IN_FLIGHT = 10_000  # unanswered commands of one client; the next one waits
TRIES = 20  # times a command that a server refused to run is sent again


class Session:
    """The facts of one client."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.marks: Marks = shared.marks
        self.slots: deque[Slot] = deque()
        self.held: deque[Slot] = deque()  # not let in yet
        self._writes: deque[Slot] = deque()  # marked, in the order of sending; answered ones go late
        self.held_bytes = 0
        self.parked = 0  # bytes of replies that are here and not with the client
        self.master, self.replica = Lane(), Lane()
        self.output: list[bytes] = []
        self.closing = self.abort = False
        self.lingering = False  # close soon: what is still to come cannot be told from the rest
        self.quitting = False  # nothing more is let in
        self.eof = False  # the client sends nothing more
        self.suspect = False  # a server behaved unlike its role: look again
        self.follower: Follower | None = None
        self.at_replica = 0  # 256 bits: hashes of keys read there and not answered
        self.blocked: Slot | None = None
        self.muted = False  # CLIENT REPLY OFF
        self.skip = False  # CLIENT REPLY SKIP
        self.fresh()

    def fresh(self) -> None:
        """Be as after connecting, or RESET."""
        self.state = State()
        self.databases = {
            self.state.database
        }  # that the connection may be in; one, unless SELECT is on its way
        self.unsettled = 0  # changes of state on their way
        self.pinned = False  # has state that we do not mirror: the master, and no other connection
        self.tunnel = self.tunnel_wrote = self.tunnel_heard = self.monitoring = False
        self.subscriptions = Subscriptions()
        self.subscribing = 0  # subscribe and unsubscribe commands on their way
        self.transaction: Transaction | None = None
        self.open = False  # the server has said yes to MULTI and has not answered EXEC
        self.watching = self.watched = False  # WATCH is sent; WATCH is answered
        self.watch_lost = False
        self.muted = self.skip = False

    # -- what the shell asks ------------------------------------------------------------

    def idle(self) -> bool:
        """Tell whether nothing of this client is on its way."""
        return not self.slots and not self.held

    def waiting(self) -> bool:
        """Tell whether the client waits for something that may never come."""
        return self.blocked is not None or self.tunnel or self.subscriptions.active()

    def wants_master(self) -> bool:
        """Tell whether there is something to send to a master and no connection to send it on."""
        return not self.master.up and bool(self.master.queue)

    def wants_replica(self) -> bool:
        """Tell whether there is something to send to the follower and no connection to send it on."""
        return not self.replica.up and bool(self.replica.queue)

    # -- what the parts of the machine share ------------------------------------------------------------

    def tell(self, slot: Slot, reply: bytes) -> None:
        """Answer *slot* here."""
        slot.parts, slot.done = [reply], True
        slot.route = slot.route or "local"

    def to_master(self, slot: Slot, why: str = "") -> None:
        """Send *slot* to the master; *why* says what kept a read from the replicas."""
        slot.route, slot.why = "master", why
        if self.master.send(slot):
            self._mark(slot)

    def master_ready(self, state: State) -> None:
        """The connection to the master stands, in *state*: send what has waited for it."""
        self.master.ready(state)
        for slot in self.master.queue:
            self._mark(slot)

    def _mark(self, slot: Slot) -> None:
        """Mark the keys of a write that is sent now."""
        if slot.kind not in (Kind.WRITE, Kind.EXEC) or slot.inside or slot.generation:
            return
        if slot.marks is None:
            slot.generation = self.marks.write_everything()
        elif slot.marks:
            slot.generation = self.marks.write(slot.marks)
        if slot.generation:
            self._forget_answered_writes()
            self._writes.append(slot)

    def overdue(self) -> bool:
        """Tell whether a write of this client has been unanswered for so long that it left the proof."""
        self._forget_answered_writes()
        return bool(self._writes) and self._writes[0].generation <= self.marks.late

    def _forget_answered_writes(self) -> None:
        while self._writes and not self._writes[0].generation:
            self._writes.popleft()

    def keep(self, slot: Slot, data: bytes) -> None:
        """Keep a part of the reply of *slot* until its turn has come."""
        slot.parts.append(data)
        slot.size += len(data)
        self.parked += len(data)

    def forget(self, slot: Slot) -> None:
        """Keep nothing of the reply of *slot*."""
        self.parked -= slot.size
        slot.parts, slot.size = [], 0

    def stuffed(self, route: str) -> bool:
        """Tell whether replies by *route* (master, replica) only pile up behind one that comes otherwise."""
        return self.parked > PARKED and bool(self.slots) and self.slots[0].route != route

    def settle(self, slot: Slot) -> None:
        """Let marks and floor know what the reply of *slot* shows, before the client sees any of it."""
        if slot.generation:
            self.marks.answered(slot.generation, slot.marks)
            slot.generation = 0
        elif slot is self.blocked:
            self.marks.mark(slot.marks)
        if slot.plan.command.acquires and slot.route == "master" and not slot.inside:
            self.marks.acquire()

    def release(self) -> None:
        """Move the replies whose turn has come to the output."""
        while self.slots and self.slots[0].done:
            slot = self.slots.popleft()
            self.parked -= slot.size
            self._count(slot)
            if not slot.mute:
                self.output += slot.parts
        if self.slots and self.slots[0].size > STREAM:
            self._stream(self.slots[0])
        if self.slots or self.held:
            return
        if self.quitting or self.eof:
            self.closing = True

    def _stream(self, head: Slot) -> None:
        if head.generation or (head.plan.command.acquires and not head.streamed):
            # its client may act on what it sees, so all it can know must count from now on
            self.marks.mark(head.marks)
            self.marks.acquire()
        if not head.mute:
            self.output += head.parts
        self.forget(head)
        head.streamed = True

    def _count(self, slot: Slot) -> None:
        tally, command = self.shared.tally, slot.plan.command
        outcome = "error" if slot.error() else "ok"
        tally.commands[(command.name, slot.route, outcome)] += 1
        if slot.kind is Kind.READ:
            node = self.shared.master_name if slot.route == "master" else ""
            if slot.route == "replica" and self.follower:
                node = self.follower.name
            tally.reads[(slot.route, slot.why, node)] += 1
