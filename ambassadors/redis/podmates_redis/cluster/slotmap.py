"""Which servers serve which slots, as the nodes of a cluster say it. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from podmates_redis.cluster.hashing import SLOTS
from podmates_redis.servers.said import text

Place = tuple[str, int]  # host and port

_MOST_NODES = 64  # of one shard; more is nonsense, and each would be asked all the time


@dataclass(frozen=True, slots=True)
class Range:
    """Slots that one shard serves: its master stands first."""

    first: int
    last: int
    nodes: tuple[Place, ...]


View = tuple[Range, ...]  # what one node says


def view(reply: object, asked: str) -> View:
    """Return what *reply* to CLUSTER SLOTS says; a node without a host is at *asked*, where it was given.

    Raises:
        ValueError: it makes no sense.
    """
    if not isinstance(reply, list) or len(reply) > SLOTS:
        raise ValueError("answers with something else than slots")
    found = []
    for entry in reply:
        if not isinstance(entry, list) or len(entry) < 3:
            raise ValueError("names slots without a server")
        first, last, *nodes = entry
        if not (isinstance(first, int) and isinstance(last, int) and 0 <= first <= last < SLOTS):
            raise ValueError(f"names no slots: {first!r} {last!r}")
        places = dict.fromkeys(_place(node, asked) for node in nodes[:_MOST_NODES])
        found.append(Range(first, last, tuple(places)))
    return tuple(sorted(found, key=lambda part: part.first))


def _place(node: object, asked: str) -> Place:
    if not isinstance(node, list) or len(node) < 2:
        raise ValueError("names a server in another form")
    host, port = node[0], node[1]
    name = text(host) if isinstance(host, bytes | str) else ""
    if not isinstance(port, int) or not 0 < port < 65536:
        raise ValueError(f"names no address: {host!r} {port!r}")
    return ("" if name == "?" else name) or asked, port


def agreed(views: Sequence[View]) -> View:
    """Return what most of *views* say; of several that as many say, the one that knows most slots."""
    votes = Counter(views)
    return max(votes, key=lambda one: (votes[one], sum(part.last - part.first + 1 for part in one)))


def shards(found: View) -> list[tuple[Place, ...]]:
    """Return the servers of each shard, by its lowest slot; the master stands first."""
    groups: dict[Place, dict[Place, None]] = {}
    for part in found:
        groups.setdefault(part.nodes[0], {}).update(dict.fromkeys(part.nodes))
    return [tuple(nodes) for nodes in groups.values()]


def matched(groups: Sequence[tuple[Place, ...]], known: Mapping[int, frozenset[Place]]) -> dict[int, int]:
    """Return for the place of a group in *groups* the number of the shard in *known* that it is now.

    It is the one with which it shares most servers, its master first; a shard is found once. Groups that are
    new are left out.
    """
    scores = [
        (len(members & set(group)) + (group[0] in members), -place, -number)
        for place, group in enumerate(groups)
        for number, members in known.items()
        if members & set(group)
    ]
    found: dict[int, int] = {}
    for _, place, number in sorted(scores, reverse=True):
        if -place not in found and -number not in found.values():
            found[-place] = -number
    return found


def inherited(found: View, owners: Sequence[int], left: Iterable[int]) -> dict[Place, int]:
    """Return for the masters in *found* the number of the shard in *left* whose slots they serve most of.

    *owners* has the number of the shard that served each slot, 0 for none. All servers of a shard may be
    others than those that were last heard of.
    """
    counts: Counter[tuple[Place, int]] = Counter()
    for part in found:
        counts.update((part.nodes[0], owners[slot]) for slot in range(part.first, part.last + 1))
    allowed, heirs = set(left), dict[Place, int]()
    for (master, number), _ in counts.most_common():
        if number in allowed and master not in heirs:
            heirs[master] = number
            allowed.discard(number)
    return heirs


def moved(line: bytes) -> tuple[int, Place] | None:
    """Return slot and server of ``-MOVED 3999 10.0.0.1:6381`` or ``-ASK …``; an empty host stays so."""
    words = text(line).split()
    if len(words) != 3 or not words[1].isdecimal() or int(words[1]) >= SLOTS:
        return None
    host, colon, port = words[2].rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        return None
    return int(words[1]), (host.strip("[]"), int(port))
