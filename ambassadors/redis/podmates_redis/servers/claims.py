"""Whom the sentinels call the master, and whom of them to believe. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from podmates_redis.servers.said import text

Place = tuple[str, int]  # host and port

_MOST_REPLICAS, _MOST_SENTINELS = 64, 32  # more than that is nonsense, and would be asked all the time
_DOWN = frozenset({"s_down", "o_down", "disconnected"})
_TORN = frozenset({"failover_in_progress", "o_down"})


@dataclass(frozen=True, slots=True)
class View:
    """What one sentinel says."""

    master: Place
    epoch: int = 0
    replicas: tuple[Place, ...] = ()  # all that it lists
    doubted: frozenset[Place] = frozenset()  # those of them that it would not read from
    sentinels: tuple[Place, ...] = ()  # the others that it can reach
    busy: bool = False  # with a failover
    torn: bool = False  # it calls the master down, with others, or is about to replace it
    down: bool = False  # it does not reach the master itself
    me: str = ""  # its id; empty where it has no command to tell
    others: frozenset[str] = frozenset()  # ids of all others that it knows


def view(master: object, facts: object, replicas: object, sentinels: object, *, me: object = "") -> View:
    """Return what the replies of one sentinel say.

    *master* is that to GET-MASTER-ADDR-BY-NAME, the others are those to MASTER, REPLICAS, SENTINELS and MYID,
    which sentinels before 6.2 refuse.

    Raises:
        ValueError: they make no sense.
    """
    if not isinstance(master, list | tuple) or len(master) != 2:
        raise ValueError("knows no such master")
    state = _facts(facts)
    rows = [row for row in map(_facts, _rows(replicas)) if row.get("replica-announced") != "0"]
    peers = list(map(_facts, _rows(sentinels)[:_MOST_SENTINELS]))
    reached = [row for row in peers if not _flags(row) & _DOWN]
    place, flags = _place(*map(text, master)), _flags(state)
    # once a failover has come so far that it names the new one, the rest of the entry is about the old one
    same = (state.get("ip", place[0]), state.get("port", str(place[1]))) == (place[0], str(place[1]))
    doubted = [row for row in rows if _flags(row) & _DOWN or row.get("master-link-status") != "ok"]
    return View(
        master=place,
        epoch=int(state.get("config-epoch", "0")),
        replicas=tuple(map(_where, rows[:_MOST_REPLICAS])),
        doubted=frozenset(map(_where, doubted)),
        sentinels=tuple(map(_where, reached)),
        busy="failover_in_progress" in flags,
        torn=same and bool(flags & _TORN),
        down=same and "s_down" in flags,
        me=text(me) if isinstance(me, bytes | str) else "",
        others=frozenset(row.get("runid", "") for row in peers) - {""},
    )


def distinct(views: Sequence[View]) -> list[View]:
    """Return the views without the second one of a sentinel that is asked at two addresses."""
    named = {found.me: found for found in views if found.me}
    return [*(found for found in views if not found.me), *named.values()]


def known(views: Sequence[View]) -> int:
    """Return how many sentinels there are: those that answer, and those that half of these know of."""
    listed = Counter(one for found in views for one in found.others)
    return len(views) + len(
        {one for one, times in listed.items() if 2 * times >= len(views)} - {found.me for found in views}
    )


def claim(views: Sequence[View], known: int) -> tuple[Place | None, Place]:
    """Return whom most of *known* sentinels call the master, if most do, and whom the newest of *views* does.

    Most of all that are known, not of those that answer: a minority that a broken network leaves us with does
    not know better than what the servers say.
    """
    votes = Counter(found.master for found in views)
    place, most = votes.most_common(1)[0]
    newest = max(views, key=lambda found: (found.epoch, votes[found.master])).master
    return place if 2 * most > known else None, newest


def undecided(views: Sequence[View]) -> bool:
    """Tell whether another server may be about to take the place of the master that sentinels name."""
    return any(found.torn for found in views) or 2 * sum(found.down for found in views) >= len(views)


def servers(views: Sequence[View], watched: Sequence[Place]) -> list[Place]:
    """Return the servers to ask, masters first.

    A replica that every sentinel doubts is not taken up; one that is asked already is asked on as long as it
    is listed, since a sentinel's trouble with it need not be ours.
    """
    found = dict.fromkeys(seen.master for seen in views)
    for seen in views:
        good = (place for place in seen.replicas if place not in seen.doubted or place in watched)
        found |= dict.fromkeys(good)
    return list(found)


def sentinels(seeds: Sequence[Place], views: Sequence[View]) -> list[Place]:
    """Return the sentinels to ask: those of the settings, and those that others can reach now."""
    return list(dict.fromkeys([*seeds, *(place for seen in views for place in seen.sentinels)]))[
        :_MOST_SENTINELS
    ]


def about(channel: str, message: str, name: str) -> bool:
    """Tell whether an event may be about the master *name*: it stands first, or behind an @."""
    words = message.split()
    if channel == "+switch-master":
        return words[:1] == [name]
    return name in words


def subject(message: str) -> Place | None:
    """Return the address of the server that an event is about: ``slave NAME IP PORT @ MASTER IP PORT``."""
    words = message.split()
    try:
        return _place(words[2], words[3])
    except (ValueError, IndexError):
        return None


def _rows(reply: object) -> list[object]:
    if not isinstance(reply, list):
        raise ValueError("answers with something else than a list")
    return reply


def _facts(entry: object) -> dict[str, str]:
    """Return the fields of an entry, a flat list or a map."""
    if isinstance(entry, list | tuple):
        entry = dict(zip(entry[::2], entry[1::2], strict=False))
    if not isinstance(entry, dict):
        raise ValueError("answers with something else than fields")
    return {text(name): text(value) for name, value in entry.items()}


def _flags(facts: dict[str, str]) -> set[str]:
    return set(facts.get("flags", "").split(","))


def _where(facts: dict[str, str]) -> Place:
    return _place(facts.get("ip", ""), facts.get("port", ""))


def _place(host: str, port: str) -> Place:
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"names no address: {host!r} {port!r}")
    return host, int(port)
