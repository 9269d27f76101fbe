"""Why the process cannot start, and why a commit is not published: told across the package."""

from __future__ import annotations


class StartError(Exception):
    """The process cannot start; exit status 1."""


class Refused(Exception):
    """The commit is not published; no failure, and not tried again until somebody asks.

    Attributes:
        commit: what is refused.
        reason: one of `REASONS`.
        at: when it was, if it was before and has not been looked at again; else None.
    """

    def __init__(self, commit: str, reason: str, text: str, *, at: float | None = None) -> None:
        super().__init__(text)
        self.commit, self.reason, self.at = commit, reason, at
