"""What has taken too long, from the moment a request was here whole to the last byte of its reply. No I/O.

The law of this file
 1. What may wait for ever (blocking commands, WAIT, streams, messages) has no deadline, and nothing behind
    it has one before it ends. A reply whose beginning is with the client may go on as long as it comes.
 2. A read gets half of the time at a replica, then the other half at the master; a script gets all of it
    where it is, since it would only hold up another server as well.
"""

from __future__ import annotations

from podmates_redis.session import losing
from podmates_redis.session.session import Session


def look(session: Session) -> float:
    """Settle what is overdue; return in how many seconds to look again, 0 when nothing has a deadline."""
    limit = session.shared.policy.op_timeout
    if not limit or not session.slots or session.waiting_first():
        return limit if limit and session.slots else 0.0
    return min((wait for wait in [_look(session) for _ in session.everywhere()] if wait), default=0.0)


def _look(session: Session) -> float:
    limit = session.shared.policy.op_timeout
    if not session.slots:
        return 0.0
    now = session.shared.clock()
    if session.since(session.slots[0]) <= now - limit:
        losing.timed_out(session, now - limit)
    first = next((slot for slot in session.replica.queue if slot.args), None)
    if first is not None and not first.script() and session.since(first) <= now - limit / 2:
        session.shared.tally.retries["timeout"] += 1
        session.suspect = True
        losing.replica_lost(session)
        first = None
    due = [session.since(session.slots[0]) + limit] if session.slots else []
    if first is not None and not first.script():
        due.append(session.since(first) + limit / 2)
    return max(min(due) - now, 0.001) if due else 0.0
