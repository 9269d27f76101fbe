"""Removing a tree that others filled: as deep as it may be, and never through a link."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class _Level(NamedTuple):
    """A directory on the way down: which one it is, and the name of the next one in it."""

    identity: tuple[int, int]
    below: str


def remove(path: Path) -> None:
    """Remove *path*, a directory with everything in it, or as much as we may; harmless when it is gone.

    Python's `shutil.rmtree` recurses and holds a descriptor per level, so that a thousand directories in
    each other end it. Here one is open at a time.

    Raises:
        OSError: something cannot be removed; it names *path*.
    """
    try:
        if not stat.S_ISDIR(path.lstat().st_mode):
            path.unlink(missing_ok=True)
            return
        descriptor = _opened(str(path), None)
    except FileNotFoundError:
        return
    try:
        _empty(descriptor)
        path.rmdir()
    except OSError as error:
        if isinstance(error, PermissionError):  # something is somebody else's; the rest would fill the disk
            with contextlib.suppress(RecursionError):
                shutil.rmtree(path, ignore_errors=True)
        error.filename = str(path)  # a name in a directory that is open, or none, tells nobody where that is
        raise


def _empty(descriptor: int) -> None:
    """Remove what is in a directory, and close it."""
    way: list[_Level] = []
    try:
        while True:
            below = _first_directory(descriptor)
            if below:
                way.append(_Level(_identity(descriptor), below))
                descriptor = _moved(descriptor, below)
            elif way:
                descriptor = _moved(descriptor, "..")
                level = way.pop()
                if _identity(descriptor) != level.identity:  # somebody moved the directory that we were in
                    raise OSError(errno.EBUSY, "a directory was moved while it was removed", level.below)
                _allowed(descriptor, os.rmdir, level.below)
            else:
                return
    finally:
        os.close(descriptor)


def _first_directory(descriptor: int) -> str:
    """Remove the files of a directory, up to one that is a directory; return its name, or an empty text."""
    found = True
    while found:
        found = False
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    return entry.name
                found = True
                try:  # at once, without a call more for each file
                    os.unlink(entry.name, dir_fd=descriptor)
                except PermissionError:
                    _allowed(descriptor, os.unlink, entry.name)
    return ""


def _allowed(descriptor: int, act: Callable[..., None], name: str) -> None:
    """Do *act* with *name* in a directory, which a hook may have taken our rights in."""
    try:
        act(name, dir_fd=descriptor)
    except PermissionError:
        os.fchmod(descriptor, 0o700)
        act(name, dir_fd=descriptor)


def _moved(descriptor: int, name: str) -> int:
    there = _opened(name, descriptor)
    os.close(descriptor)
    return there


def _opened(name: str, parent: int | None) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=parent)
        return os.open(name, _DIRECTORY, dir_fd=parent)


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino
