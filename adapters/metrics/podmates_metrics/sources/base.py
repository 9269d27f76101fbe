"""What every source promises the scrape: families of samples, and one sentence when it has a problem.

A source is asked once per scrape. Its target may be slow, gone or hostile; that is the source's business:
`collect` answers within the deadline that it was built with and never raises because of its target.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from podmates_metrics.statsd.sparse import Sparse

Kind = Literal["counter", "gauge", "summary", "histogram", "untyped", "info", "stateset"]
Labels = tuple[tuple[str, str], ...]  # (name, value) pairs, sorted by name, names valid and distinct


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One event that a counter or a bucket counted, told by its labels: a trace, a request."""

    labels: Labels
    value: float
    timestamp: float | None = None  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of the exposition. *suffix* is for parts of a family: ``_sum``, ``_count``, ``_bucket``."""

    labels: Labels
    value: float
    suffix: str = ""
    exemplar: Exemplar | None = None  # of a counter or a bucket, for formats that have a place for it
    timestamp: float | None = None  # seconds since 1970, if the target says when; else it is the scrape's


@dataclass(slots=True)
class Family:
    """All samples of one metric name; *name* is a valid Prometheus name.

    *name* is what a query says, whatever the format: a counter's has its ``_total``, if it is to have one,
    and an info's its ``_info``. A stateset's samples have one label of the family's own
    name, which is the state.
    """

    name: str
    kind: Kind
    help: str
    samples: list[Sample] = field(default_factory=list)
    unit: str = ""  # a base unit in the plural, with which *name* ends: seconds, bytes
    native: dict[Labels, Sparse] = field(
        default_factory=dict
    )  # of a histogram: the same in exponential buckets

    def add(self, value: float, **labels: str) -> None:
        """Append a sample; the labels are sorted here."""
        self.samples.append(Sample(tuple(sorted(labels.items())), value))


@runtime_checkable
class Source(Protocol):
    """Something that is asked at every scrape."""

    @property
    def name(self) -> str:
        """What the `source` label says; distinct among the sources of a process."""

    @property
    def problem(self) -> str:
        """Why the last `collect` came back with less than everything; empty when all is well."""

    async def collect(self) -> list[Family]:
        """Return what the target says now, perhaps nothing; a failure is told by *problem*, not raised."""

    async def close(self) -> None:
        """Let go of connections; the source is not used again."""
