"""Ends come out in order, from threads and from signals alike."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from podmates_gitsync.service.inbox import End, Inbox


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    before = signal.getsignal(signal.SIGUSR1)
    yield Inbox()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGUSR1, before)


def put(inbox: Inbox, *numbers: int) -> None:
    for number in numbers:
        inbox.put(End(status=number))


def test_the_first_end_put_in_by_a_thread_is_returned(inbox: Inbox) -> None:
    thread = threading.Thread(target=lambda: put(inbox, 3, 4))
    thread.start()

    assert [inbox.get(), inbox.get()] == [End(status=3), End(status=4)]
    thread.join(30)


def test_a_signal_given_to_another_thread_wakes_the_main_one(inbox: Inbox) -> None:
    signal.signal(signal.SIGUSR1, lambda number, _: inbox.put(End(signal=number)))
    inbox.listen_to_signals()
    waiting = threading.Event()
    thread = threading.Thread(target=waiting.wait, args=(30,))
    thread.start()
    assert thread.ident is not None
    signal.pthread_kill(thread.ident, signal.SIGUSR1)

    assert inbox.get() == End(signal=signal.SIGUSR1)
    waiting.set()
    thread.join(30)


def test_more_ends_than_the_pipe_holds_block_nobody(inbox: Inbox) -> None:
    put(inbox, *range(70000))

    assert inbox.get() == End(status=0)


def test_a_signal_in_the_middle_of_its_own_handling_is_not_lost_and_blocks_nobody(inbox: Inbox) -> None:
    signal.signal(signal.SIGUSR1, lambda *_: inbox.nudge())
    inbox.listen_to_signals()
    seen: list[int] = []

    def nudged() -> None:
        seen.append(len(seen))
        if len(seen) == 1:
            signal.raise_signal(signal.SIGUSR1)  # a handler that sets an event itself may wait for ever
        else:
            inbox.put(End(status=5))

    signal.raise_signal(signal.SIGUSR1)

    assert inbox.get(nudged) == End(status=5)
    assert seen == [0, 1]
