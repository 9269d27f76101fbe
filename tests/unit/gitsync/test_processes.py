"""A program has a deadline, its output is bounded, and its whole group ends with it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from podmates_gitsync import programs
from podmates_gitsync.programs import KEPT, Finished, Running, TimeoutExpired, collect, start
from tests.support.processes import group_members
from tests.support.waiting import until

HERE = Path("/")


def run(script: str, *, seconds: float = 30) -> Finished:
    process = start([sys.executable, "-c", script], HERE, dict(os.environ))
    return collect(process, time.monotonic() + seconds, Running())


def test_both_streams_and_the_status_come_back() -> None:
    done = run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")

    assert (done.status, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_a_program_that_floods_both_pipes_ends_and_only_the_start_is_kept() -> None:
    done = run(f"import sys; [s.write('x' * {2 * KEPT}) for s in (sys.stderr, sys.stdout)]")

    assert done.status == 0
    assert done.stdout.endswith(f"… and {KEPT} bytes more")
    assert done.stderr.startswith("x" * KEPT)


def test_the_whole_group_is_killed_at_the_deadline() -> None:
    script = "import subprocess, sys; print(1, file=sys.stderr, flush=True); subprocess.run(['sleep', '600'])"
    process = start([sys.executable, "-c", script], HERE, dict(os.environ))

    with pytest.raises(TimeoutExpired):
        collect(process, time.monotonic() + 1.0, Running())

    until(lambda: not group_members(process.pid), 30, "the group to be gone")


def test_a_program_that_somebody_kills_takes_its_helpers_with_it() -> None:
    script = "import os, subprocess; subprocess.Popen(['sleep', '600']); os.kill(os.getpid(), 9)"
    process = start([sys.executable, "-c", script], HERE, dict(os.environ))

    assert collect(process, time.monotonic() + 30, Running()).status == -9
    until(lambda: not group_members(process.pid), 30, "the group to be gone")


def test_a_helper_that_keeps_the_pipe_does_not_use_up_the_deadline() -> None:
    began = time.monotonic()
    done = run("import subprocess; print(subprocess.Popen(['sleep', '60']).pid)", seconds=50)

    assert done.status == 0
    assert time.monotonic() - began < 40
    os.kill(int(done.stdout), signal.SIGKILL)


def test_what_runs_is_killed_when_we_are_told_to_stop_and_so_is_what_comes_after() -> None:
    running = Running()
    process = start(["sleep", "600"], HERE, dict(os.environ))
    results: list[Finished] = []
    thread = threading.Thread(
        target=lambda: results.append(collect(process, time.monotonic() + 500, running))
    )
    thread.start()
    until(lambda: running.groups, 30, "the group to be known")
    running.kill()
    thread.join(30)
    late = start(["sleep", "600"], HERE, dict(os.environ))
    results.append(collect(late, time.monotonic() + 500, running))

    assert [result.status for result in results] == [-9, -9]


def test_a_program_that_closes_its_pipes_is_waited_for() -> None:
    done = run("import os, threading; os.close(1); os.close(2); threading.Event().wait(0.3); os._exit(4)")

    assert done.status == 4


@pytest.mark.parametrize("fault", [OSError("the terminal is gone"), KeyboardInterrupt()])
def test_a_listener_that_fails_leaves_no_process(fault: BaseException) -> None:
    def seen(_: bytes) -> None:
        raise fault

    script = "import subprocess, sys; print(1, file=sys.stderr, flush=True); subprocess.run(['sleep', '600'])"
    process, running = start([sys.executable, "-c", script], HERE, dict(os.environ)), Running()
    with pytest.raises(type(fault)):
        collect(process, time.monotonic() + 500, running, seen=seen)

    assert process.returncode == -9
    assert running.groups == set()
    until(lambda: not group_members(process.pid), 30, "the group to be gone")


def test_one_that_does_not_die_of_being_killed_is_left_behind_and_reaped_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who waits for a dead file server within the kernel takes no signal."""
    process, running = start(["sleep", "600"], HERE, dict(os.environ)), Running()
    with monkeypatch.context() as patch:
        patch.setattr(programs, "kill_group", lambda group: None)
        patch.setattr(programs, "_DYING", 0.1)
        with pytest.raises(TimeoutExpired, match="does not end"):
            collect(process, time.monotonic(), running)
    assert running.groups == {process.pid}

    programs.kill_group(process.pid)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    collect(start(["true"], HERE, dict(os.environ)), time.monotonic() + 30, running)
    assert process.returncode == -9
    assert running.groups == set()


def test_what_is_wanted_whole_and_has_no_end_is_a_failure_and_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(programs, "WHOLE", 1 << 20)
    running = Running()
    process = start([sys.executable, "-c", "while True: print('y' * 4096)"], HERE, dict(os.environ))
    with pytest.raises(OSError, match="more than 1048576 bytes"):
        collect(process, time.monotonic() + 500, running, whole=True)
    assert process.returncode == -9
