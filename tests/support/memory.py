"""How much memory a process has, and a limit to it as in a container: by a group where one can be made."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

_GROUPS = Path("/sys/fs/cgroup")
_NUMBERS = itertools.count()
# makes itself a member of the group, and then what the test wants to run
_JOIN = "import os, sys; open(sys.argv[1], 'w').write('0'); os.execvp(sys.argv[2], sys.argv[2:])"


class MemoryGroup:
    """A group of processes that have *limit* bytes together; the kernel kills one that wants more.

    Where no group can be made `limited` is False: nobody is killed then, and `peak` has to be looked at.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._folder = next(_made(limit), None)

    @property
    def limited(self) -> bool:
        return self._folder is not None

    @property
    def prefix(self) -> list[str]:
        """What stands before the command line of a process that is to be a member."""
        if self._folder is None:
            return []
        return [sys.executable, "-c", _JOIN, str(self._folder / "cgroup.procs")]

    def kills(self) -> int:
        """Return how many processes the kernel has killed for want of memory."""
        if self._folder is None:
            return 0
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(FileNotFoundError):
                found = re.search(r"^oom_kill (\d+)", (self._folder / name).read_text(), re.MULTILINE)
                return int(found[1]) if found else 0
        return 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            self._folder.rmdir()


def _made(limit: int) -> Iterator[Path]:
    """Yield a group with so much memory, wherever one can be made."""
    for parent in _parents():
        folder = parent / f"podmates-test-{os.getpid()}-{next(_NUMBERS)}"
        try:
            folder.mkdir()
        except OSError:
            continue
        for name in ("memory.max", "memory.limit_in_bytes"):
            file = folder / name
            with contextlib.suppress(OSError):
                if file.exists():
                    file.write_text(str(limit))
                    yield folder
                    return
        folder.rmdir()


def _parents() -> Iterator[Path]:
    """Yield the folders of the groups that this process is in, and those of all."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, kinds, path = line.split(":", 2)
        if kinds in ("", "memory"):
            yield _GROUPS / kinds / path.lstrip("/")
            yield _GROUPS / kinds


def peak(pid: int) -> int:
    """Return the most memory that the process has had, bytes."""
    return _status(pid, "VmHWM")


def resident(pid: int) -> int:
    """Return what the process has resident, bytes."""
    return _status(pid, "VmRSS")


def _status(pid: int, name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024
