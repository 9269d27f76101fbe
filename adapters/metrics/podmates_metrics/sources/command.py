"""What a program prints, as a source: started at every scrape, ended with its time, bounded in size."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from contextlib import suppress

from podmates_metrics.background import aside
from podmates_metrics.native.pulls import Command, Pull
from podmates_metrics.sources.asking import Answer, SourceProblem
from podmates_metrics.statsd.engine import Totals

_CHUNK = 1 << 16  # bytes
_LOOK = 0.05  # seconds between two looks whether it ended, while it prints nothing


class CommandWay:
    """One command line, without a shell. The program and all that it starts end with the question."""

    def __init__(self, pull: Pull, command: Command) -> None:
        self._pull, self._command = pull, command
        self._status: int | None = None  # of the last one that ended by itself
        self._running: subprocess.Popen[bytes] | None = None
        self._closed = False

    async def fetch(self) -> Answer:
        """Return what it printed; its status must be one of those that mean success."""
        return Answer([("", await aside(self._run, f"command {self._pull.name}"))])

    def _run(self) -> bytes:
        try:
            process = subprocess.Popen(
                self._command.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise SourceProblem(f"{self._command.argv[0]}: {error.strerror}") from None
        with process:
            self._running = process
            if self._closed:
                _end(process)
            try:
                body = self._output(process)
            finally:
                self._running = None
                _end(process)
                process.wait()
        self._status = process.returncode if process.returncode >= 0 else 128 - process.returncode
        if self._status not in self._command.statuses:
            raise SourceProblem(f"ended with status {self._status}")
        return body

    def _output(self, process: subprocess.Popen[bytes]) -> bytes:
        """Return what it prints until it ends, also when what it left behind holds the pipe open."""
        assert process.stdout is not None  # noqa: S101
        pipe, most, data, whole = process.stdout.fileno(), self._pull.max_size, bytearray(), False
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        deadline = time.monotonic() + self._pull.timeout
        while time.monotonic() < deadline:
            ended = _ended(process)
            if whole and not ended:
                time.sleep(_LOOK)
            elif not whole and poll.poll(0 if ended else _LOOK * 1000):
                chunk = os.read(pipe, _CHUNK)
                whole = not chunk
                data += chunk
            elif ended:
                return bytes(data)
            if len(data) > most:
                raise SourceProblem(f"printed more than {most} bytes")
        raise SourceProblem(f"did not end within {self._pull.timeout:g} s")

    async def close(self) -> None:
        """End a program that still runs."""
        self._closed = True
        if self._running is not None:
            _end(self._running)

    def totals(self) -> Totals:
        name = "podmates_command_exit_status"
        return {} if self._status is None else {name: {(self._pull.name,): self._status}}


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether it has ended; it stays a zombie, so that its number is not another's yet."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the program's whole group, before it is waited for."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
