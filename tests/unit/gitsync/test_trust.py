"""When a sync may take the volume for sound at a glance."""

from __future__ import annotations

import pytest

from podmates_gitsync.sync.trust import Trust


def after(*failures: tuple[str, bool]) -> Trust:
    """Return what is known after syncs that failed with a text, and looked closely or not."""
    trust = Trust()
    for text, looked in failures:
        trust.take()
        trust.looked = looked
        trust.failed(OSError(text))
    return trust


def test_nothing_is_taken_for_sound_before_the_first_sync() -> None:
    assert not Trust().take()


def test_a_sync_that_went_well_is_good_for_one_glance() -> None:
    trust = Trust()
    trust.went_well()
    assert trust.take()
    assert not trust.take()


@pytest.mark.parametrize(
    ("failures", "glance"),
    [
        ([("gone", False)], False),
        ([("gone", True)], True),
        ([("gone", True), ("gone", False)], True),
        ([("gone", True), ("index file corrupt", False)], False),
        ([("gone", True), ("index file corrupt", False), ("gone", True)], True),
        ([("port 443 after 12 ms", True), ("port 443 after 9 ms", False)], True),
        ([("tmp_pack_aBcDeF is full", True), ("tmp_pack_GhIjKl is full", False)], True),
    ],
)
def test_a_close_look_that_did_not_help_is_not_repeated_for_the_same_failure(
    failures: list[tuple[str, bool]], glance: bool
) -> None:
    assert after(*failures).take() is glance


def test_what_did_not_help_is_forgotten_once_it_goes_well() -> None:
    trust = after(("gone", True))
    assert trust.is_hopeless(OSError("gone")) and trust.is_in_trouble
    trust.went_well()
    assert not trust.is_hopeless(OSError("gone")) and not trust.is_in_trouble


def test_garbage_that_is_not_collected_is_a_reason_to_look_closely_once() -> None:
    looks = []
    trust = Trust()
    for failure in ["full", "full", "", "full", "object 1a is bad", "object 2b is bad"]:
        trust.went_well()
        trust.not_collected(OSError(failure)) if failure else trust.collected()
        looks.append(not trust.take())
    assert looks == [True, False, False, True, True, False]
