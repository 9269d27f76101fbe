"""What a server says that has not run a command. No I/O."""

from __future__ import annotations

import re

from podmates_redis.session.slots import Slot
from podmates_redis.wire.replies import first_word

# it is not, or not yet, what we took it for
_NOT_RUN = frozenset([b"READONLY", b"LOADING", b"MASTERDOWN", b"REDIRECT"])
# a script may make up errors that begin so, and what it has done before stays done: these only servers say
_SERVERS_OWN = re.compile(
    rb"-(READONLY (You can't write against|Can not run script)|LOADING \S+ is loading|MASTERDOWN Link with"
    rb"|REDIRECT \S+:\d+\r)"
)


def not_run(slot: Slot, error: bytes) -> bool:
    """Tell whether *error* means that *slot* did not run, since its server is not what it was taken for."""
    return first_word(error) in _NOT_RUN and not (slot.script() and _SERVERS_OWN.match(error) is None)


def not_now(slot: Slot, error: bytes) -> bool:
    """Tell the same of a replica, which may be busy with a script as well."""
    return first_word(error) == b"BUSY" or not_run(slot, error)
