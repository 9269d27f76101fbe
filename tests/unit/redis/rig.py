"""A session without sockets: a test plays the client and both servers."""

from __future__ import annotations

from podmates_redis.marks import Follower
from podmates_redis.session import answering, losing, routing, strangers, taking
from podmates_redis.session.describing import Presence
from podmates_redis.session.session import Session
from podmates_redis.session.shared import Policy, Shared
from podmates_redis.session.state import State
from podmates_redis.wire.replies import Replies
from podmates_redis.wire.requests import Requests

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
        Presence(self.session)
        self.requests = Requests()
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
        self.requests.locked = strangers.locked(self.session)
        taking.take(self.session, self.requests, self.requests.feed(data))

    def go_on(self) -> None:
        """Let in what has waited, as the shell does when something has happened."""
        taking.go_on(self.session, self.requests)

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
