"""Names of git: hashes, what a fetch left behind, what a repository is called."""

from __future__ import annotations

import re

_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_hash(text: str) -> bool:
    """Return whether *text* is a full object name, of SHA-1 or SHA-256."""
    return _HASH.fullmatch(text) is not None


def fetched(text: str) -> str:
    """Return the object that the first line of FETCH_HEAD names; it may be a tag, not yet peeled.

    Raises:
        ValueError: there is no such line.
    """
    first = text.split("\n", 1)[0].split("\t", 1)[0]
    if not is_hash(first):
        raise ValueError("FETCH_HEAD names no object")
    return first


def default_link(repo: str) -> str:
    """Return the last path element of *repo*, a ``.git`` suffix included; slashes at the ends go first."""
    return repo.strip("/").rpartition("/")[2]


def tag_name(text: str) -> str:
    """Return the name that an annotated tag, as `git cat-file tag` prints it, calls itself by."""
    header = text.partition("\n\n")[0]
    return next((line[4:] for line in header.split("\n") if line.startswith("tag ")), "")


def names_tag(ref: str, name: str) -> bool:
    """Return whether *ref* is a way to write the tag *name*."""
    return bool(name) and ref in {name, f"tags/{name}", f"refs/tags/{name}"}
