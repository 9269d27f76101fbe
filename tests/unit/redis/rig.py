"""A session without sockets: a test plays the client and both servers."""

from __future__ import annotations

from podmates_redis import answering, losing, routing
from podmates_redis.marks import Follower
from podmates_redis.replies import Replies
from podmates_redis.requests import Requests
from podmates_redis.session import Session
from podmates_redis.shared import Policy, Shared
from podmates_redis.state import State

OK, QUEUED = b"+OK\r\n", b"+QUEUED\r\n"


def shared(*, replica: bool = True, policy: Policy | None = None) -> Shared:
    """Return the facts of a process whose one replica, if any, is proven to have everything so far."""
    found = Shared(policy=policy or Policy())
    if replica:
        found.followers.append(Follower("replica:1", usable=True))
    prove(found)
    return found


def prove(facts: Shared) -> None:
    """Let a probe show that every replica has all writes answered until now."""
    token = facts.marks.begin(0.0)
    facts.marks.proven(token, "history", token[0])
    for follower in facts.followers:
        facts.marks.cover(follower, "history", token[0])


class Rig:
    """One client's session, and what it has said to whom."""

    def __init__(self, facts: Shared | None = None, *, up: bool = True) -> None:
        self.shared = facts or shared()
        self.session = Session(self.shared)
        self._requests = Requests()
        self._replies = {"master": Replies(), "replica": Replies()}
        if up:
            self.connect()

    def connect(self, master: bool = True, replica: bool = True) -> None:
        """Let the connections stand that are wanted, or may be."""
        if master:
            self._replies["master"] = Replies()
            self.session.master_ready(self.session.state)
            routing.proceed(self.session)
        if replica:
            self._replies["replica"] = Replies()
            self.session.replica.ready(self.session.state)

    def send(self, text: bytes | str) -> None:
        """The client sends *text* (a str: inline commands, one a line)."""
        data = (
            text if isinstance(text, bytes) else "".join(f"{line}\r\n" for line in text.split("\n")).encode()
        )
        batch = self._requests.feed(data)
        if batch:
            routing.requests(self.session, batch)
        if self._requests.broken is not None:
            routing.broken(self.session, self._requests.broken)

    def master(self, data: bytes) -> None:
        """The master answers *data*."""
        answering.master_data(self.session, self._replies["master"].feed(data))

    def replica(self, data: bytes) -> None:
        """The replica answers *data*."""
        answering.replica_data(self.session, self._replies["replica"].feed(data))

    def lose_master(self) -> None:
        self.session.master.out.clear()
        losing.master_lost(self.session)

    def lose_replica(self) -> None:
        losing.replica_lost(self.session)

    def told(self) -> bytes:
        """Return what the client has been told since the last time."""
        output, self.session.output = b"".join(self.session.output), []
        return output

    def asked(self) -> list[bytes]:
        """Return the names of the commands that the master was sent since the last time."""
        return _names(self.session.master.out)

    def asked_replica(self) -> list[bytes]:
        """Return the names of the commands that the replica was sent since the last time."""
        return _names(self.session.replica.out)


def _names(out: list[bytes]) -> list[bytes]:
    found = [request.args[0].upper() for request in Requests().feed(b"".join(out))]
    out.clear()
    return found


def state(**changes: object) -> State:
    """Return a state that differs from a fresh one by *changes*."""
    return State(**changes)  # type: ignore[arg-type]
