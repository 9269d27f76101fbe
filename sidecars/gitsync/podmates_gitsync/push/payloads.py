"""What the bodies of pushes say: which refs moved, and to what. Read only after the sender has proved itself.

Whatever cannot be read yields nothing: the caller then syncs rather than miss a push. No ref and no hash from
here is ever handed to git.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")


class Change(NamedTuple):
    """One ref that moved."""

    ref: str  # a full name
    commit: str  # what it names now; empty when that is not told
    deleted: bool


def decoded(body: bytes, *, form: bool) -> Any:
    """Return the document in *body*, where *form* in its field ``payload``; None for no document."""
    try:
        return json.loads(_field(body) if form else body)
    except (ValueError, RecursionError):
        return None


def _field(body: bytes) -> bytes:
    for part in body.split(b"&"):
        name, _, value = part.partition(b"=")
        if name == b"payload":
            return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), value.replace(b"+", b" "))
    return b""


def simple(document: Any) -> Iterator[Change]:
    """Read ``ref`` and ``after``: GitHub and its relatives, GitLab."""
    yield from _change(get(document, "ref"), get(document, "after"), get(document, "deleted") is True)
    for each in _listed(get(document, "changes")):  # GitLab's repository_update
        yield from _change(get(each, "ref"), get(each, "after"))


def bitbucket(document: Any) -> Iterator[Change]:
    """Read Bitbucket Cloud's changes, whose names are short."""
    for each in _listed(get(document, "push", "changes")):
        new, old = get(each, "new"), get(each, "old")
        place = {"tag": "refs/tags/", "annotated_tag": "refs/tags/"}.get(
            str(get(new or old, "type")), "refs/heads/"
        )
        name = get(new or old, "name")
        full = place + name if isinstance(name, str) else None
        yield from _change(full, get(new, "target", "hash"), new is None)


def bitbucket_dc(document: Any) -> Iterator[Change]:
    """Read Bitbucket Data Center's changes."""
    for each in _listed(get(document, "changes")):
        yield from _change(get(each, "ref", "id"), get(each, "toHash"), get(each, "type") == "DELETE")


def azure(document: Any) -> Iterator[Change]:
    """Read the updates of Azure DevOps."""
    for each in _listed(get(document, "resource", "refUpdates")):
        yield from _change(get(each, "name"), get(each, "newObjectId"))


def get(document: Any, *path: str) -> Any:
    """Return what stands at *path*; None where there is nothing."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def head(document: Any, *path: str) -> str:
    """Return the branch that HEAD stands for, where *path* tells it: a full name; else ``HEAD``."""
    branch = get(document, *path) if path else None
    if not isinstance(branch, str) or not branch:
        return "HEAD"
    return branch if branch.startswith("refs/heads/") else f"refs/heads/{branch}"


def concerns(ref: str, wanted: str) -> bool:
    """Return whether a move of *ref* can be one of *wanted*, what ``--ref`` says.

    HEAD may stand for any branch; a hash may have come with any push.
    """
    if wanted == "HEAD":
        return ref.startswith("refs/heads/")
    return bool(_HASH.fullmatch(wanted)) or is_meant(ref, wanted)


def is_meant(ref: str, wanted: str) -> bool:
    """Return whether *wanted* names *ref*, so that a move of one is certainly a move of the other."""
    return ref in {wanted, f"refs/{wanted}", f"refs/tags/{wanted}", f"refs/heads/{wanted}"}


def _change(ref: Any, commit: Any, deleted: bool = False) -> Iterator[Change]:
    if isinstance(ref, str) and ref:
        commit = commit.lower() if isinstance(commit, str) and _HASH.fullmatch(commit.lower()) else ""
        gone = deleted or (bool(commit) and not commit.strip("0"))
        yield Change(ref, "" if gone else commit, gone)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
