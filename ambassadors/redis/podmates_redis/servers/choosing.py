"""Which server a client reads: by policy, load and zone. No I/O; chance is an argument."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from podmates_redis.marks import Follower

_NEAR = 1.5  # times the shortest way: as near as the nearest
_SPILL = 2.0  # times the load of others from which clients leave their zone
_NOISE = 0.0005  # seconds: ways shorter than this do not differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The settings that choose."""

    read_from: str = "replica_preferred"
    balance: str = "least"  # or round_robin, random
    zone: str = ""  # our own
    prefer_zone: bool = True
    master_weight: float = 1.0  # with read_from any and nearest: the master's share beside a replica's 1


@dataclass(frozen=True, slots=True)
class Zone:
    """One line of the map: servers whose name fits *pattern* are in zone *name*."""

    pattern: str
    name: str


def zone_rule(value: str) -> Zone:
    """Return the line ``10.0.1.*=a`` or ``*.zone-b.example=b``.

    Raises:
        ValueError: in words for the operator.
    """
    pattern, equals, name = value.partition("=")
    if not pattern or not equals or not name:
        raise ValueError("want pattern=zone, such as 10.0.1.*=a")
    return Zone(pattern, name)


def zone_of(zones: Sequence[Zone], host: str, said: str) -> str:
    """Return the zone of the server at *host*: by the first line that fits, else as the server *said*."""
    return next((line.name for line in zones if _fits(line.pattern, host)), said)


def _fits(pattern: str, host: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), host) is not None


def candidates(choice: Choice, replicas: Sequence[Follower], master: Follower | None) -> list[Follower]:
    """Return who may be read; *master* stands for the master if it answers, else it is None."""
    usable = [replica for replica in replicas if replica.usable]
    home = [master] if master is not None else []
    if choice.read_from in ("master", "master_preferred"):
        return home or (usable if choice.read_from == "master_preferred" else [])
    if choice.read_from in ("any", "nearest"):
        return [*usable, *(home if choice.master_weight > 0 else [])]
    return usable


def choose(
    choice: Choice, replicas: Sequence[Follower], master: Follower | None, chance: Callable[[], float]
) -> Follower | None:
    """Return who is read by a client that begins to read, or nobody; *chance* gives numbers in [0, 1)."""
    found = candidates(choice, replicas, master)
    if not found:
        return None
    if choice.read_from == "nearest":
        best = max(_NOISE, min(each.distance for each in found))
        found = [each for each in found if each.distance <= best * _NEAR]
    if choice.zone and choice.prefer_zone:
        found = _zonal(choice, found, master)
    return _balanced(choice, found, chance)


def _zonal(choice: Choice, found: list[Follower], master: Follower | None) -> list[Follower]:
    """Return those of *found* that are in our zone, unless they have far more clients than the others."""
    near = [each for each in found if each.zone == choice.zone]
    far = [each for each in found if each.zone != choice.zone]
    if not near:
        if choice.read_from == "replica_preferred" and master is not None and master.zone == choice.zone:
            return [master]
        return far
    if far and min(map(load, near)) > _SPILL * min(map(load, far)) + 1:
        return far
    return near


def load(server: Follower) -> float:
    """Return how busy *server* is with the clients of this process, one that comes back slowly the more."""
    return (server.readers + 1) / server.share


def _balanced(choice: Choice, found: list[Follower], chance: Callable[[], float]) -> Follower:
    if choice.balance == "round_robin":
        chosen = min(found, key=lambda each: each.turn)
        chosen.turn += 1 / chosen.share
        return chosen
    if choice.balance == "random":
        point = chance() * sum(each.share for each in found)
        for each in found:
            point -= each.share
            if point < 0:
                return each
        return found[-1]
    _, ties = next(groupby(sorted(found, key=load), key=load))
    same = list(ties)
    return same[int(chance() * len(same))]
