"""One request on its way, and one connection to a server as a session sees it. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from podmates_redis.commands import Kind
from podmates_redis.plans import Plan
from podmates_redis.requests import Request
from podmates_redis.state import State
from podmates_redis.transactions import Transaction


class Slot:
    """The place of one reply in a client's queue, with all that is needed to get it, again if need be."""

    __slots__ = (
        "acks",
        "answer",
        "args",
        "block",
        "clash",
        "done",
        "generation",
        "inside",
        "kind",
        "marks",
        "mute",
        "parts",
        "plan",
        "raw",
        "route",
        "sent",
        "size",
        "streamed",
        "tries",
        "why",
    )

    def __init__(self, request: Request, plan: Plan) -> None:
        self.args, self.raw = request
        self.plan = plan
        self.kind: Kind = plan.command.kind
        self.parts: list[bytes] = []  # of the reply, not passed on yet
        self.size = 0  # bytes in parts
        self.done = False
        self.mute = False  # CLIENT REPLY: the reply is dropped
        self.sent = False  # written to the connection it waits for
        self.streamed = False  # some of the reply is with the client already
        self.inside = False  # queued in a transaction, so its reply is not its result
        self.clash = False  # a read of a key that is written later in the same batch
        self.acks = 0  # acknowledgements that a subscription still owes; -1: not known yet
        self.answer: bytes | None = None  # told to the client in place of what the server says
        self.block: Transaction | None = None  # the transaction it belongs to, MULTI and EXEC included
        self.marks: Sequence[int] | None = ()  # of the keys; None: all
        self.generation = 0  # of a write; 0: not marked when sent
        self.tries = 0  # times it was sent in vain
        self.route = ""
        self.why = ""  # why a read was not for a replica

    def error(self) -> bool:
        """Tell whether the reply is an error line."""
        return not self.streamed and bool(self.parts) and self.parts[0][:1] == b"-"


class Lane:
    """A connection to a server: what waits for its reply, in order, and what is to be written."""

    __slots__ = ("collecting", "drop", "frame", "out", "queue", "state", "up")

    def __init__(self) -> None:
        self.queue: deque[Slot] = deque()
        self.out: list[bytes] = []
        self.up = False
        self.drop = False  # the shell is to close the connection
        self.collecting = False  # it refused a command: take what it still owes, send nothing more
        self.frame: list[bytes] | None = None  # parts of a push that is not complete
        self.state = State()

    def send(self, slot: Slot) -> bool:
        """Write *slot*, now (True) or when the connection is there."""
        self.queue.append(slot)
        slot.sent = self.up and not self.collecting
        if slot.sent:
            self.out.append(slot.raw)
        return slot.sent

    def ready(self, state: State) -> None:
        """The connection stands, in *state*: write what has waited for it."""
        self.up, self.drop, self.collecting, self.state = True, False, False, state
        for slot in self.queue:
            slot.sent = True
            self.out.append(slot.raw)

    def close(self) -> None:
        """Let the shell close the connection; the queue stays for whoever takes it over."""
        self.drop, self.up, self.collecting, self.frame = True, False, False, None
        self.out.clear()

    def owed(self) -> bool:
        """Tell whether a reply to something written is missing."""
        return bool(self.queue) and self.queue[0].sent
