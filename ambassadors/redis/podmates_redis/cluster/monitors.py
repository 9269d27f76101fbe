"""MONITOR before a cluster: the lines of all shards, in the order in which they come. No I/O."""

from __future__ import annotations

from podmates_redis.cluster.wants import Lead
from podmates_redis.session.sending import before
from podmates_redis.session.slots import Leg, Slot

_LONGEST = 64 << 20  # bytes of a line of which the end has not come


def begin(guide: Lead, slot: Slot) -> bool | None:
    """Have every shard tell the client of *slot* what it runs; as `Guide.admit`."""
    session = guide.session
    if session.slots:
        return False
    home = guide.home()
    legs = [guide.leg(shard) for shard in guide.map.all()]
    missing = [leg for leg in legs if not leg.master.up]
    for leg in missing or legs:
        session.turn(leg)
        if missing:
            before(session, b"PING")  # a stream begins on a connection that stands
        elif leg is not home:
            leg.echoes = True
            leg.master.out.append(slot.raw)
    return False if missing else guide.stand(home)


def lines(guide: Lead, leg: Leg, data: bytes) -> bytes:
    """Return the whole lines that *data* from *leg* completes; the answer of one shard is enough."""
    end = data.rfind(b"\n") + 1
    if not end:
        leg.begun += data
        if len(leg.begun) > _LONGEST:
            guide.session.abort = True
        return b""
    found, leg.begun = bytes(leg.begun) + data[:end], bytearray(data[end:])
    if leg.echoes:
        leg.echoes, found = False, found.partition(b"\n")[2]
    return found
