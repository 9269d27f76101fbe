"""Running programs with deadlines: their output is read as it comes, and none outlives its test."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from tests.support.waiting import until

_MARK, _NUMBERS = "STARTED_BY_TEST", itertools.count()
_PIPE = 1 << 20  # bytes, the most that a pipe can hold


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment of the PATH (this virtual environment first), UTF-8 and *given*, nothing else.

    So no ``PODMATES_*`` or ``GITSYNC_*`` variable of the caller changes what a test sees.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {"PATH": path, "LANG": "C.UTF-8", **(given or {})}


class Finished(NamedTuple):
    """What a program that ended by itself left."""

    status: int
    stdout: str
    stderr: str


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 60,
) -> Finished:
    """Run *argv* to its end in a clean environment with *env*.

    Raises:
        AssertionError: it did not end within *timeout* seconds; it was killed.
    """
    with Process(argv, env=env, cwd=cwd) as process:
        status = process.wait(timeout)
        return Finished(status, process.stdout, process.stderr)


class Process:
    """A running program in a process group of its own; use it as a context manager.

    At exit the whole group is killed, whatever state it is in.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | str | None = None,
    ) -> None:
        self.argv = [str(part) for part in argv]
        self._news = threading.Condition()
        self._lines: list[tuple[int, str]] = []  # (1 or 2: the descriptor it came from, the line)
        self._mark = f"{_MARK}={os.getpid()}.{next(_NUMBERS)}"  # which all that it starts inherit
        self._popen = subprocess.Popen(
            self.argv,
            env=environment({**dict([self._mark.split("=")]), **(env or {})}),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._popen.stdout and self._popen.stderr
        self._streams: dict[int, IO[bytes]] = {1: self._popen.stdout, 2: self._popen.stderr}
        self._parts = {1: b"", 2: b""}  # of a line whose end has not come
        self._readers = [self._reader(descriptor) for descriptor in self._streams]

    def _reader(self, descriptor: int) -> threading.Thread:
        os.set_blocking(self._streams[descriptor].fileno(), False)
        thread = threading.Thread(target=self._read, args=(descriptor,), daemon=True)
        thread.start()
        return thread

    def _read(self, descriptor: int) -> None:
        """Take lines as they come, until all who have the other end have closed it."""
        stream = self._streams[descriptor]
        look = select.poll()
        look.register(stream, select.POLLIN)
        while self._take(descriptor):
            look.poll()
        with self._news:
            stream.close()

    def _take(self, descriptor: int) -> bool:
        """Take what is in the pipe at this moment; return whether more may come."""
        with self._news:
            stream = self._streams[descriptor]
            if stream.closed:
                return False
            try:
                data = os.read(stream.fileno(), _PIPE)
            except BlockingIOError:
                return True
            *whole, rest = (self._parts[descriptor] + data).split(b"\n")
            lines = [line + b"\n" for line in whole]
            if rest and not data:
                lines.append(rest)  # the last one, without an end
                rest = b""
            self._parts[descriptor] = rest
            self._lines += [(descriptor, line.decode("utf-8", "replace")) for line in lines]
            self._news.notify_all()
            return bool(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill what is left of the group and collect the process."""
        with contextlib.suppress(ProcessLookupError):  # the group lives as long as any member does
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait(30)
        for reader in self._readers:
            reader.join(10)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; minus the number of the signal that killed it."""
        return self._popen.poll()

    @property
    def stdout(self) -> str:
        """The whole lines that it has written until now, those too that no thread of ours has read yet."""
        return self._text(1)

    @property
    def stderr(self) -> str:
        return self._text(2)

    @property
    def output(self) -> str:
        """Both streams, in the order in which the lines came."""
        return self._text(1, 2)

    def _text(self, *descriptors: int) -> str:
        with self._news:
            for descriptor in descriptors:
                self._take(descriptor)
            return "".join(line for descriptor, line in self._lines if descriptor in descriptors)

    def wait_line(self, pattern: str, timeout: float = 60.0, *, count: int = 1) -> re.Match[str]:
        """Return the match of the *count*-th output line that *pattern* is found in, past lines included.

        Raises:
            AssertionError: the time is up, or the process ended without such a line; with its output.
        """
        wanted = re.compile(pattern)
        deadline = time.monotonic() + timeout
        seen, found = 0, 0
        while True:
            ended = self.returncode is not None and not any(reader.is_alive() for reader in self._readers)
            with self._news:
                if len(self._lines) == seen and not ended:
                    self._news.wait(min(0.2, max(0.0, deadline - time.monotonic())))
                fresh, seen = self._lines[seen:], len(self._lines)
            for _, line in fresh:
                match = wanted.search(line.rstrip("\n"))
                found += match is not None
                if match and found == count:
                    return match
            if ended:
                self._fail(f"ended with {self.returncode} before a line matched {pattern!r}")
            if time.monotonic() >= deadline:
                self._fail(f"gave no line that matches {pattern!r} within {timeout:g} s")

    def wait(self, timeout: float = 60.0) -> int:
        """Return the exit status, once it ended by itself and its output is read.

        Raises:
            AssertionError: it still runs after *timeout* seconds.
        """
        try:
            status = self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self._fail(f"still ran after {timeout:g} s")
        for reader in self._readers:
            reader.join(5)  # a grandchild may hold the pipe longer than that
        return status

    def send(self, number: int) -> None:
        """Send a signal to the process itself, not to its group."""
        self._popen.send_signal(number)

    def stop(self, number: int = signal.SIGTERM, timeout: float = 60.0) -> int:
        """Send a signal and return the exit status.

        Raises:
            AssertionError: it still runs after *timeout* seconds.
        """
        self.send(number)
        return self.wait(timeout)

    def descendants_gone(self, timeout: float = 60.0) -> None:
        """Return once no process is left that it started, in whatever group or session.

        Raises:
            AssertionError: some are.
        """
        until(lambda: not _marked(self._mark), timeout, f"all that {self.argv[0]} started to end")

    def _fail(self, what: str) -> None:
        raise AssertionError(f"{' '.join(self.argv)} {what}; its output:\n{self.output or '(none)'}")


def group_members(group: int) -> list[int]:
    """Return the ids of the living processes of a process group."""
    return [pid for pid, stat in _table() if stat[2] == str(group) and stat[0] != "Z"]


def _marked(mark: str) -> list[int]:
    """Return the ids of the living processes that have *mark* in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # gone meanwhile, or another user's
                if mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def children(parent: int) -> dict[int, str]:
    """Return the living children of *parent*: process id → command line."""
    found = {}
    for pid, stat in _table():
        if stat[1] == str(parent) and stat[0] != "Z":
            with contextlib.suppress(OSError):
                found[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def _table() -> list[tuple[int, list[str]]]:
    """Return (pid, [state, parent, group, …]) of every process, from /proc."""
    rows = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # gone meanwhile
                text = (entry / "stat").read_text()
                rows.append((int(entry.name), text.rpartition(")")[2].split()))
    return rows
