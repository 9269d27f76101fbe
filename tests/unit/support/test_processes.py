"""A program is read while it runs, has a deadline, and never outlives its test."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support.processes import Process, environment, group_members, run
from tests.support.waiting import until

STUBBORN = "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True); signal.pause()"


def test_both_streams_and_the_status_come_back() -> None:
    finished = run([sys.executable, "-c", "import sys; print('a'); print('b', file=sys.stderr); sys.exit(3)"])

    assert finished == (3, "a\n", "b\n")


def test_nothing_of_the_callers_environment_but_the_path_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODMATES_REDIS_SERVERS", "leaked:1")

    assert set(environment({"GIVEN": "1"})) == {"PATH", "LANG", "GIVEN"}


def test_a_line_is_found_as_soon_as_it_is_written_and_by_its_number() -> None:
    program = "print('n=1'); print('n=2', flush=True); import signal; signal.pause()"
    with Process([sys.executable, "-c", program]) as process:
        assert process.wait_line(r"n=(\d)", count=2).group(1) == "2"
        assert process.wait_line(r"n=(\d)").group(1) == "1"


def test_what_it_has_written_is_in_its_output_although_no_thread_of_ours_gets_on(tmp_path: Path) -> None:
    program = f"print('said'); print('part', end='', flush=True); open({str(tmp_path / 'done')!r}, 'w')"
    with Process([sys.executable, "-c", f"{program}; import signal; signal.pause()"]) as process:
        with process._news:  # a thread that reads waits for that
            until((tmp_path / "done").exists, what="the program to get there")
            assert process.stdout == "said\n"
        process.stop()
    assert process.stdout == "said\npart"


def test_waiting_for_a_line_of_a_program_that_ended_fails_at_once_with_its_output() -> None:
    failure = pytest.raises(AssertionError, match=r"ended with 0(.|\n)*only this")
    with Process([sys.executable, "-c", "print('only this')"]) as process, failure:
        process.wait_line("ready", timeout=600)


def test_stop_fails_when_the_program_does_not_obey_and_the_exit_kills_it() -> None:
    with Process([sys.executable, "-c", STUBBORN]) as process:
        process.wait_line("up")
        with pytest.raises(AssertionError, match=r"still ran after 0\.1 s"):
            process.stop(timeout=0.1)

    assert process.returncode == -signal.SIGKILL


def test_grandchildren_are_killed_with_the_group() -> None:
    program = "import subprocess; subprocess.Popen(['sleep', '600']); print('up', flush=True)"
    with Process([sys.executable, "-c", program]) as process:
        process.wait_line("up")

    until(lambda: not group_members(process.pid), what="the group to be empty")
    assert os.getpgid(0) != process.pid
