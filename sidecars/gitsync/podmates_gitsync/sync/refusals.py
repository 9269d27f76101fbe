"""Commits that are not to be published, by their signature or by the gate: remembered below root."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from podmates_gitsync.errors import Refused
from podmates_gitsync.files.ours import ours, remember
from podmates_gitsync.files.plain import content
from podmates_gitsync.git.refs import is_hash

KEPT = 50  # refusals; what was refused before those is forgotten
_LONGEST = 2000  # characters of a text: a hook may say a lot
_LARGEST = 1 << 20  # bytes of the file that are read; more than the most that we write
_FIELDS: dict[str, Any] = {"hash": str, "reason": str, "text": str, "at": float}
REASONS = ("hook", "signature")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused commit: why, in a word and in a text, and when, in seconds since the epoch."""

    hash: str
    reason: str
    text: str
    at: float


class Refusals:
    """The refused commits of one root, newest last.

    A process tries again, once, what one before it refused: the hook, the keys or the settings may be
    others. It is an aid: where the file cannot be written, the memory lasts as long as the process.
    """

    def __init__(self, root: Path) -> None:
        self._path = ours(root) / "refused.json"
        self._all = {refusal.hash: refusal for refusal in _read(self._path)}
        self._standing: set[str] = set()  # looked at by this process

    def listed(self) -> list[Refusal]:
        """Return what is remembered, oldest first."""
        return list(self._all.values())

    def standing(self, commit: str) -> Refusal | None:
        """Return the refusal of *commit* by this process, if there is one."""
        return self._all.get(commit) if commit in self._standing else None

    def add(self, refused: Refused, at: float) -> bool:
        """Remember a refusal; return whether it is the commit's first in this process."""
        commit, first = refused.commit, refused.commit not in self._standing
        kept = [old for old in self._all.values() if old.hash != commit][-(KEPT - 1) :]
        self._all = {old.hash: old for old in kept}
        self._all[commit] = Refusal(commit, refused.reason, str(refused)[-_LONGEST:], at)
        self._standing = (self._standing | {commit}) & self._all.keys()
        self._write()
        return first

    def remove(self, commit: str) -> None:
        """Forget the refusal of a commit that is published now."""
        if commit in self._all:
            self._all = {name: refusal for name, refusal in self._all.items() if name != commit}
            self._standing.discard(commit)
            self._write()

    def _write(self) -> None:
        text = json.dumps({"version": 1, "refused": [asdict(refusal) for refusal in self._all.values()]})
        remember(self._path, text)


def _read(path: Path) -> list[Refusal]:
    """Return what the file holds; nothing when it is not there, or not one of ours."""
    try:
        entries = json.loads(content(path)[:_LARGEST])["refused"]
        found = [Refusal(**{name: kind(entry[name]) for name, kind in _FIELDS.items()}) for entry in entries]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []
    return [entry for entry in found if is_hash(entry.hash) and entry.reason in REASONS][-KEPT:]
