"""Files that others write: read whole, never without an end, and never waited for.

A pipe that somebody put in the place of a file is read for as long as its writers like, and holds the start
until there is one: it is refused, unless its path says that this process was given it.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path
from typing import BinaryIO

LARGEST = 1 << 20  # bytes; settings, rules or a secret that are larger are somebody's mistake
# What `<(command)` of a shell is called, and the standard input.
_GIVEN = re.compile(r"/dev/stdin|(?:/dev|/proc/self)/fd/[0-9]+")


class TooLarge(ValueError):
    """There is more in a file than was to be read; the text says how much that is."""


def why_unread(error: OSError | TooLarge) -> str:
    """Return why `read_small` could not, in a few words and without the path."""
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)


def read_small(path: Path | str, most: int = LARGEST) -> bytes:
    """Return what is in the file at *path*.

    Raises:
        OSError: it cannot be read, or is no regular file.
        TooLarge: it holds more than *most* bytes, of which no more than that were read.
    """
    with _opened(path) as file:
        large = os.fstat(file.fileno()).st_size > most
        data = b"" if large else file.read(most + 1)
    if large or len(data) > most:
        raise TooLarge(f"larger than {most} bytes")
    return data


def check_readable(path: Path | str) -> None:
    """Open the file at *path* before somebody does who would wait for it, or not tell what is wrong with it.

    Raises:
        OSError: as `read_small`.
    """
    _opened(path).close()


def _opened(path: Path | str) -> BinaryIO:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check(os.fstat(descriptor), str(path))
        os.set_blocking(descriptor, True)
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _check(seen: os.stat_result, path: str) -> None:
    if stat.S_ISREG(seen.st_mode):
        return
    if stat.S_ISDIR(seen.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    # An empty file for many, and what a container's runtime hides a file with.
    nothing = os.path.samestat(seen, os.stat(os.devnull))
    if not nothing and not _GIVEN.fullmatch(path):
        raise OSError(errno.EINVAL, "not a regular file", path)
