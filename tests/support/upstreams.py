"""Connections to servers as a test opens them itself."""

from __future__ import annotations

from podmates_redis.servers.upstream import Upstream
from podmates_redis.wire.replies import Part


class Nobody:
    """The owner of a connection on which nothing happens."""

    def arrived(self, upstream: Upstream, parts: list[Part]) -> None: ...
    def arrived_raw(self, upstream: Upstream, data: bytes) -> None: ...
    def gone(self, upstream: Upstream) -> None: ...
    def hold(self, upstream: Upstream, full: bool) -> None: ...
