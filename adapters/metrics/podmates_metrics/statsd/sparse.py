"""Native histograms: exponential buckets as fine as asked for, as many as are allowed.

Bucket *i* of schema *s* holds what lies above ``2 ** ((i - 1) / 2**s)`` and not above ``2 ** (i / 2**s)``.
When there are too many buckets, each two become one: schema *s* - 1, until -4, of which there cannot be 300.
https://prometheus.io/docs/specs/native_histograms/
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field, replace

FINEST, COARSEST = 8, -4  # schemas
ZERO = 2.0**-128  # values that are not farther from 0 are counted apart
# The bounds of schema 8 in [0.5, 1); those of a coarser one are every second, fourth … of them.
BOUNDS = tuple(2.0 ** (step / 256 - 1) for step in range(256))
_BOUNDS = {schema: BOUNDS[:: 1 << (FINEST - schema)] for schema in range(1, FINEST + 1)}


def schema_of(factor: float) -> int:
    """Return the coarsest schema whose buckets grow by *factor* at most, which is above 1."""
    wanted = math.log2(math.log2(min(factor, 1e300)))
    return min(FINEST, max(COARSEST, -math.floor(wanted)))


@dataclass(slots=True)
class Sparse:
    """Observations by bucket; those that are no number are in none."""

    schema: int
    most: int  # buckets, those below 0 included
    zero: int = 0
    positive: dict[int, int] = field(default_factory=dict)
    negative: dict[int, int] = field(default_factory=dict)

    def add(self, value: float, weight: int) -> None:
        """Take *weight* equal observations."""
        if not abs(value) > ZERO:
            self.zero += weight if value == value else 0
            return
        side = self.positive if value > 0 else self.negative
        key = bucket(value, self.schema)
        if key in side:
            side[key] += weight
            return
        side[key] = weight
        while len(self.positive) + len(self.negative) > self.most and self.schema > COARSEST:
            self.positive, self.negative = _halved(self.positive), _halved(self.negative)
            self.schema -= 1

    def copy(self) -> Sparse:
        """Return what it is now."""
        return replace(self, positive=dict(self.positive), negative=dict(self.negative))

    @property
    def count(self) -> int:
        """How many observations there are in all buckets."""
        return self.zero + sum(self.positive.values()) + sum(self.negative.values())


def bucket(value: float, schema: int) -> int:
    """Return the index of the bucket of a value that is not 0."""
    size = abs(value)
    if size == math.inf:
        return bucket(1.7976931348623157e308, schema) + 1
    fraction, exponent = math.frexp(size)
    if schema > 0:
        bounds = _BOUNDS[schema]
        return bisect_left(bounds, fraction) + (exponent - 1) * len(bounds)
    if fraction == 0.5:
        exponent -= 1
    return (exponent + (1 << -schema) - 1) >> -schema


def _halved(buckets: dict[int, int]) -> dict[int, int]:
    made: dict[int, int] = {}
    for key, count in buckets.items():
        made[(key + 1) >> 1] = made.get((key + 1) >> 1, 0) + count
    return made
