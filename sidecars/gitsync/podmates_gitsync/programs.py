"""Programs that we start: a deadline for each, bounded output, and none left when we are told to stop."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

KEPT = 1 << 20  # bytes kept of each stream; the rest is counted
WHOLE = 1 << 27  # the same where all of it is wanted: more is a failure
_PIPE_GRACE = 2.0  # seconds that somebody else may hold a pipe after the program itself has ended
_DYING = 5.0  # seconds that what was killed may take to end; while it waits for a dead file server it cannot


class Finished(NamedTuple):
    """What a program left: exit status (negative: the signal that killed it) and the start of its output."""

    status: int
    stdout: str
    stderr: str
    seconds: float


class TimeoutExpired(Exception):
    """The program was killed at its deadline; the text holds what it had said on standard error."""


class Running:
    """The process groups that are alive, so that none outlives us."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.groups: set[int] = set()
        self._closed = False
        self._undead: list[subprocess.Popen[bytes]] = []  # killed, and not ended yet

    def add(self, group: int) -> None:
        """Remember *group*; after `kill` it is killed at once."""
        with self._lock:
            ended = [process for process in self._undead if process.poll() is not None]
            self._undead = [process for process in self._undead if process not in ended]
            self.groups.difference_update(process.pid for process in ended)
            self.groups.add(group)
            if self._closed:
                kill_group(group)

    def reap(self, process: subprocess.Popen[bytes]) -> int | None:
        """Return the status of a leader that has ended or was killed, and forget its group.

        None when not even being killed ends it. It is remembered, and reaped when a later one is added.
        """
        try:
            status = process.wait(_DYING)
        except subprocess.TimeoutExpired:
            with self._lock:
                self._undead.append(process)
            return None
        with self._lock:
            self.groups.discard(process.pid)
        return status

    def kill(self) -> None:
        """Kill every group now and whatever is started from now on."""
        with self._lock:
            self._closed = True
            for group in self.groups:
                kill_group(group)

    @property
    def closed(self) -> bool:
        """Whether `kill` was called: what ends from then on did not end by itself."""
        return self._closed


def kill_group(group: int) -> None:
    """Kill every process of *group*; one that is gone already is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def start(
    argv: Sequence[str], cwd: Path, environment: Mapping[str, str], *, name: str = ""
) -> subprocess.Popen[bytes]:
    """Start a program that is not git, in a group of its own.

    Args:
        argv: the file, and what it gets.
        name: what the program is told that it is called; the file's path otherwise.

    Raises:
        OSError: it cannot be started.
    """
    return subprocess.Popen(
        [name or argv[0], *argv[1:]],
        executable=argv[0],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def collect(
    process: subprocess.Popen[bytes],
    deadline: float,
    running: Running,
    *,
    whole: bool = False,
    seen: Callable[[bytes], None] | None = None,
) -> Finished:
    """Read what *process* (leader of its group) says until it ends; kill the whole group at *deadline*.

    A leader that a signal killed takes its group with it. In every case, an exception of *seen* included,
    the process is killed or has ended, and its pipes are closed, when this returns; it is reaped, too, unless
    the kernel does not let it end.

    Args:
        whole: keep all of its output, and every byte: what is no UTF-8 comes as in Python's file names.
        seen: gets what it says on standard error, as it comes.

    Raises:
        TimeoutExpired: the deadline (on the monotonic clock) passed.
        OSError: it said more than `WHOLE`, and all of it is wanted.
    """
    began = time.monotonic()
    running.add(process.pid)
    output, in_time = _Output(process, whole, seen), False
    try:
        in_time = output.read(deadline)
    finally:
        if not in_time:
            kill_group(process.pid)
        status = running.reap(process)
        if status is not None and status < 0:  # nobody waits for its helpers, which may hold locks of git
            kill_group(process.pid)
        output.close()
    if status is None or not in_time:
        how = "and does not end, as on a dead file server" if status is None else "at the deadline"
        raise TimeoutExpired(f"killed {how}; it said: {output.text(1)[-2000:]!r}")
    return Finished(status, output.text(0), output.text(1), time.monotonic() - began)


class _Output:
    """Both pipes of a process, read side by side so that neither can fill up and block it."""

    def __init__(
        self, process: subprocess.Popen[bytes], whole: bool, seen: Callable[[bytes], None] | None
    ) -> None:
        self._process, self._seen = process, seen
        self._whole, self._kept = whole, WHOLE if whole else KEPT
        self._errors = "surrogateescape" if whole else "replace"
        self._streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
        self._data = [bytearray(), bytearray()]
        self._dropped = [0, 0]

    def read(self, deadline: float) -> bool:
        """Read to the end of both; return False when the deadline came first."""
        with selectors.DefaultSelector() as selector:
            for number, stream in enumerate(self._streams):
                selector.register(stream, selectors.EVENT_READ, number)
            while selector.get_map():
                if self._process.poll() is not None:
                    # A helper may keep the pipe: it gets a moment, not our whole budget.
                    deadline = min(deadline, time.monotonic() + _PIPE_GRACE)
                wait = deadline - time.monotonic()
                if wait <= 0:
                    return self._process.poll() is not None
                for key, _ in selector.select(min(wait, 0.5)):
                    if not self._take(key.data, os.read(key.fd, 65536)):
                        selector.unregister(key.fileobj)
        return self._ended(deadline)

    def _ended(self, deadline: float) -> bool:
        """Both pipes are closed: the process itself mostly ends in the same moment."""
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _take(self, number: int, data: bytes) -> bool:
        if number and self._seen is not None:
            self._seen(data)
        room = self._kept - len(self._data[number])
        if self._whole and len(data) > room:
            raise OSError(f"more than {self._kept} bytes of output")
        self._data[number] += data[:room]
        self._dropped[number] += max(0, len(data) - room)
        return bool(data)

    def text(self, number: int) -> str:
        kept = self._data[number].decode("utf-8", self._errors)
        dropped = self._dropped[number]
        return f"{kept}… and {dropped} bytes more" if dropped else kept

    def close(self) -> None:
        for stream in self._streams:
            stream.close()
