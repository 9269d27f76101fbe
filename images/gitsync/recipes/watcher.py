"""Tell which files of a mirror changed, as the kernel says: ``watcher.py DIRECTORY``.

gitsync --root=/srv/git --mirror-dir=/srv/site, and then watcher.py /srv/site. A file that changed is one
MOVED_TO, a file that went is one DELETE, and there is nothing else: names that begin with .podmates-mirror
are gitsync's own. This watches one directory and not those in it.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterator

MOVED_TO, DELETE, ALL = 0x80, 0x200, 0xFFF
OURS = ".podmates-mirror"
_HEAD = struct.Struct("iIII")  # watch, mask, cookie, length of the name that follows


def watch(directory: str, mask: int = MOVED_TO | DELETE) -> int:
    """Return a descriptor from which the events of *directory* can be read.

    Raises:
        OSError
    """
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = int(libc.inotify_init1(os.O_CLOEXEC))
    if descriptor < 0 or libc.inotify_add_watch(descriptor, os.fsencode(directory), mask) < 0:
        raise OSError(ctypes.get_errno(), "cannot watch", directory)
    return descriptor


def events(descriptor: int) -> Iterator[tuple[int, str]]:
    """Yield (mask, name) of each event, but for those of gitsync's own files."""
    while data := os.read(descriptor, 65536):
        while data:
            _, mask, _, length = _HEAD.unpack_from(data)
            name = os.fsdecode(data[_HEAD.size : _HEAD.size + length].rstrip(b"\0"))
            data = data[_HEAD.size + length :]
            if not name.startswith(OURS):
                yield mask, name


if __name__ == "__main__":
    for event, changed in events(watch(sys.argv[1])):
        print("changed" if event & MOVED_TO else "gone", changed, flush=True)
