"""What names stood for, and for how long that is believed when nobody answers. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

Place = tuple[str, int]  # host and port

_MOST = 128  # addresses of one name


class Resolved:
    """The addresses of some names."""

    def __init__(self, stale: float) -> None:
        self._stale = stale  # seconds for which the last addresses stand in for no answer
        self._found: dict[Place, tuple[float, dict[Place, str]]] = {}

    def take(self, name: Place, found: Iterable[tuple[Place, str]], now: float) -> None:
        """Note the addresses that *name* stands for at *now*, and the host of each.

        Nothing means that there was no answer, or an empty one.
        """
        if kept := dict(islice(found, _MOST)):
            self._found[name] = now, kept

    def places(self, now: float) -> dict[Place, str]:
        """Return every address that is believed at *now*, with the host name that led to it first."""
        places: dict[Place, str] = {}
        for then, found in self._found.values():
            if now - then <= self._stale:
                for place, host in found.items():
                    places.setdefault(place, host)
        return places

    def kept(self, current: Place | None, leading: Iterable[Place], now: float) -> list[Place]:
        """Return the servers to ask.

        A master whose name is gone stays until another server says that it is one.
        """
        places = list(self.places(now))
        if current is not None and current not in places and not any(one in places for one in leading):
            places.append(current)
        return places
