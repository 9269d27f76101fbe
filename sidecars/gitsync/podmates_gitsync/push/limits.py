"""What strangers can cost the push receiver: tries, and memory. Whoever knows the secret meets no limit."""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict


class Deliveries:
    """Remembers the newest deliveries, in a bounded space however long their names are."""

    def __init__(self, most: int = 1024) -> None:
        self._most = most
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def repeated(self, *names: str) -> bool:
        """Return whether the delivery called *names* was here before, and remember it."""
        key = hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).digest()[:16]
        known = key in self._seen
        self._seen[key] = None
        self._seen.move_to_end(key)
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return known


class Failures:
    """Counts callers without a proof: each may fail *burst* times, and then once every *seconds*."""

    def __init__(self, burst: int = 20, seconds: float = 1.0, most: int = 1024) -> None:
        self._burst, self._seconds, self._most = burst, seconds, most
        # caller → when its debt is paid
        self._paid: OrderedDict[str, float] = OrderedDict()

    def failed(self, caller: str, now: float) -> int | None:
        """Count a failure; return in how many seconds to come back when there were too many, else None."""
        key = group(caller)
        paid = max(self._paid.get(key, now), now)
        excess = paid + self._seconds - now - self._burst * self._seconds
        if excess > 0:
            return max(1, math.ceil(excess))
        self._paid[key] = paid + self._seconds
        self._paid.move_to_end(key)
        if len(self._paid) > self._most:
            self._paid.popitem(last=False)
        return None


def group(address: str) -> str:
    """Return what counts as one caller: an IPv4 address, or the 64 bits of an IPv6 network."""
    if ":" not in address or "." in address:
        return address
    head, gap, tail = address.partition("%")[0].partition("::")
    front = [part for part in head.split(":") if part]
    back = [part for part in tail.split(":") if part]
    parts = front + ["0"] * (8 - len(front) - len(back)) + back if gap else front
    return ":".join(parts[:4])


class Memory:
    """Shares *total* bytes between the bodies that are being received."""

    def __init__(self, total: int) -> None:
        self._left = total

    def take(self, amount: int) -> bool:
        """Return whether *amount* more bytes may be kept."""
        if amount > self._left:
            return False
        self._left -= amount
        return True

    def give(self, amount: int) -> None:
        """Return what was taken."""
        self._left += amount
