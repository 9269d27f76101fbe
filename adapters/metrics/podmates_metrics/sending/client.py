"""The package ``statsd`` without its sockets: it knows how kinds of values are said in lines."""

from __future__ import annotations

from statsd.client.base import PipelineBase, StatsClientBase


class Client(StatsClientBase):  # type: ignore[misc]
    """Keeps its lines."""

    def __init__(self) -> None:
        self._prefix = None
        self.lines: list[str] = []

    def observe(self, name: str, value: str, letter: str) -> None:
        """Say a value of DogStatsD's types, which the package does not know."""
        self._send_stat(name, f"{value}|{letter}", 1)

    def pipeline(self) -> _Pipeline:
        """Return what sends several lines together: zero before a gauge below it."""
        return _Pipeline(self)

    def _send(self, data: str) -> None:
        self.lines.append(data)


class _Pipeline(PipelineBase):  # type: ignore[misc]
    def _send(self) -> None:
        self._client.lines += self._stats
        self._stats.clear()
