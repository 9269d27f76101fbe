"""Refuses what would have to wait for a server when too much waits already. No I/O.

The law of this file
 1. Only what waits for a connection counts, over all clients: a server that takes commands is never the
    cause, however many are on their way, nor is anybody refused whose connections stand.
 2. What is refused did not run, and nothing that a client makes depend on it runs either: a transaction
    that cannot begin ends with EXECABORT, one behind a WATCH that was refused with a broken watch.
"""

from __future__ import annotations

from podmates_redis.commands.table import Kind
from podmates_redis.session.sending import join
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot
from podmates_redis.session.transactions import Transaction
from podmates_redis.wire import texts

_WAITING = frozenset(
    [Kind.READ, Kind.WRITE, Kind.PLAIN, Kind.BLOCKING, Kind.SUBSCRIBE, Kind.MULTI, Kind.WATCH]
)


def refuses(session: Session, slot: Slot) -> bool:
    """Answer *slot* if there is no room for it to wait."""
    if slot.kind not in _WAITING or session.master.up:
        return False
    if slot.kind is Kind.READ and session.replica.up:
        return False
    join(session, slot)
    if slot.kind is Kind.MULTI:
        session.transaction = Transaction(doomed=True)
        session.tell(slot, texts.OK)
        return True
    session.watch_lost = session.watch_lost or slot.kind is Kind.WATCH
    session.tell(slot, texts.OVERLOADED)
    return True
