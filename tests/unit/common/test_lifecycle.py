"""Signals ask once politely, and the init forwards them and reaps orphans."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.support.waiting import until

DRAINING = """
import asyncio, sys
from podmates_common.lifecycle import until_stopped
async def body(stop):
    print("started", flush=True)
    await stop.wait()
    print("draining", flush=True)
    if sys.argv[1] == "stuck":
        await asyncio.Event().wait()
asyncio.run(until_stopped(body))
"""
# The child leaves an orphan behind; with us as its subreaper it is ours to reap, as for number one.
INIT = r"""
import ctypes, os, signal, sys
from podmates_common.init import fork, supervise
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
child = fork()
if child == 0:
    if os.fork() == 0:
        if os.fork() == 0:
            os.write(1, b"orphan %d\n" % os.getpid())
        os._exit(0)
    os.wait()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    os.write(1, b"child %d\n" % os.getpid())
    signal.sigwait({signal.SIGTERM})
    os._exit(7)
sys.exit(supervise(child))
"""


@contextmanager
def start(program: str, *argv: str) -> Iterator[subprocess.Popen[str]]:
    """Run *program*; whatever is left of it at the end is killed, so that a failure cannot hang."""
    command = [sys.executable, "-c", program, *argv]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_the_first_signal_drains_and_the_exit_is_clean(number: signal.Signals) -> None:
    with start(DRAINING, "") as process:
        assert line(process) == "started"
        process.send_signal(number)

        assert process.communicate(timeout=30)[0] == "draining\n"
    assert process.returncode == 0


def test_a_second_signal_ends_a_stuck_drain_at_once() -> None:
    with start(DRAINING, "stuck") as process:
        assert line(process) == "started"
        process.send_signal(signal.SIGTERM)
        assert line(process) == "draining"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert process.returncode == 128 + signal.SIGTERM


def test_the_init_forwards_signals_reaps_orphans_and_passes_the_status_on() -> None:
    with start(INIT) as process:
        told = dict(line(process).split() for _ in range(2))
        until(lambda: not os.path.exists(f"/proc/{told['orphan']}"), what="the orphan to be reaped")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert process.returncode == 7


def test_a_child_that_a_signal_ends_gives_its_number() -> None:
    with start(INIT) as process:
        told = dict(line(process).split() for _ in range(2))
        os.kill(int(told["child"]), signal.SIGKILL)
        process.communicate(timeout=30)

    assert process.returncode == 128 + signal.SIGKILL
