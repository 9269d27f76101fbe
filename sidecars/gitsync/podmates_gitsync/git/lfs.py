"""git-lfs, set up so that files come from the repository's own server and from nowhere else."""

from __future__ import annotations

import re

PROGRAM = "git-lfs"
_OBJECT = re.compile(r"^([0-9a-f]{64}) [*-] ", re.MULTILINE)


def endpoint(repo: str) -> str:
    """Return where the large files of *repo* are, by git-lfs's own rule.

    It is always told: a repository's ``.lfsconfig`` could name another server, which would get requests.
    """
    if repo.lower().startswith(("http://", "https://")):
        base = repo.rstrip("/")
        return f"{base}{'' if base.endswith('.git') else '.git'}/info/lfs"
    return f"file://{repo}" if repo.startswith("/") else repo


def config(repo: str) -> list[tuple[str, str]]:
    """Return git's settings for it; each that ``.lfsconfig`` may set is set here, because ours win."""
    return [
        ("filter.lfs.process", f"{PROGRAM} filter-process"),
        ("filter.lfs.smudge", f"{PROGRAM} smudge -- %f"),
        ("filter.lfs.clean", f"{PROGRAM} clean -- %f"),
        ("filter.lfs.required", "true"),
        ("lfs.url", endpoint(repo)),
        ("lfs.pushurl", endpoint(repo)),
        ("lfs.fetchinclude", ""),
        ("lfs.fetchexclude", ""),
        ("lfs.skipdownloaderrors", "false"),
        ("lfs.gitprotocol", "https"),
    ]


def objects(listed: str) -> set[str]:
    """Return the names of the large files in the output of ``git lfs ls-files --long``."""
    return set(_OBJECT.findall(listed))
