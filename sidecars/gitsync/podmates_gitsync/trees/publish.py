"""The link that consumers follow: read, and replaced in one step."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

_LEFTOVER = re.compile(r"\.podmates-link\.[0-9a-f]{16}")


def read(link: Path) -> str | None:
    """Return the absolute path that *link* names, computed on its text; None if there is no link.

    Raises:
        OSError: there is something else than a link.
    """
    try:
        text = os.readlink(link)
    except FileNotFoundError:
        return None
    return os.path.normpath(link.parent / text)


def publish(link: Path, target: Path) -> None:
    """Make *link* point at *target*; a reader sees the old tree or the new one, never neither.

    The link's text is relative, because readers may mount the volume at another path. The temporary
    name is random, so that one left by a killed process, or another writer's, is not in the way.

    Args:
        link: the symbolic link; neither it nor its directory need exist.
        target: the directory to publish; not checked.

    Raises:
        OSError: nothing was published; the previous link still stands.

    Source: rename(2), "If newpath already exists, it will be atomically replaced".
    """
    link.parent.mkdir(parents=True, exist_ok=True)
    temporary = link.with_name(f".podmates-link.{secrets.token_hex(8)}")
    os.symlink(os.path.relpath(target, link.parent), temporary)
    try:
        os.replace(temporary, link)
    except OSError:
        temporary.unlink()
        raise


def remove_leftovers(link: Path) -> None:
    """Remove the temporary links of processes that were killed; the caller is the only writer."""
    with contextlib.suppress(FileNotFoundError):
        for entry in link.parent.iterdir():
            if _LEFTOVER.fullmatch(entry.name) and entry.is_symlink():
                entry.unlink()
