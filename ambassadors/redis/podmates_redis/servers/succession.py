"""Whether a process that says it is the master may be believed. No I/O, no clock.

A master that dies is started again by its supervisor, with what its disk holds, and says that it is the
master, while sentinels promote a replica that has more: what it takes until they have told it otherwise is
lost. Its own words, and that its address is still the one they name, are no proof of anything then.

The law of this file
 1. A process that was seen as a replica, or that was believed before, is believed. So is one without an id.
 2. Any other one that leads is a newcomer. It is believed once the sentinels were asked after it was first
    seen, and name it, and none of them is about to replace the master; without sentinels, once every other
    server that answers was asked after that. Where the newest configuration names another one than most
    sentinels do, that one is asked first: it may have been promoted.
 3. Not while another one leads that the newest configuration names and that is written to.
 4. Where nobody else leads, it is believed after 15 s whatever sentinels say: somebody has to take writes.
"""

from __future__ import annotations

from podmates_redis.servers.election import Claim, Seen

_UNDECIDED = 15.0  # seconds
_MOST = 256  # processes of each kind that are remembered
NEWCOMER = "was started anew, and may have been replaced"


class Succession:
    """Remembers which processes are in good standing."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}
        self._newcomers: dict[str, float] = {}  # when first seen

    def new(self, seen: Seen, now: float) -> bool:
        """Take note of a server that answered at *now*; tell whether it is a newcomer not seen before."""
        if seen.role != "master":
            self._note(self._known, seen.process, now)
        if not seen.process or seen.process in self._known or seen.process in self._newcomers:
            return False
        self._note(self._newcomers, seen.process, now)
        return True

    def believes(
        self, seen: Seen, now: float, held: Seen | None, *, asked: float, claim: Claim | None
    ) -> bool:
        """Tell whether *seen* is to be believed.

        *held* is what the server that is written to said last; *asked* is when the least recent question was
        sent among the last ones that the other servers answered.
        """
        if not seen.process or seen.process in self._known:
            return True
        since = self._newcomers.get(seen.process, now)
        if held and (asked if claim is None else claim.asked) < since:
            return False
        if claim is not None and not self._settled(seen, now - since, held, claim, asked=asked):
            return False
        self._note(self._known, seen.process, now)
        return True

    @staticmethod
    def _settled(seen: Seen, age: float, held: Seen | None, claim: Claim, *, asked: float) -> bool:
        # who is named by the newest configuration is the master already, but may not have told us yet
        heard = claim.newest == seen.name or asked >= claim.asked
        named = seen.name in (claim.agreed, claim.newest) and heard and not claim.undecided
        if held and held.answered and held.role == "master" and held.name != seen.name:
            return named and claim.newest != held.name
        return named or age > _UNDECIDED

    @staticmethod
    def _note(where: dict[str, float], process: str, now: float) -> None:
        where.pop(process, None)
        where[process] = now
        if len(where) > _MOST:
            del where[next(iter(where))]
