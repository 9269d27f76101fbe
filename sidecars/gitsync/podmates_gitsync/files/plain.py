"""Files in root, where others may have put something else: read and written without ever waiting for anybody.

A pipe is never at its end, nor is a device; and a thread that waits in such a call has no deadline.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def content(path: Path) -> bytes:
    """Return what the file *path* holds.

    Raises:
        OSError: it cannot be read, or is no file.
    """
    with open(path, "rb", opener=_plain) as file:
        return file.read()


def put(path: Path, data: bytes) -> None:
    """Have *data* in the file *path*, whatever was in it; what is there and no file stays as it is.

    Raises:
        OSError: it cannot be written, or is no file.
    """
    with open(path, "wb", opener=_plain) as file:
        file.write(data)


def _plain(name: str, flags: int) -> int:
    descriptor = os.open(name, flags | os.O_NONBLOCK, 0o666)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "there is something else than a file", name)
