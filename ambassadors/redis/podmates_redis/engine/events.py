"""Numbers that the shared path and the rest of the service have in common, as in shapes.pxi. No I/O."""

from __future__ import annotations

LEFT, UPSTREAM_LOST, REFUSED, STUCK, TURNED_AWAY, LATE_REPLY, SLOW = range(1, 8)  # what has happened
ENDED_ITSELF, BY_SERVER, TOOK_TOO_LITTLE, DRAINED, KILLED, FAULT = range(6)  # why a client is gone
ENDS = ("left", "upstream", "output", "drain", "killed", "fault")  # the same in words, for the count
WROTE, TRANSACTED = 1, 2  # what a client has done
