"""A transaction between MULTI and EXEC. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from podmates_redis.commands.table import Kind
from podmates_redis.wire import texts
from podmates_redis.wire.dialects import Dialect

# what acts at once although MULTI is open
AT_ONCE = frozenset([Kind.MULTI, Kind.EXEC, Kind.DISCARD, Kind.WATCH, Kind.QUIT, Kind.RESET, Kind.FOREIGN])
# what leaves the connection, at EXEC, in a state that we do not follow
_OPAQUE = frozenset([Kind.PIN, Kind.SUBSCRIBE, Kind.TUNNEL])

ROUNDS = 16  # times that a transaction follows its slot through a cluster
_LONGEST, _LARGEST = 1024, 256 * 1024  # requests, and bytes, of a transaction that is kept to be sent again

_NESTED = b"-ERR MULTI calls can not be nested\r\n"
_WATCH_INSIDE = b"-ERR WATCH inside MULTI is not allowed\r\n"


class Result(NamedTuple):
    """A queued command whose part of EXEC's reply is ours to make, or means something to us."""

    kind: Kind
    args: list[bytes]
    then: Callable[[bytes], bytes | None] | None  # the answer, of the server's


@dataclass(slots=True)
class Transaction:
    """What has been queued since MULTI.

    *doomed*: its connection was lost, so nothing of it ran and EXEC has to say so; until then the
    client is answered here. *unwatched*: what was lost is a WATCH before it. *watched*: it follows a
    WATCH. *spoilt*: a server that is no master any more has refused a part of it, so nothing of it will run.
    """

    doomed: bool = False
    unwatched: bool = False
    watched: bool = False
    spoilt: bool = False
    marks: set[int] = field(default_factory=set)
    everything: bool = False
    opaque: bool = False
    flushes: bool = False  # SCRIPT FLUSH is in it
    tunnels: bool = False  # EXEC's reply is followed by what belongs to no request
    whole: bool = False  # it may be sent again as long as nothing of it ran
    again: bool = False  # it is being collected to be sent again
    rounds: int = 0  # times it was sent again
    refusal: bytes = b""  # what a server of a cluster has said that did not take a part of it
    writes: bool = False  # EXEC changes data, or tells replicas something
    results: dict[int, Result] = field(default_factory=dict)  # by their place in EXEC's reply
    databases: set[int] = field(default_factory=set)  # in which EXEC may leave the connection
    special: bool = False  # EXEC's reply is not passed on as it is
    queued: int = 0  # commands that the server has taken into it
    faulty: bool = False  # the server has refused to take one, so EXEC will fail
    size: int = 0  # bytes of the requests that are kept
    requests: list[tuple[Kind, list[bytes], bytes]] = field(default_factory=list)  # kind, words, bytes

    def note(self, kind: Kind, args: list[bytes], raw: bytes) -> None:
        """Keep a request of it, in case that it has to be sent again."""
        self.requests.append((kind, args, raw))
        self.size += 2 * len(raw)
        if len(self.requests) > _LONGEST or self.size > _LARGEST:
            self.requests, self.size, self.whole = [], 0, False

    def may_go_again(self, rounds: int) -> bool:
        """Tell whether it can be sent again, at most so many times."""
        return self.whole and self.rounds < rounds

    def add(self, kind: Kind, marks: list[int] | None) -> None:
        """Note what a queued command will do at EXEC."""
        self.opaque = self.opaque or kind in _OPAQUE
        self.tunnels = self.tunnels or kind in (Kind.SUBSCRIBE, Kind.TUNNEL)
        if marks is None or kind in _OPAQUE or kind is Kind.STATE:
            self.everything = True  # also what follows a SELECT: its keys are in another database
        else:
            self.marks.update(marks)

    def heard(self, kind: Kind, reply: list[bytes], result: Result | None, dialect: Dialect) -> None:
        """Count what the server has queued; one that is spoilt takes nothing more."""
        if reply == [texts.QUEUED]:
            if result is not None:
                self.results[self.queued] = result
            self.queued += not self.faulty
        elif reply and reply[0][:1] == b"-" and (dialect.strict or kind not in (Kind.MULTI, Kind.WATCH)):
            self.faulty = True
            self.queued = 0 if dialect.drops_spoilt else self.queued

    def told(self, kind: Kind, protocol: int) -> bytes:
        """Return the answer to a command in a doomed transaction."""
        if kind is Kind.EXEC:
            return texts.NULL_ARRAY[protocol] if self.unwatched else texts.ABORTED
        if kind is Kind.DISCARD:
            return texts.OK
        return {Kind.MULTI: _NESTED, Kind.WATCH: _WATCH_INSIDE}.get(kind, texts.QUEUED)
