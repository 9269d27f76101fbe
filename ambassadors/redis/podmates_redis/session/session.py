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
from collections.abc import Callable

from podmates_redis.commands.table import Kind, Use
from podmates_redis.marks import Follower
from podmates_redis.roster.roster import Place
from podmates_redis.session.counting import count
from podmates_redis.session.legs import Standing
from podmates_redis.session.shared import Shared
from podmates_redis.session.slots import Slot
from podmates_redis.session.state import State
from podmates_redis.session.subscriptions import Subscriptions
from podmates_redis.session.transactions import Transaction

STREAM = 64 * 1024  # bytes of a reply from which it is passed on before it is complete
PARKED = 4 << 20  # bytes of replies that wait for an earlier one, from which their server is not read
IN_FLIGHT = 10_000  # unanswered commands of one client; the next one waits


class Session(Standing):
    """The facts of one client."""

    # a dictionary of so many would be most of what an idle client takes
    __slots__ = """
        abort asking blocked born broadcast calling capabilities closing counting databases eof errand fence
        heard held held_bytes id lingering monitoring muted observed open output parked passing patient_until
        paused pending pinned pinned_to_track place protected quitting read_bytes redirect redirect_broken
        room skip slots state subscribing subscriptions suspect transacted transaction tunnel tunnel_heard
        tunnel_wrote unread unsettled untouching upload wake watch_lost watched watches watching weight
        who why_closed
    """.split()  # noqa: SIM905  (one a line would hide what follows)

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.place = Place()
        self.born = self.heard = shared.clock()
        self.calling = b"NULL"  # the command let in last
        self.read_bytes = 0  # taken from the client at the last time
        self.unread = 0  # of a request that is not complete
        self.wake: Callable[[], None] = lambda: None  # makes the shell look soon
        self.asking: Slot | None = None  # the command that its line is for
        self.id = 0  # in the roster
        self.slots: deque[Slot] = deque()
        self.held: deque[Slot] = deque()  # not let in yet
        self.held_bytes = 0
        self.weight = 0  # of the requests that are here, bytes
        self.pending = 0  # commands that wait for a connection, as last counted
        self.upload: Slot | None = None  # passes on while it comes
        self.room = PARKED  # for replies that wait, bytes
        self.parked = 0  # bytes of replies that are here and not with the client
        self.output: list[bytes] = []
        self.passing = False  # half of a message is with the client: nothing else may go there
        self.closing = self.abort = False
        self.why_closed = ""  # in one word, for the count; the first reason stands
        self.lingering = False  # close soon: what is still to come cannot be told from the rest
        self.quitting = False  # nothing more is let in
        self.eof = False  # the client sends nothing more
        self.suspect = False  # a server behaved unlike its role: look again
        self.blocked: Slot | None = None
        self.fence: Slot | None = None  # nothing is let in until it is answered
        self.paused: Slot | None = None  # waits for the end of CLIENT PAUSE
        self.muted = False  # CLIENT REPLY OFF
        self.skip = False  # CLIENT REPLY SKIP
        self.errand: Slot | None = (
            None  # what the replicas are to be told, since the master had no use for it
        )
        self.patient_until = 0.0  # time that went by before was not the servers'
        self.transacted = False  # there was a MULTI or a WATCH once
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
        self.counting = False  # it looks at what the master counts, so it reads there
        self.watching = self.watched = False  # WATCH is sent; WATCH is answered
        self.watch_lost = False
        self.watches: set[int] = set()  # of the keys in WATCH that have been answered, each once
        self.muted = self.skip = False
        self.redirect = -1  # id of the client that is told of changed keys; 0: this one; -1: nobody is
        self.redirect_broken = False  # that client is gone
        self.pinned_to_track = False
        self.observed = False  # another client has this one told of changed keys
        self.broadcast = self.protected = self.untouching = False
        self.capabilities = b""
        self.who = b"" if self.shared.logins is not None else b"default"  # the user; empty: not logged in

    # -- what the shell asks ------------------------------------------------------------

    def idle(self) -> bool:
        """Tell whether nothing of this client is on its way."""
        return not self.slots and not self.held

    def waiting(self) -> bool:
        """Tell whether the client waits for something that may never come."""
        return (self.blocked or self.paused) is not None or self.tunnel or self.subscriptions.active()

    def stopped(self) -> bool:
        """Tell whether nothing may be let in now."""
        fenced = self.fence is not None and not self.fence.done
        return fenced or self.blocked is not None or self.master.collecting

    def uploads_to_nobody(self) -> bool:
        """Tell whether a request passes on for which there is no connection yet."""
        return self.upload is not None and not (self.upload.sent or self.upload.done)

    def count_pending(self) -> None:
        """Let everybody know how much of this client waits for a connection."""
        master, replica = self.master, self.replica
        pending = (0 if master.up else len(master.queue)) + (0 if replica.up else len(replica.queue))
        if self.guide is not None:
            pending = self.guide.pending()
        if pending != self.pending:
            self.shared.crowd.pending += pending - self.pending
            self.pending = pending

    def waiting_first(self) -> bool:
        """Tell whether what has to be answered first may take any time."""
        blocked = self.blocked is not None and self.slots[0] is self.blocked
        return self.tunnel or blocked or self.subscriptions.active()

    def paused_since(self) -> float:
        """Return when the command came that waits for the end of a pause; for none the end of time."""
        return self.paused.since if self.paused is not None else float("inf")

    def since(self, slot: Slot) -> float:
        """Return since when the servers could have answered *slot*."""
        if slot is self.upload:
            return self.shared.clock()
        return max(slot.since, self.patient_until)

    def be_patient(self) -> None:
        """Let no time count that has gone by."""
        self.patient_until = self.shared.clock()

    def follow(self, follower: Follower | None) -> None:
        """Read from *follower* from now on."""
        if self.follower is not None:
            self.follower.clients -= 1
        self.follower = follower
        if follower is not None:
            follower.clients += 1

    def wants_master(self) -> bool:
        """Tell whether there is something to send to a master and no connection to send it on."""
        return not self.master.up and bool(self.master.queue)

    def wants_replica(self) -> bool:
        """Tell whether there is something to send to the follower and no connection to send it on."""
        return not self.replica.up and bool(self.replica.queue)

    def because(self, why: str) -> None:
        """Note why the client is being closed, unless that is known."""
        self.why_closed = self.why_closed or why

    # -- what the parts of the machine share ------------------------------------------------------------

    def tell(self, slot: Slot, reply: bytes) -> None:
        """Answer *slot* here."""
        slot.parts, slot.done = [reply], True
        slot.route = slot.route or "local"

    def to_master(self, slot: Slot, why: str = "") -> None:
        """Send *slot* to the master; *why* says what kept a read from the replicas."""
        slot.route, slot.why = "master", why
        if slot.plan.command.script is not Use.NONE:
            slot.era = self.shared.scripts.sent(slot.plan.command.script)
        slot.began = self.shared.clock()
        if self.master.send(slot):
            self._mark(slot)

    def master_ready(self, state: State, number: int = 0) -> None:
        """The connection to the master stands, in *state*: send what has waited for it."""
        self.master.ready(state, number)
        now = self.shared.clock()
        for slot in self.master.queue:
            slot.began = now
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
            self.writes.append(slot)

    def user(self) -> bytes:
        """Return the name of the user that this client is."""
        return self.state.user or self.who

    def bar(self, follower: Follower) -> None:
        """A replica refuses this client's user, as the master does not."""
        self.shared.barred.add(follower.name, self.user(), self.shared.clock())

    def barred_from(self, follower: Follower) -> bool:
        return self.shared.barred.has(follower.name, self.user(), self.shared.clock())

    def overdue(self) -> bool:
        """Tell whether a write of this client has been unanswered for so long that it left the proof."""
        self._forget_answered_writes()
        return bool(self.writes) and self.writes[0].generation <= self.marks.late

    def _forget_answered_writes(self) -> None:
        while self.writes and not self.writes[0].generation:
            self.writes.popleft()

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
        if self.parked <= min(PARKED, self.room) or not self.slots:
            return False
        return self.slots[0].route != route or self.slots[0].leg is not self.leg

    def again(self, slot: Slot) -> None:
        """Send *slot* once more, whose answer led to another question."""
        if self.guide is not None:
            self.guide.again(slot)
        else:
            self.to_master(slot)

    def settle(self, slot: Slot) -> None:
        """Let marks and floor know what the reply of *slot* shows, before the client sees any of it."""
        if slot.generation:
            self.marks.answered(slot.generation, slot.marks)
            slot.generation = 0
        elif slot is self.blocked:
            self.marks.mark(slot.marks)
        if slot.acquires() and slot.route == "master" and not slot.inside:
            self.marks.acquire()

    def release(self) -> None:
        """Move the replies whose turn has come to the output."""
        if self.passing:
            return
        while self.slots and self.slots[0].done:
            slot = self.slots.popleft()
            self.parked -= slot.size
            self.weight -= slot.weight
            if not slot.own:
                count(self, slot)
            if not slot.mute:
                self.output += slot.parts
        if self.slots and self.slots[0].size > STREAM and self.slots[0].then is None:
            self._stream(self.slots[0])
        if self.slots or self.held:
            return
        if self.quitting or self.eof:
            self.closing = True

    def _stream(self, head: Slot) -> None:
        if head.generation or (head.acquires() and not head.streamed):
            # its client may act on what it sees, so all it can know must count from now on
            marks = self.marks if head.leg is None else head.leg.shared.marks
            marks.mark(head.marks)
            marks.acquire()
        if not head.mute:
            self.output += head.parts
        head.passed += head.size
        self.forget(head)
        self.be_patient()
        head.streamed = True
