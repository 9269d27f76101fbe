"""What fuzz tests share: how much of them is played, and how a refusal is looked at."""

from __future__ import annotations

import os
from collections.abc import Callable

SOAK = os.environ.get("SOAK") == "1"
TIMES = int(os.environ.get("TIMES", "100")) if SOAK else 1


def often(few: int) -> int:
    """Return *few*, or with SOAK=1 TIMES as many (100 without a word)."""
    return few * TIMES


def refusal(work: Callable[[], object], *kinds: type[Exception]) -> str:
    """Return what an exception of *kinds* says that *work* raises; empty when there is none."""
    try:
        work()
    except kinds as error:
        return str(error)
    return ""
