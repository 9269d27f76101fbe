"""What has gone to and come from one server, over the connections of clients. No I/O."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Traffic:
    """Counts of one server; a connection keeps the one that it was made under."""

    standing: int = 0  # connections
    made: int = 0
    failed: Counter[str] = field(default_factory=Counter)  # that were not made, by cause
    waits: int = 0  # connections that had to wait for their turn
    waited: float = 0.0  # seconds, all of them together
    sent: int = 0  # bytes
    received: int = 0  # bytes
