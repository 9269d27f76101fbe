"""A client's pair of connections, to the master and to one replica: opened when wanted, closed when told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from podmates_common.parse import Address
from podmates_redis.clients.chores import Chores
from podmates_redis.clients.flow import Flow
from podmates_redis.clients.joining import PAUSE, Joining
from podmates_redis.clients.leases import Leases, Turn
from podmates_redis.clients.wants import Limits, World, hope
from podmates_redis.faults import guarded
from podmates_redis.marks import Follower
from podmates_redis.servers.upstream import Refused, Upstream
from podmates_redis.session import answering, barred, losing, routing
from podmates_redis.session.session import Session
from podmates_redis.wire import texts
from podmates_redis.wire.replies import Part


class Pair(Flow):
    """The two connections of *session*.

    Args:
        flush: called whenever the session may want something done.
        fail: called with an error of ours, after which nobody knows what the client is owed.
    """

    def __init__(
        self,
        session: Session,
        world: World,
        limits: Limits,
        *,
        flush: Callable[[], None],
        fail: Callable[[Exception], None],
        leases: Leases | None = None,
    ) -> None:
        super().__init__(session, flush, fail)
        self._world, self._limits = world, limits
        self._master_at: Address | None = None
        self._chores = Chores(self._ended)
        self._turn = Turn(
            Leases() if leases is None else leases, self._chores, limits, begun=flush, missed=self._not_leased
        )
        self._joining = Joining(
            world,
            self,
            # each time, since a client of a cluster turns to a leg so
            state=lambda: self._session.state,
            wanted=lambda: self._session.wants_master(),
        )

    # -- what the client and the topology ask for --------------------------------------------

    def work(self) -> None:
        """Close, write and open what the session wants closed, written and opened."""
        session = self._session
        master, replica = session.master, session.replica
        if master.drop or replica.drop:
            self._close_dropped()
        # taken before it is written: a server that is slow to take it has us come here again meanwhile
        if master.out:
            pieces, master.out = master.out, []
            if self._master is not None:
                self._master.raw = session.tunnel
                self._behind |= self._master.write(pieces)
        if replica.out:
            pieces, replica.out = replica.out, []
            if self._replica is not None:
                self._behind |= self._replica.write(pieces)
        if session.parked or self._paced:
            self._paced = bool(session.parked)
            self.pace()
        if session.errand is not None:
            self._chores.start("errand", self._tell_replicas)
        if not (master.up and replica.up):
            self._connect()

    def _connect(self) -> None:
        """Open what is wanted and not there; let others have their turn when nothing is wanted or there."""
        session = self._session
        if session.wants_master() and self._turn.come():
            self._reach_master()
        if session.wants_replica() and self._turn.come():
            self._chores.start("replica", self._open_replica)
        if self._master is self._replica is None and not (session.master.queue or session.replica.queue):
            self._turn.end()

    def master_moved(self) -> None:
        """Another server is the master now."""
        if self._master is None:
            return
        if self._master_at == self._world.master() and self._world.follows(self._master.history):
            return
        if losing.master_moved(self._session):
            self._chores.timer("grace", self._limits.switch_grace, self._lose_master)
        self._flush()

    def eject(self, follower: Follower) -> None:
        """The replica is not to be read any more, but what it has begun it may end."""
        queue = self._session.replica.queue
        if queue and (queue[0].streamed or queue[0].script()):
            return
        if self._session.follower is follower and self._replica is not None:
            losing.replica_lost(self._session)
            self._flush()

    def only_master(self, seconds: float) -> bool:
        """See through what the master still has to do, for so many seconds; False when that is nothing."""
        self._let_go(self._replica)
        self._replica = None
        if self._master is None or not self._session.master.changes():
            return False
        self.stalled = False
        self._master.pause(False)
        self._chores.timer("grace", seconds, self._lose_master)
        return True

    def close(self) -> None:
        """Let go of both connections."""
        self._joining.over = True
        self._chores.stop()
        self._turn.end()
        for upstream in (self._master, self._replica):
            if upstream is not None:
                upstream.close()
        self._master = self._replica = None

    # -- what the connections tell -----------------------------------------------------------

    @guarded
    def arrived(self, upstream: Upstream, parts: list[Part]) -> None:
        """Take replies."""
        if upstream is self._master:
            answering.master_data(self._session, parts)
        elif upstream is self._replica:
            answering.replica_data(self._session, parts)
        self._flush()

    @guarded
    def arrived_raw(self, upstream: Upstream, data: bytes) -> None:
        """Take bytes of a stream."""
        if upstream is self._master:
            answering.tunnelled(self._session, data)
        self._flush()

    @guarded
    def gone(self, upstream: Upstream) -> None:
        """A server has closed the connection."""
        self._full.discard(upstream)
        if upstream is self._master:
            self._lose_master()
        elif upstream is self._replica:
            self._replica = None
            if self._session.follower is not None:
                self._world.lost(self._session.follower)
            losing.replica_lost(self._session)
            self._flush()

    def choose(self) -> None:
        """Leave the replica, when nothing is on its way, so that the next read chooses again."""
        if losing.leave_replica(self._session):
            self._flush()
        else:
            self._chores.timer("age", PAUSE, self.choose)

    def _lose_master(self) -> None:
        if self._master is None:
            return
        self._full.discard(self._master)
        self._master.close()
        self._master = None
        self._chores.cancel("grace")
        self._world.doubt()
        losing.master_lost(self._session)
        self._flush()

    def _close_dropped(self) -> None:
        session = self._session
        if session.master.drop:
            session.master.drop = False
            self._joining.refused_by = self._master_at
            self._chores.cancel("grace")
            self._let_go(self._master)
            self._master = None
        if session.replica.drop:
            session.replica.drop = False
            self._let_go(self._replica)
            self._replica = None

    # -- connecting --------------------------------------------------------------------------

    def _ended(self, error: BaseException | None) -> None:
        """Look again at what is wanted, since more may have come while a task ended."""
        if isinstance(error, Exception):
            self.fail(error)
        else:
            self._flush()

    def _not_leased(self) -> None:
        """Others have kept their connections for too long."""
        losing.replica_lost(self._session)
        losing.give_up(self._session, texts.TOO_MANY_CLIENTS)
        self._flush()

    def _reach_master(self) -> None:
        if not self._chores.timed("wait"):
            self._chores.timer("wait", hope(self._world, self._limits), self._give_up)
        self._chores.start("master", self._open_master)

    def _give_up(self) -> None:
        self._chores.cancel("wait")
        if self._session.wants_master():
            words = self._joining.refusal or losing.nobody(not self._world.known(), self._world.serving())
            losing.give_up(self._session, words)
            self._flush()

    async def _open_master(self) -> None:
        joined = await self._joining.master()
        if joined is None:
            return
        self._master, self._master_at = joined.upstream, joined.at
        self._begin(joined.upstream)
        self._chores.cancel("wait")
        self._session.master_ready(joined.state, joined.upstream.id)
        routing.proceed(self._session)
        self._flush()

    async def _tell_replicas(self) -> None:
        """Have the replicas do what the master had no use for."""
        slot = self._session.errand
        if slot is not None:
            done = await self._world.tell_replicas(*(word.decode("latin-1") for word in slot.args))
            answering.finish_errand(self._session, done)

    async def _open_replica(self) -> None:
        session = self._session
        follower, state = session.follower, session.state
        if follower is None:
            return
        try:
            upstream = await self._world.open_replica(self, state, follower)
        except (OSError, TimeoutError, Refused) as error:
            if str(error).startswith(barred.CREDENTIALS):
                session.bar(follower)
            else:
                self._world.suspect()
            losing.replica_lost(self._session)
            self._flush()
            if self._session.follower is follower:
                await asyncio.sleep(PAUSE)
                losing.replica_lost(self._session)  # what has come meanwhile
            return
        session = self._session
        if (
            self._joining.over
            or not upstream.alive
            or session.follower is not follower
            or not follower.usable
        ):
            upstream.close()
            if session.follower is follower:
                losing.replica_lost(session)
            return
        self._replica = upstream
        self._begin(upstream)
        if self._limits.max_age:
            # not all at once, as they would come after a failover
            self._chores.timer(
                "age", self._limits.max_age * (0.8 + 0.4 * session.shared.chance()), self.choose
            )
        session.replica.ready(state)
