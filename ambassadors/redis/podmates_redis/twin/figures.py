"""What is counted of requests and their replies. No I/O."""

from __future__ import annotations

from bisect import bisect_left

from podmates_redis.engine.events import SLOW
from podmates_redis.engine.rules import EXEC, READ
from podmates_redis.twin.frames import requests
from podmates_redis.twin.order import tell
from podmates_redis.twin.shapes import (
    BLOCK,
    BOUNDS,
    BY_MASTER,
    BY_REPLICA,
    SLOWS,
    WORD_BYTES,
    WORDS,
    Command,
    Core,
    Histogram,
    Slot,
    Slow,
    Upstream,
)
from podmates_redis.twin.table import understand

_SELDOM = 0.1  # seconds between two times that somebody is asked to take what took long


def add(histogram: Histogram, seconds: float, count: int) -> None:
    """Count *count* that took so long."""
    histogram.counts[bisect_left(BOUNDS, seconds) if seconds > BOUNDS[0] else 0] += count
    histogram.total += seconds * count


def took(command: Command, route: int, seconds: float, count: int) -> None:
    """Count how long a command took."""
    histogram = command.took[route]
    if histogram is None:
        histogram = command.took[route] = Histogram()
    add(histogram, seconds, count)


def count_word(core: Core, line: bytes) -> None:
    """Count an error by its first word; a word that comes when there is no room is counted as none."""
    word = line[1:WORD_BYTES].split(None, 1)[0] if line[1:2] > b" " else b""
    if word not in core.words and len(core.words) >= WORDS - 1:
        word = b""
    core.words[word] = core.words.get(word, 0) + 1


def count(core: Core, u: Upstream, slot: Slot, error: bool) -> None:
    """*slot* is answered, by its server or here."""
    number, command, now = slot.count, slot.command, core.now
    route = BY_REPLICA if u.place else BY_MASTER
    command.tally[route][error] += number
    lasted = now - slot.since
    took(command, route, lasted, number)
    if core.slow and lasted > core.slow:
        _keep_slow(core, u, slot)
    place = core.places[u.place]
    if slot.began:
        add(core.queued[route], slot.began - slot.since, number)
        add(place.served, now - slot.began, number)
    if slot.kind == READ:
        if u.place:
            place.reads += number
        else:
            core.reads[slot.reason] += number
    elif slot.kind == BLOCK:
        _count_block(core, slot)


def _keep_slow(core: Core, u: Upstream, slot: Slot) -> None:
    """Keep what took long, with its bytes, in the place of the oldest that is kept."""
    core.slows.append((slot, u.place, core.now))
    if len(core.slows) >= SLOWS // 2 and core.now - core.slow_told > _SELDOM:
        core.slow_told = core.now
        tell(core, (SLOW, u.group.number, u.place, 0))


def slow(core: Core) -> list[Slow]:
    """Return and forget what took long, the newest `SLOWS` requests of it, the oldest first."""
    found: list[Slow] = []
    while core.slows and len(found) < SLOWS:
        slot, place, at = core.slows.pop()
        each: list[bytes | None] = [None] if slot.kind == BLOCK else [slot.data]
        if slot.count > 1:
            each = [request.data for request in requests(slot.data)]
        began = slot.began or at
        spent = at - slot.since, began - slot.since, at - slot.began if slot.began else 0.0
        client, size = slot.client, slot.passed // slot.count
        for data in reversed(each):
            found.append((client.id, slot.command.name, data, place, at, *spent, size, client.where))
    core.slows.clear()
    return found[SLOWS - 1 :: -1]


def _count_block(core: Core, slot: Slot) -> None:
    """Count the commands of a whole block, EXEC apart."""
    for request in requests(slot.data):
        if understand(core, request) and request.kind != EXEC:
            request.command.tally[BY_MASTER][0] += 1
            took(request.command, BY_MASTER, core.now - slot.since, 1)
