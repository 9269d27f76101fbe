"""What the machine and the container give this process: memory."""

from __future__ import annotations

import os
from pathlib import Path

_SHARE = 0.6  # of the container's memory, for this process; the kernel's buffers need some too
_LEAST = 8 << 20  # bytes that clients may take in any case


def for_clients(wanted: int) -> int:
    """Return how many bytes clients may take, of *wanted* for the process; 0: of a part of what there is."""
    return max(_LEAST, (wanted or int(_SHARE * memory())) - resident())


def memory(root: Path = Path("/")) -> int:
    """Return the bytes of memory that there are: the least of the limits on this process."""
    limits = [_number(path) for path in _limits(root)]
    return min([limit for limit in limits if limit] or [1 << 62])


def resident() -> int:
    """Return how many bytes of memory this process has."""
    words = Path("/proc/self/statm").read_text().split()
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE")


def _limits(root: Path) -> list[Path]:
    """Return the files that hold limits: of the container's group, of all above it, and of the machine."""
    groups = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = []
    found = [root / "proc/meminfo", groups / "memory.max", groups / "memory/memory.limit_in_bytes"]
    for line in lines:
        _, kinds, path = line.split(":", 2)
        if kinds in ("", "memory"):
            place = groups / kinds / path.lstrip("/")
            name = "memory.limit_in_bytes" if kinds else "memory.max"
            found += [folder / name for folder in (place, *place.parents) if folder.is_relative_to(groups)]
    return found


def _number(path: Path) -> int:
    """Return the bytes that *path* speaks of; 0: none, or no limit."""
    try:
        text = path.read_text()
    except OSError:
        return 0
    if path.name == "meminfo":
        return int(text.split()[1]) * 1024  # MemTotal comes first, in kB
    return int(text) if text.strip().isdigit() else 0
