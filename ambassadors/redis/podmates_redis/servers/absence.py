"""How long there was no master, all in all and each time that another one took over. No I/O, no clock."""

from __future__ import annotations

from podmates_redis.session.tally import Times


class Absence:
    """Told again and again whether there is a master; times are in seconds."""

    def __init__(self) -> None:
        self.gaps = Times()  # before another server took over
        self._since: float | None = None
        self._before = 0.0  # seconds, of absences that are over

    def look(self, now: float, away: bool) -> None:
        """Note whether the master is *away* at *now*."""
        if away and self._since is None:
            self._since = now
        elif not away and self._since is not None:
            self._before += now - self._since
            self._since = None

    def replaced(self, now: float) -> None:
        """Another server is the master from *now* on."""
        self.gaps.add(self.lasting(now))

    def lasting(self, now: float) -> float:
        """Return for how many seconds there has been no master until *now*; 0 when there is one."""
        return now - self._since if self._since is not None else 0.0

    def total(self, now: float) -> float:
        """Return the seconds without a master until *now*."""
        return self._before + self.lasting(now)
