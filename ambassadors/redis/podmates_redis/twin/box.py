"""The shared path as the rest of the service sees it, with sockets or without; like engine/_engine.pyi."""

from __future__ import annotations

import time
from collections.abc import Iterable

from podmates_redis.engine.rules import HARD, Row
from podmates_redis.twin import losing, proof, table
from podmates_redis.twin.answers import new_master
from podmates_redis.twin.order import make_dirty
from podmates_redis.twin.report import Report
from podmates_redis.twin.shapes import (
    COMMANDS,
    FOR_MASTER,
    GROUPS,
    LEAVING,
    NAME_BYTES,
    OPEN,
    WINDOW,
    Client,
    Command,
    Core,
    Group,
    Upstream,
)


class Box(Report):
    """The core; a subclass moves bytes."""

    def __init__(
        self,
        *,
        lost_text: bytes = b"-ERR lost\r\n",
        late_text: bytes = b"-ERR late\r\n",
        patience: float = 0,
        grace: float = 1,
        failover_wait: float = 5,
        retries: int = 2,
        close_unknown: bool = False,
        slow: float = 0,
        window: int = WINDOW,
        output_limit: int = 64 << 20,
        memory_limit: int = 0,
    ) -> None:
        self.core = Core(window=window, memory_limit=memory_limit, output_limit=output_limit)
        self.core.lost_text, self.core.late_text = lost_text, late_text
        self.behave(
            patience=patience,
            grace=grace,
            failover_wait=failover_wait,
            retries=retries,
            close_unknown=close_unknown,
            slow=slow,
        )

    def enter(self) -> Core:
        """Return the core for a call from outside, which has a clock."""
        self.core.now = time.monotonic()
        return self.core

    def after(self) -> None:
        """Bring about what was decided."""

    def hang_up(self, u: Upstream) -> None:
        """Close a connection to a server."""

    def behave(
        self,
        *,
        patience: float,
        grace: float,
        failover_wait: float,
        retries: int,
        close_unknown: bool,
        slow: float,
    ) -> None:
        """Take these settings from now on; times in seconds."""
        core = self.core
        core.patience, core.grace, core.failover_wait = patience, grace, failover_wait
        core.most_tries, core.close_unknown, core.slow = retries, close_unknown, slow

    # -- commands and policy -------------------------------------------------------------------

    def learn(self, rows: Iterable[Row]) -> None:
        """Know exactly the commands of *rows* from now on.

        Raises:
            ValueError: they are too many.
        """
        wanted = {row.name.encode(): row for row in rows if len(row.name.encode()) < NAME_BYTES}
        if len(wanted) > COMMANDS:
            raise ValueError("too many commands")
        core, known = self.core, self.core.commands
        for name in known.keys() - wanted.keys():
            known[name].kind = HARD  # requests on their way count there
        for name, row in wanted.items():
            before, known[name] = known.get(name), Command(row)
            if before is not None:
                known[name].tally, known[name].took = before.tally, before.took
        core.heads.clear()

    def permit(self, reads: bool, marks: bool, floor: bool, lagging: bool) -> None:
        """Say whether reads may be split, need the proof of marks, of the floor; why there is no replica."""
        core = self.core
        core.reads_allowed, core.prove_marks, core.prove_floor, core.lagging = reads, marks, floor, lagging

    # -- groups and their connections ----------------------------------------------------------

    def open_group(self, database: int) -> int:
        """Return the number of a new class of shared connections; -1: there are too many."""
        groups = self.core.groups
        if len(groups) == GROUPS:
            return -1
        groups.append(Group(len(groups), database))
        new_master(groups[-1], self.core)
        return len(groups) - 1

    def attach(self, group: int, place: int, fd: int) -> None:
        """Own a connection that is greeted, for *group* and *place*; it takes over from the one there."""
        core = self.enter()
        self.watch_server(losing.connected(core, core.groups[group], place, fd))
        self.after()

    def watch_server(self, u: Upstream) -> None:
        """Read from it from now on."""

    def attached(self, group: int, place: int) -> bool:
        """Tell whether that place has a connection."""
        u = self.core.groups[group].current[place]
        return u is not None and u.fd != -1

    def detach(self, place: int) -> None:
        """Give up every connection to a replica: its reads go to the master."""
        core = self.enter()
        core.places[place].usable = False
        for u in list(core.upstreams):
            if u.place == place and u.fd != -1:
                self.hang_up(u)
                losing.upstream_lost(core, u)
        self.after()

    def move_master(self) -> None:
        """Another server is the master: take what the old connections owe, and wait for new ones."""
        core = self.enter()
        for group in core.groups:
            losing.moved_away(core, group)
        self.after()

    def give_up(self, group: int, to_read: bytes, to_write: bytes) -> None:
        """Answer what waits for a master of *group*, and let its clients that wait leave."""
        core = self.enter()
        losing.give_up(core, core.groups[group], to_read, to_write)
        for c in reversed(core.clients.values()):
            if c.group is core.groups[group] and c.hold == FOR_MASTER:
                self._leave(c)
        self.after()

    def _leave(self, c: Client) -> None:
        if c.state == OPEN:
            c.state = LEAVING
            make_dirty(self.core, c)

    def use_place(self, place: int, usable: bool) -> None:
        """Say whether a replica may be read."""
        self.core.places[place].usable = usable

    def weigh(self, place: int, others: int, share: float) -> None:
        """Say how many clients read there that are not here, and which share it is to have; above 0."""
        self.core.places[place].others, self.core.places[place].share = others, share

    def clients_at(self, place: int) -> int:
        """Return how many clients of this side read there."""
        return self.core.places[place].clients

    # -- marks (see podmates_redis.marks) --------------------------------------------------------

    def slot(self, database: int, key: bytes) -> int:
        """Return the place of *key* among the marks."""
        return table.place(Group(-1, database), key)

    def mark(self, places: Iterable[int] | None, sent: bool) -> int:
        """Mark *places* (None: everything); *sent*: for a write on its way, whose generation is returned."""
        if sent:
            return proof.mark_sent(self.core.proof, places)
        proof.mark(self.core.proof, places)
        return 0

    def settled(self, generation: int) -> bool:
        """Settle a write of `mark`; False: it was late, so it is to be marked anew."""
        return proof.settled(self.core.proof, generation)

    def acquire(self) -> None:
        """Let reads need all that was written before now."""
        self.core.proof.floor = self.core.proof.generation

    def needed(self, places: Iterable[int] | None) -> int:
        """Return the generation that a replica must cover to serve a read of *places* (None: any)."""
        return proof.needed(self.core.proof, places)

    def begin(self, now: float | None = None) -> int:
        """Begin a generation; return which ones a probe proves that is sent to the master after this.

        *now*: seconds, instead of the clock.
        """
        core = self.enter()
        core.turned_away = False
        return proof.begin(core.proof, core.now if now is None else now)

    def cover(self, place: int, generation: int) -> None:
        """A probe has proved that a replica has all writes of *generation*; 0: of none."""
        self.core.places[place].covered = generation

    def forget(self) -> None:
        """Let nothing count as covered."""
        proof.forget(self.enter())

    @property
    def generation(self) -> int:
        return self.core.proof.generation

    @property
    def floor(self) -> int:
        return self.core.proof.floor

    @property
    def late(self) -> int:
        return self.core.proof.late

    @property
    def everything(self) -> int:
        return self.core.proof.everything
