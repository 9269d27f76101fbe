"""``--add-user``: an entry in the list of users for whoever we run as, because ssh insists on one."""

from __future__ import annotations

import os
from pathlib import Path

PASSWD = Path("/etc/passwd")
_NAME = "git-sync"


def add_user(home: str, *, file: Path = PASSWD) -> bool:
    """Append an entry for our user and group to *file* unless it has one; return whether it was needed.

    Raises:
        OSError: the file cannot be read or written.
        ValueError: *home* cannot stand in it.
    """
    user, group = os.getuid(), os.getgid()
    text = file.read_bytes()
    if any(_number(line) == str(user).encode() for line in text.split(b"\n")):
        return False
    if ":" in home or "\n" in home:
        raise ValueError(f"a home directory with a colon or a line break cannot stand in {file}")
    entry = f"{_NAME}:x:{user}:{group}::{home}:/sbin/nologin\n"
    start = "" if text.endswith(b"\n") or not text else "\n"
    with file.open("a") as stream:
        stream.write(start + entry)
    return True


def _number(line: bytes) -> bytes:
    parts = line.split(b":")
    return parts[2] if len(parts) > 2 else b""
