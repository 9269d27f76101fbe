"""The first push is answered at once, a burst costs two syncs, and nothing that came is forgotten."""

from __future__ import annotations

import itertools
import random

import pytest

from podmates_gitsync.sync.coalesce import RETRIES, Coalescer, Patience

DEBOUNCE = 0.2
OLD, NEW, NEWER = "a" * 40, "b" * 40, "c" * 40


def syncs(pushes: list[float], *, takes: float = 0.0) -> list[float]:
    """Return when a loop starts its syncs that sleeps till one is due and needs *takes* seconds for each."""
    coalescer, starts, free, left = Coalescer(DEBOUNCE), [], 0.0, sorted(pushes)
    while left or coalescer.due is not None:
        start = max(free, coalescer.due) if coalescer.due is not None else None
        if left and (start is None or left[0] <= start):
            coalescer.push(left.pop(0))
            continue
        assert start is not None
        assert coalescer.started(start)
        starts.append(start)
        free = start + takes
    return starts


@pytest.mark.parametrize(
    ("pushes", "takes", "starts"),
    [
        ([1.0], 0.0, [1.0]),
        ([1.0, 5.0], 0.0, [1.0, 5.0]),
        ([1.0, 1.05, 1.1], 0.0, [1.0, 1.3]),
        ([1.0, 1.05], 0.5, [1.0, 1.5]),  # the second is due when the first is still under way
        ([1.0, 1.4], 0.5, [1.0, 1.5]),  # a gap lay before it, so it waits for the first alone
        ([1.0, 1.0], 0.0, [1.0]),  # before the sync starts, it has both
    ],
    ids=["one", "far apart", "a burst", "during a sync", "late in a sync", "in the same moment"],
)
def test_syncs_start(pushes: list[float], takes: float, starts: list[float]) -> None:
    assert syncs(pushes, takes=takes) == pytest.approx(starts)


def test_a_burst_of_500_costs_two_syncs() -> None:
    assert syncs([1 + number / 1000 for number in range(500)], takes=0.1) == pytest.approx([1.0, 1.699])


def test_pushes_without_a_gap_do_not_hold_a_sync_up_for_ever() -> None:
    starts = syncs([number / 20 for number in range(1000)])
    gaps = [after - before for before, after in itertools.pairwise(starts)]

    assert max(gaps) <= 11 * DEBOUNCE
    assert len(starts) < 40


def test_after_every_push_a_sync_starts_that_has_it() -> None:
    chance = random.Random(7)
    for _ in range(300):
        pushes = [chance.uniform(0, 5) for _ in range(chance.randrange(1, 40))]
        starts = syncs(pushes, takes=chance.choice([0.0, 0.05, 0.7]))

        assert all(any(start >= push for start in starts) for push in pushes)
        assert min(starts) == min(pushes)


def test_a_sync_for_another_reason_has_the_pushes_that_waited() -> None:
    coalescer = Coalescer(DEBOUNCE)
    assert not coalescer.started(0.0)
    coalescer.push(1.0)
    coalescer.started(1.0)
    coalescer.push(1.1)
    assert coalescer.started(1.15)  # the period was over
    assert coalescer.due is None


def test_a_sync_that_tries_again_is_nobodys_wish_until_a_push_comes() -> None:
    coalescer = Coalescer(DEBOUNCE)
    coalescer.at(1.0)
    assert coalescer.due == 1.0
    assert not coalescer.started(1.0)
    coalescer.at(2.0)
    coalescer.push(1.9)
    assert coalescer.started(2.0)
    assert not coalescer.started(3.0)


def tries(patience: Patience, *found: str) -> list[float | None]:
    return [patience.synced(commit) for commit in found]


def test_a_server_that_lags_is_asked_four_times_more() -> None:
    patience = Patience()
    patience.announce(NEW, OLD)

    assert tries(patience, OLD, OLD, OLD, OLD, OLD) == [*RETRIES, None]


@pytest.mark.parametrize(
    ("announced", "published", "found"),
    [
        (NEW, OLD, [NEW]),
        (NEW, OLD, [NEWER, NEWER]),
        (OLD, OLD, [OLD]),
        (NEW, "", [OLD]),
        ("", OLD, [OLD]),
    ],
    ids=["there", "already newer", "had before", "nothing published yet", "nothing announced"],
)
def test_it_is_not_asked_again(announced: str, published: str, found: list[str]) -> None:
    patience = Patience()
    patience.announce(announced, published)

    assert tries(patience, *found) == [None] * len(found)


def test_the_next_push_starts_anew() -> None:
    patience = Patience()
    patience.announce(NEW, OLD)
    assert tries(patience, OLD, NEW) == [RETRIES[0], None]
    patience.announce(NEWER, NEW)
    assert tries(patience, NEW, NEWER, NEWER) == [RETRIES[0], None, None]
