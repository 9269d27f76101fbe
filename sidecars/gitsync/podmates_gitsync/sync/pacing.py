"""How long to pause between two syncs."""

from __future__ import annotations

_MOST_DOUBLINGS = 64  # beyond, a float has left every limit behind


def pause(usual: float, failures: int, *, limit: float, jitter: float, draw: float) -> float:
    """Return the seconds until the next sync.

    Args:
        usual: the pause after a success.
        failures: syncs that failed in a row; each doubles the pause.
        limit: no pause grows beyond it by failures; 0 and whatever is shorter than *usual*: none grows.
        jitter: the share by which chance may lengthen a pause, so that replicas do not ask in step.
        draw: that chance, from 0 to 1.
    """
    grown = usual * 2.0 ** min(failures, _MOST_DOUBLINGS)
    return max(usual, min(grown, limit)) * (1 + jitter * draw)
