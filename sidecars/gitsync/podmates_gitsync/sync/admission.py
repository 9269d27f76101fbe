"""Whether a commit may be published: refused before, its signature, the gate."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from podmates_gitsync.errors import Refused
from podmates_gitsync.hooks.change import Change
from podmates_gitsync.hooks.gate import open_gate
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.sync.refusals import Refusals

Gate = Callable[[Path, Change], None]  # raises Refused


class Signs(Protocol):
    """Says what is wrong with a signature; see `git.signatures`."""

    def fault(self, commit: str, fetched: str, ref: str, deadline: float) -> str: ...


def uncounted(reason: str) -> None:
    """Count nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What must hold for a commit to be published.

    Attributes:
        signatures: None where they are not looked at.
        audit: a bad signature is told and counted, and no more.
        gate: raises Refused for a tree that may not be published.
        count: is told the reason, once for each refused commit of this process.
    """

    signatures: Signs | None = None
    audit: bool = False
    gate: Gate = open_gate
    count: Callable[[str], None] = uncounted


class Admission:
    """Applies the rules, and remembers what they refused."""

    def __init__(self, root: Path, rules: Rules, log: Log) -> None:
        self._rules, self._log = rules, log
        self._refusals = Refusals(root)
        self._audited = ""

    def recall(self, commit: str) -> None:
        """Refuse a commit that this process has refused before.

        Raises:
            Refused
        """
        if standing := self._refusals.standing(commit):
            raise Refused(commit, standing.reason, standing.text, at=standing.at)

    def verify(self, commit: str, fetched: str, ref: str, deadline: float) -> None:
        """Return when the commit's signature is good, or need not be.

        Raises:
            Refused: it is not.
            GitError, OSError: it could not be looked at.
        """
        if self._rules.signatures is None:
            return
        fault = self._rules.signatures.fault(commit, fetched, ref, deadline)
        if not fault:
            return
        if not self._rules.audit:
            raise Refused(commit, "signature", fault)
        self._log.info(0, "signature is not good, published all the same", hash=commit, fault=fault)
        if commit != self._audited:
            self._audited = commit
            self._rules.count("signature")

    @property
    def has_gate(self) -> bool:
        return self._rules.gate is not open_gate

    def gate(self, tree: Path, change: Change) -> None:
        """Return when *tree* may be published.

        Raises:
            Refused: it may not.
            HookError: nobody knows; the sync failed.
        """
        self._rules.gate(tree, change)

    def refuse(self, refused: Refused) -> None:
        """Remember a refusal."""
        if self._refusals.add(refused, time.time()):
            self._rules.count(refused.reason)

    def accept(self, commit: str) -> None:
        """Forget the refusal of what is published now."""
        self._refusals.remove(commit)
