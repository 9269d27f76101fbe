"""A pause ends when somebody wants a sync, and whoever waits for one is told of the right one."""

from __future__ import annotations

import threading
import time

from podmates_gitsync.sync.wishes import Wishes
from tests.support.waiting import until

OLD, NEW = "a" * 40, "b" * 40
LONG = 3600.0  # seconds: a pause that only a wish can end


class Pausing:
    """A loop that pauses for an hour, and what it was told by the wishes."""

    def __init__(self, wishes: Wishes) -> None:
        self.wishes, self.forced = wishes, list[bool]()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        self.wishes.pause(LONG)
        self.forced.append(self.wishes.begin())

    def ends(self) -> bool:
        self.thread.join(30)
        return not self.thread.is_alive()


def test_a_push_and_a_signal_end_a_pause_that_has_begun() -> None:
    for wish in (Wishes.push, Wishes.signal):
        pausing = Pausing(Wishes())
        wish(pausing.wishes)

        assert pausing.ends()
        assert pausing.forced == [True]


def test_a_wish_during_a_sync_is_kept_for_the_pause_after_it() -> None:
    for wish in (Wishes.push, Wishes.signal):
        wishes = Wishes(debounce=0)
        assert not wishes.begin()
        wish(wishes)
        wishes.succeed(OLD)
        wishes.pause(LONG)
        assert wishes.begin()


def test_a_pause_nobody_ends_lasts_as_long_as_it_should() -> None:
    wishes, began = Wishes(), time.monotonic()
    wishes.pause(0.1)

    assert time.monotonic() - began >= 0.1
    assert not wishes.begin()


def test_only_a_sync_that_began_after_the_wish_is_what_it_waited_for() -> None:
    wishes, told = Wishes(), list[str]()
    wishes.begin()
    wishes.push(done=told.append)
    wishes.succeed(OLD)
    assert told == []

    wishes.begin()
    wishes.fail(again=False)
    assert told == []

    wishes.begin()
    wishes.succeed(NEW)
    wishes.succeed(NEW)
    assert told == [NEW]


def test_who_gave_up_is_not_told() -> None:
    wishes, told = Wishes(), list[str]()
    callback = told.append
    wishes.push(done=callback)
    wishes.begin()
    wishes.forget(callback)
    wishes.succeed(NEW)

    assert told == []


def test_a_commit_that_was_announced_is_asked_for_again_soon() -> None:
    wishes = Wishes()
    wishes.begin()
    wishes.succeed(OLD)
    wishes.push(NEW)
    found, wanted = iter([OLD, OLD, NEW]), list[bool]()

    def loop() -> None:
        for commit in found:
            wishes.pause(LONG)
            wanted.append(wishes.begin())
            wishes.succeed(commit)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    until(lambda: not thread.is_alive(), 30, "three syncs without another push")
    assert wanted == [True, False, False]  # those that try again may look before they fetch


def test_a_failure_is_tried_again_only_where_failures_are_free() -> None:
    for again, seconds in ((True, LONG), (False, 0.5)):
        wishes = Wishes()
        wishes.begin()
        wishes.succeed(OLD)
        wishes.push(NEW)
        wishes.begin()
        wishes.fail(again=again)
        began = time.monotonic()
        wishes.pause(seconds)

        assert (time.monotonic() - began < seconds) == again


def test_whoever_waits_for_a_sync_that_never_comes_is_told_of_no_commit() -> None:
    wishes, told = Wishes(), list[str]()
    wishes.push(done=told.append)
    wishes.begin()
    wishes.push(done=told.append)
    wishes.end()
    wishes.end()

    assert told == ["", ""]
