"""A transaction between MULTI and EXEC. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from podmates_redis import texts
from podmates_redis.commands import Kind

# what acts at once although MULTI is open
AT_ONCE = frozenset([Kind.MULTI, Kind.EXEC, Kind.DISCARD, Kind.WATCH, Kind.QUIT, Kind.RESET, Kind.FOREIGN])
# what leaves the connection, at EXEC, in a state that we do not follow
_OPAQUE = frozenset([Kind.STATE, Kind.PIN, Kind.SUBSCRIBE, Kind.TUNNEL, Kind.REPLY])

_LONGEST = 1024  # requests of a transaction that is kept to be sent again

_NESTED = b"-ERR MULTI calls can not be nested\r\n"
_WATCH_INSIDE = b"-ERR WATCH inside MULTI is not allowed\r\n"


@dataclass(slots=True)
class Transaction:
    """What has been queued since MULTI.

    *doomed*: its connection was lost, so nothing of it ran and EXEC has to say so; until then the
    client is answered here. *unwatched*: what was lost is a WATCH before it.
    """

    doomed: bool = False
    unwatched: bool = False
    marks: set[int] = field(default_factory=set)
    everything: bool = False
    opaque: bool = False
    tunnels: bool = False  # EXEC's reply is followed by what belongs to no request
    whole: bool = False  # it may be sent again as long as nothing of it ran
    again: bool = False  # it is being collected to be sent again
    requests: list[tuple[Kind, list[bytes], bytes]] = field(default_factory=list)  # kind, words, bytes

    def note(self, kind: Kind, args: list[bytes], raw: bytes) -> None:
        """Keep a request of it, in case that it has to be sent again."""
        self.requests.append((kind, args, raw))
        if len(self.requests) > _LONGEST:
            self.requests, self.whole = [], False

    def add(self, kind: Kind, marks: list[int] | None) -> None:
        """Note what a queued command will do at EXEC."""
        self.opaque = self.opaque or kind in _OPAQUE
        self.tunnels = self.tunnels or kind in (Kind.SUBSCRIBE, Kind.TUNNEL)
        if marks is None or kind in _OPAQUE:
            self.everything = True  # also what follows a SELECT: its keys are in another database
        else:
            self.marks.update(marks)

    def told(self, kind: Kind, protocol: int) -> bytes:
        """Return the answer to a command in a doomed transaction."""
        if kind is Kind.EXEC:
            return texts.NULL_ARRAY[protocol] if self.unwatched else texts.ABORTED
        if kind is Kind.DISCARD:
            return texts.OK
        return {Kind.MULTI: _NESTED, Kind.WATCH: _WATCH_INSIDE}.get(kind, texts.QUEUED)
