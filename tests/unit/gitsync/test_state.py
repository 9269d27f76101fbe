"""Readiness ends with the root, and with the last sync."""

from __future__ import annotations

import pytest

from podmates_gitsync.sync.state import State


def test_who_waits_for_root_is_not_ready_until_the_next_success() -> None:
    state = State()
    state.ready.set()
    state.wait(True)
    assert (state.ready.is_set(), state.shown) == (False, "waiting")
    state.wait(False)  # another process may have published something else meanwhile
    assert (state.ready.is_set(), state.shown) == (False, "running")


@pytest.mark.parametrize(("status", "ready"), [(0, True), (1, False)])
def test_who_has_ended_badly_is_not_ready_any_more(status: int, ready: bool) -> None:
    state = State()
    state.ready.set()
    state.end(status)
    assert (state.ready.is_set(), state.shown) == (ready, "ended")
