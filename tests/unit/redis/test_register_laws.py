"""Each law of the register checker finds a history that breaks it, and lets the others pass."""

from __future__ import annotations

import pytest

from tests.support.registers.history import NEVER, OUTSIDE, Event, History, Kind, Loss
from tests.support.registers.laws import faults

WRITE, READ, ACQUIRE, SEND, COUNT = Kind.WRITE, Kind.READ, Kind.ACQUIRE, Kind.SEND, Kind.COUNT


def event(
    kind: Kind,
    pod: int,
    begin: float,
    end: float,
    key: str,
    value: str = "",
    client: str = "",
    **more: object,
) -> Event:
    known = value.encode() if value else None
    return Event(kind, pod, client or f"c{pod}", 0, begin, end, key, known, **more)  # type: ignore[arg-type]


def judged(*events: Event, losses: tuple[Loss, ...] = ()) -> list[str]:
    """Return the first words of the faults."""
    return [fault.split(":")[0] for fault in faults(History(events=list(events), losses=list(losses)))]


OLD, NEW = event(WRITE, 0, 1, 2, "k", "old"), event(WRITE, 0, 3, 4, "k", "new")
FOREIGN_NEW = event(WRITE, 1, 3, 4, "k", "new")
HELD = event(ACQUIRE, 0, 4.5, 4.6, "lock")

WRONG = {
    "own write missed": ([OLD, NEW, event(READ, 0, 5, 6, "k", "old")], "stale"),
    "own write missed by nothing": ([OLD, event(READ, 0, 5, 6, "k")], "stale"),
    "own write missed in its packet": (
        [OLD, NEW, event(READ, 0, 3, 4, "k", "old", behind=b"new")],
        "stale",
    ),
    "a lock tells of a write": ([OLD, FOREIGN_NEW, HELD, event(READ, 0, 5, 6, "k", "old")], "stale"),
    "an element tells of a write while it was waited for": (
        [
            FOREIGN_NEW,
            event(SEND, 1, 4.1, 4.2, "queue0", "j"),
            event(ACQUIRE, 0, 1, 4.2, "queue0", "j"),
            event(READ, 0, 5, 6, "k"),
        ],
        "stale",
    ),
    "a message tells of a write": (
        [
            FOREIGN_NEW,
            event(SEND, 1, 4.1, 4.2, "channel", "j"),
            event(ACQUIRE, 0, 4.3, 4.3, "channel", "j"),
            event(READ, 0, 5, 6, "k"),
        ],
        "stale",
    ),
    "what is there at the end": ([OLD, NEW, event(READ, OUTSIDE, 9, 9.1, "k", "old")], "stale"),
    "back behind what the pod has seen": (
        [
            OLD,
            event(WRITE, 0, 3, 3.9, "k", "new"),
            event(READ, 0, 3.1, 3.2, "k", "new"),
            event(READ, 0, 3.3, 3.4, "k", "old"),
        ],
        "stale",
    ),
    "written by nobody": ([OLD, event(READ, 0, 5, 6, "k", "other")], "foreign"),
    "written later": ([NEW, event(READ, 0, 1, 2, "k", "new")], "foreign"),
    "refused": (
        [event(WRITE, 0, 1, 2, "k", "old", refused=True), event(READ, 0, 5, 6, "k", "old")],
        "refused and run",
    ),
    "counted twice": ([event(COUNT, 0, 1, 2, "n", "1"), event(COUNT, 0, 3, 4, "n", "3")], "doubled"),
    "not counted": (
        [event(COUNT, 0, 1, 2, "n", "2"), event(COUNT, 0, 1, NEVER, "n"), event(COUNT, 0, 3, 4, "n", "1")],
        "lost",
    ),
    "told the same count": ([event(COUNT, 0, 1, 4, "n", "1"), event(COUNT, 1, 2, 5, "n", "1")], "told twice"),
    "taken twice": (
        [event(SEND, 0, 1, 2, "queue0", "j"), *[event(ACQUIRE, pod, 3, 4, "queue0", "j") for pod in (0, 1)]],
        "taken twice",
    ),
    "taken and never put": ([event(ACQUIRE, 0, 3, 4, "queue0", "j")], "foreign"),
    "put and not there": ([event(SEND, 0, 1, 2, "queue0", "j")], "vanished"),
    "heard in another order": (
        [
            event(SEND, 0, 1, 2, "channel", "a"),
            event(SEND, 0, 3, 4, "channel", "b"),
            event(ACQUIRE, 1, 5, 5, "channel", "b"),
            event(ACQUIRE, 1, 6, 6, "channel", "a"),
        ],
        "out of order or twice",
    ),
    "not heard": (
        [
            *[event(SEND, 0, n, n + 0.5, "channel", f"m{n}") for n in range(3)],
            *[event(ACQUIRE, 1, 5 + n, 5 + n, "channel", f"m{n}") for n in (0, 2)],
        ],
        "unheard",
    ),
    "heard of nobody": ([event(ACQUIRE, 1, 5, 5, "channel", "b")], "foreign"),
}
RIGHT = {
    "own write seen": [OLD, NEW, event(READ, 0, 5, 6, "k", "new")],
    "a read beside a write": [OLD, NEW, event(READ, 0, 3.5, 6, "k", "old")],
    "another pod's write not told": [OLD, FOREIGN_NEW, event(READ, 0, 5, 6, "k", "old")],
    "a lock asked for before the write": [
        OLD,
        FOREIGN_NEW,
        event(ACQUIRE, 0, 3.5, 4.6, "lock"),
        event(READ, 0, 5, 6, "k", "old"),
    ],
    "a message that lay there for long tells nothing of what came later": [
        event(SEND, 1, 1, 2, "channel", "j"),
        FOREIGN_NEW,
        event(ACQUIRE, 0, 4.5, 4.5, "channel", "j"),
        event(READ, 0, 5, 6, "k"),
    ],
    "writes at the same time": [
        event(WRITE, 0, 1, 4, "k", "a"),
        event(WRITE, 0, 2, 3, "k", "b"),
        event(READ, 0, 5, 6, "k", "a"),
    ],
    "unanswered and not run": [OLD, event(WRITE, 0, 3, NEVER, "k", "new"), event(READ, 0, 5, 6, "k", "old")],
    "unanswered and run": [OLD, event(WRITE, 0, 3, NEVER, "k", "new"), event(READ, 0, 5, 6, "k", "new")],
    "refused and not run": [
        OLD,
        event(WRITE, 0, 3, 4, "k", "new", refused=True),
        event(READ, 0, 5, 6, "k", "old"),
        event(READ, OUTSIDE, 7, 8, "k", "old"),
    ],
    "counts at the same time": [event(COUNT, 0, 1, 4, "n", "2"), event(COUNT, 1, 2, 5, "n", "1")],
    "a count unanswered": [event(COUNT, 0, 1, NEVER, "n"), event(COUNT, 0, 3, 4, "n", "2")],
    "an element taken by one who left": [
        event(SEND, 0, 1, 2, "queue0", "j"),
        event(ACQUIRE, 0, 1, NEVER, "queue"),
    ],
    "not heard before the first": [
        event(SEND, 0, 1, 2, "channel", "a"),
        event(SEND, 0, 3, 4, "channel", "b"),
        event(ACQUIRE, 1, 5, 5, "channel", "b"),
    ],
}
LOST = {
    "not among what survived": (Loss(4.2, 4.5, {"k": b"old"}), []),
    "survived": (Loss(4.2, 4.5, {"k": b"new"}), ["stale"]),
    "begun after the failover": (Loss(1.5, 2.5, {"k": b"old"}), ["stale"]),
    "read before the failover": (Loss(7, 8, {"k": b"old"}), ["stale"]),
    "nobody knows what survived": (Loss(4.2, 4.5, None, reach=3.5), []),
    "answered long before": (Loss(4.2, 4.5, None, reach=4.1), ["stale"]),
}


@pytest.mark.parametrize(("events", "fault"), WRONG.values(), ids=WRONG.keys())
def test_what_breaks_a_law_is_found(events: list[Event], fault: str) -> None:
    assert judged(*events) == [fault]


@pytest.mark.parametrize("events", RIGHT.values(), ids=RIGHT.keys())
def test_what_may_be_is_let_pass(events: list[Event]) -> None:
    assert judged(*events) == []


@pytest.mark.parametrize(("loss", "wanted"), LOST.values(), ids=LOST.keys())
def test_only_what_the_servers_lose_is_excused(loss: Loss, wanted: list[str]) -> None:
    assert judged(OLD, NEW, event(READ, 0, 5, 6, "k", "old"), losses=(loss,)) == wanted
