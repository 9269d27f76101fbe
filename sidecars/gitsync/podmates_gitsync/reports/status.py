"""What is known of one repository at a moment, as a value; times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

_MOST = 20  # refused commits that are told, the newest
_LONGEST_ERROR = 4096  # characters


@dataclass(frozen=True, slots=True)
class Rejected:
    """A commit that was not published, and why: hook or signature."""

    hash: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `/status` tells; each event makes a new one.

    Attributes:
        fresh: when the last success was, by a clock that does not jump; before the first, when we began.
    """

    fresh: float = 0.0
    hash: str = ""  # published
    previous_hash: str = ""  # published before it
    published_at: float | None = None
    last_attempt_at: float | None = None
    last_success_at: float | None = None
    consecutive_failures: int = 0
    last_error: str = ""
    rejected: tuple[Rejected, ...] = ()

    def attempted(self, now: float) -> Status:
        """Return the status when a sync begins."""
        return replace(self, last_attempt_at=now)

    def failed(self, error: str) -> Status:
        """Return the status after a sync that failed."""
        return replace(
            self, consecutive_failures=self.consecutive_failures + 1, last_error=error[:_LONGEST_ERROR]
        )

    def succeeded(self, commit: str, now: float, fresh: float) -> Status:
        """Return the status after a success: *commit* is published."""
        after = replace(
            self,
            last_success_at=now,
            fresh=fresh,
            consecutive_failures=0,
            last_error="",
            rejected=tuple(each for each in self.rejected if each.hash != commit),
        )
        return after.published(commit, now)

    def published(self, commit: str, now: float) -> Status:
        """Return the status while the link names *commit*, whatever else is not done."""
        if commit == self.hash:
            return self
        return replace(self, hash=commit, previous_hash=self.hash, published_at=now)

    def refused(self, rejected: Rejected) -> Status:
        """Return the status after *rejected* was not published."""
        kept = [other for other in self.rejected if other.hash != rejected.hash]
        return replace(self, rejected=(*kept[1 - _MOST :], rejected))

    def held(self, error: str, now: float, fresh: float) -> Status:
        """Return the status after a sync that went well, but for a commit that was refused: no failure."""
        return replace(
            self,
            last_success_at=now,
            fresh=fresh,
            consecutive_failures=0,
            last_error=error[:_LONGEST_ERROR],
        )

    def stale(self, clock: float, limit: float) -> bool:
        """Return whether the last success is longer ago than *limit* seconds; 0 is no limit."""
        return limit > 0 and clock - self.fresh > limit

    def told(self, moment: Callable[[float], str]) -> dict[str, Any]:
        """Return it as JSON has it; *moment* shows a time. What is not known is null."""

        def shown(time: float | None) -> str | None:
            return None if time is None else moment(time)

        return {
            "hash": self.hash or None,
            "previous_hash": self.previous_hash or None,
            "published_at": shown(self.published_at),
            "last_attempt_at": shown(self.last_attempt_at),
            "last_success_at": shown(self.last_success_at),
            "consecutive_failures": self.consecutive_failures,
            "last_error": self.last_error or None,
            "rejected": [
                {"hash": each.hash, "reason": each.reason, "at": moment(each.at)} for each in self.rejected
            ],
        }
