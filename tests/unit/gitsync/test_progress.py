"""The progress of a clone is read from git's own words, however they are cut."""

from __future__ import annotations

import io
import os
import pty

import pytest

from podmates_gitsync.reports.logs import Log
from podmates_gitsync.reports.meter import Meter, Step, bar, without_steps
from podmates_gitsync.reports.progress import Progress, wanted

SAID = (
    "POST git-upload-pack (175 bytes)\nremote: Enumerating objects: 12, done.        \n"
    "remote: Counting objects:  50% (6/12)        \rremote: Counting objects: 100% (12/12), done.        \n"
    "Receiving objects:  25% (3/12)\rReceiving objects: 100% (12/12), 1.20 MiB | 1.00 MiB/s, done.\n"
    "Resolving deltas:  50% (1/2)\rResolving deltas: 100% (2/2), done.\nFrom file:///x\n * branch HEAD\n"
)


def test_steps_are_read_at_every_cut_and_never_go_back() -> None:
    for size in range(1, len(SAID)):
        meter, ratios = Meter(), [0.0]
        for start in range(0, len(SAID), size):
            step = meter.feed(SAID[start : start + size])
            ratios += [step.ratio] if step else []
        assert ratios == sorted(ratios)
        assert ratios[-1] == 1.0


def test_a_step_is_a_part_of_the_whole() -> None:
    assert Meter().feed("Receiving objects:  50% (6/12)\r") == Step("Receiving objects", 0.5)
    assert Meter().feed("Something else: 50% (6/12)\r") is None
    assert Meter().feed("x" * 5000) is None


def test_what_else_git_said_is_left() -> None:
    left = without_steps(SAID)

    assert "%" not in left
    assert "From file:///x\n * branch HEAD" in left
    assert without_steps("fatal: no\nsuch thing") == "fatal: no\nsuch thing"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("mode", "terminal", "expected"),
    [
        ("auto", True, True),
        ("auto", False, False),
        ("on", False, True),
        ("on", True, True),
        ("off", True, False),
    ],
)
def test_it_is_told_on_a_terminal_or_when_asked_for(mode: str, terminal: bool, expected: bool) -> None:
    stream = Terminal() if terminal else io.StringIO()

    assert wanted(mode, stream) == (expected, stream if terminal else None)


def test_a_terminal_gets_a_bar_and_no_lines() -> None:
    log, terminal, told = io.StringIO(), Terminal(), list[float]()
    progress = Progress(Log(stream=log), told.append, terminal)
    progress.feed(SAID.encode())
    progress.end()

    assert bar(Step("Receiving objects", 0.5)).startswith("\r[###############...............]  50% Receiving")
    assert terminal.getvalue().endswith("[##############################] 100% done                \n")
    assert log.getvalue() == ""
    assert told[-1] == 1.0


def test_the_log_gets_a_line_for_each_tenth_at_most() -> None:
    log, told = io.StringIO(), list[float]()
    progress = Progress(Log(stream=log), told.append, None)
    for percent in range(101):
        progress.feed(f"Receiving objects: {percent:3}% ({percent}/100)\r".encode())
    progress.end()

    assert 8 <= log.getvalue().count('"cloning"') <= 11
    assert '"percent":10' in log.getvalue()
    assert len(told) == 102


def test_a_terminal_that_goes_away_stops_nothing_and_the_log_gets_the_rest() -> None:
    log, told = io.StringIO(), list[float]()
    ours, theirs = pty.openpty()
    with open(theirs, "w") as terminal:
        progress = Progress(Log(stream=log), told.append, terminal)
        progress.feed(b"Receiving objects:  25% (3/12)\r")
        os.close(ours)
        progress.feed(b"Receiving objects:  50% (6/12)\r")
        progress.feed(b"Receiving objects:  75% (9/12)\r")
        progress.end()
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), theirs)  # for what it could not write, when it is closed

    assert (len(told), told[-1]) == (4, 1.0)
    assert '"percent":100' in log.getvalue()
