"""A pusher, where there is somebody to push to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from podmates_metrics.otlp.config import Push

if TYPE_CHECKING:
    from podmates_metrics.otlp.push import Pusher, Snapshot


def pusher(push: Push | None, look: Callable[[float], Awaitable[Snapshot]], version: str) -> Pusher | None:
    """Return what pushes; None where no file says so. See `Pusher` for the arguments."""
    if push is None:
        return None
    from podmates_metrics.otlp.push import Pusher  # late: few push

    return Pusher(push, look, version)
