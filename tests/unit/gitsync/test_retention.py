"""Old trees go by age, except the youngest few and what is protected."""

from __future__ import annotations

from itertools import product

import pytest

from podmates_gitsync.trees.retention import Entry, stale

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
