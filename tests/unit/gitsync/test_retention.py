"""Old trees go by age, except the youngest few and what is protected."""

from __future__ import annotations

from itertools import product

import pytest

from podmates_gitsync.trees.retention import Entry, Retired, dated, stale

A, B, C, NOW = "a" * 40, "b" * 40, "c" * 40, 100.0


def test_what_is_older_goes_the_oldest_first() -> None:
    entries = [Entry(A, 20, True), Entry(B, 10, True), Entry("stray", 15, False), Entry(C, 90, True)]

    assert stale(entries, protected=set(), before=50, keep=0) == [B, "stray", A]


@pytest.mark.parametrize("keep", range(5))
def test_so_many_trees_stay_however_old(keep: int) -> None:
    entries = [Entry(A, 1, True), Entry(B, 2, True), Entry(C, 3, True)]

    assert stale(entries, protected={C}, before=NOW, keep=keep) == [A, B][: max(0, 2 - keep)]


def test_a_stray_is_no_tree_and_takes_no_place_of_one() -> None:
    entries = [Entry(A, 1, True), Entry(B, 9, False), Entry("notes", 8, True)]

    assert stale(entries, protected=set(), before=NOW, keep=1) == ["notes", B]


def test_what_is_protected_never_goes() -> None:
    for ages, keep, before in product(product((1.0, 2.0), repeat=3), range(4), (0.0, 1.5, NOW)):
        entries = [Entry(name, age, True) for name, age in zip((A, B, C), ages, strict=True)]
        assert A not in stale(entries, protected={A}, before=before, keep=keep)


@pytest.mark.parametrize(
    ("now", "elapsed", "expected"),
    [
        (1060.0, 60.0, 1000.0),
        (1060.0 - 86400, 60.0, 1000.0 - 86400),  # put back by a day: a minute old all the same
        (1060.0 + 86400, 60.0, 1000.0 + 86400),  # put forward: not a day old
    ],
)
def test_a_clock_that_jumps_changes_no_age(now: float, elapsed: float, expected: float) -> None:
    retired = Retired(changed=1000.0, monotonic=5.0)

    assert dated(1000.0, retired, now=now, monotonic=5.0 + elapsed) == expected


def test_a_time_that_somebody_set_counts_and_one_in_the_future_is_now() -> None:
    assert dated(3.0, Retired(changed=1000.0, monotonic=5.0), now=1060.0, monotonic=65.0) == 3.0
    assert dated(3.0, None, now=1060.0, monotonic=65.0) == 3.0
    assert dated(9999.0, None, now=1060.0, monotonic=65.0) == 1060.0
