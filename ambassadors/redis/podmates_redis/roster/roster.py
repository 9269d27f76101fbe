"""Who is connected: every client of the process, by the id that it was given. No I/O.

A member describes itself when somebody asks, so that a client costs nothing here while nobody does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

_ENDLESS = 1 << 63  # more than any id; clients may name any number


class Place(NamedTuple):
    """Where a client's connection begins and ends, as a server writes it."""

    addr: bytes = b"?:0"
    laddr: bytes = b"?:0"
    fd: int = -1
    local: bool = False  # by a Unix socket


class Waiting(NamedTuple):
    """A blocking command under way."""

    upstream: int  # id of its connection, at the master
    command: object  # the same one as long as it is under way


class Member(Protocol):
    """A client, whoever serves it."""

    id: int

    def facts(self, now: float) -> Mapping[bytes, bytes]:
        """Return the fields of its line."""

    def waiting(self) -> Waiting | None:
        """Return what it waits for in a blocking command, if anything."""

    def held(self) -> bool:
        """Tell whether it waits for the end of CLIENT PAUSE."""

    def upstream(self) -> int:
        """Return the id of its connection at the master; 0: it has none."""

    def reach(self, then: Callable[[], None]) -> None:
        """Open that connection, and call *then* when it is open, or cannot be opened."""

    def pin(self) -> None:
        """Keep it on that connection: others depend on it."""

    def cut(self) -> None:
        """Close it."""


class Elsewhere(Protocol):
    """Clients that nobody has made members, as they would be; in any order."""

    def members(self) -> Iterable[Member]: ...
    def find(self, number: int) -> Member | None: ...
    def __len__(self) -> int: ...


class Roster:
    """The members, in the order in which they came; an id is never given twice."""

    def __init__(self) -> None:
        self._members: dict[int, Member] = {}
        self._last = 0
        self.elsewhere: Elsewhere | None = None

    def enter(self, member: Member, number: int = 0) -> int:
        """Take *member* in and return its id, which is *number* where others give them."""
        number = number or self._last + 1
        self._last = max(self._last, number)
        self._members[number] = member
        return number

    def leave(self, number: int) -> None:
        self._members.pop(number, None)

    def find(self, number: int) -> Member | None:
        found = self._members.get(number)
        if found is None and self.elsewhere is not None and 0 < number < _ENDLESS:
            found = self.elsewhere.find(number) or self._members.get(number)  # who may just have come
        return found

    def __iter__(self) -> Iterator[Member]:
        others = self.elsewhere.members() if self.elsewhere is not None else ()
        found = {member.id: member for member in others} | self._members
        return iter([found[number] for number in sorted(found)])

    def __len__(self) -> int:
        return len(self._members) + (len(self.elsewhere) if self.elsewhere is not None else 0)
