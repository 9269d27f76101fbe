"""What processes cost, from /proc: CPU, memory, programs started, disk."""

from __future__ import annotations

import contextlib
import os
import statistics
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.support.waiting import pause


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process: its threads that live, and its children that have ended."""
    own = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            own += int((task / "schedstat").read_text().split()[0])  # nanoseconds
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return own / 1e9 + (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[int]:
    """Return *pid* and all that it has started, and they."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def pss(pids: Sequence[int]) -> float:
    """Return the memory of processes in MB, what they share counted once."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total * 1024 / 1e6


def executed(trace: Path) -> int:
    """Return how many programs strace saw started."""
    return sum("execve(" in line and line.rstrip().endswith("= 0") for line in trace.read_text().splitlines())


def used(folder: Path) -> int:
    """Return the bytes that are used on the file system of *folder*."""
    state = os.statvfs(folder)
    return (state.f_blocks - state.f_bfree) * state.f_frsize


@contextlib.contextmanager
def peak(look: Callable[[], int]) -> Iterator[list[int]]:
    """Look every few milliseconds; the list holds the largest number seen."""
    seen, over = [look()], threading.Event()

    def watch() -> None:
        while not over.wait(0.003):
            seen[0] = max(seen[0], look())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def settle() -> None:
    """Let what has just been done go by."""
    pause(0.5)
