"""The command that git runs for ssh; prepared whether or not it is used."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def command(program: str, *, keys: Sequence[str], known_hosts: str | None, verbosity: int) -> str:
    """Return the text for GIT_SSH_COMMAND.

    Args:
        program: the user's own command, or ``ssh``; taken as it is, it may have arguments.
        keys: private keys in order; they need not exist.
        known_hosts: the file to check the host against, an empty name for one that knows none; None to check
            nothing.
        verbosity: ours; ssh says more from 5, 7 and 9 on.
    """
    words = [program]
    words += [flag for least, flag in ((9, "-vvv"), (7, "-vv"), (5, "-v")) if verbosity >= least][:1]
    for key in keys:
        words += ["-i", _quoted(key)]
    if known_hosts is not None:
        known = _quoted(f"UserKnownHostsFile={_one_file(known_hosts or '/dev/null')}")
        words += ["-o", "StrictHostKeyChecking=yes", "-o", known]
    else:
        words += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    return " ".join(words)


def _one_file(path: str) -> str:
    """Return *path* so that ssh, which takes several files separated by spaces, takes it for one."""
    if _SAFE.fullmatch(path):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _quoted(word: str) -> str:
    return word if _SAFE.fullmatch(word) else "'" + word.replace("'", "'\"'\"'") + "'"
