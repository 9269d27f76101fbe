"""How a JVM is seen: what to read of it, and what becomes of what was read. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from podmates_metrics.jmx.javavalues import Value
from podmates_metrics.jmx.messages import AttributeInfo
from podmates_metrics.jmx.objectname import ObjectName
from podmates_metrics.jmx.report import Report
from podmates_metrics.sources.base import Family


class Reporting(Protocol):
    """What becomes a page: fed bean by bean, then asked for the families."""

    dropped: Counter[str]  # readings and labels that are not on the page, by reason
    cached: int  # readings with the outcome of a rule remembered

    def add(
        self, bean: ObjectName, descriptions: Mapping[str, str | None], values: Mapping[str, Value]
    ) -> None: ...

    def families(self) -> list[Family]: ...


class View(Protocol):
    """What the scrapes of one JVM have in common."""

    @property
    def standard(self) -> bool:
        """Whether the usual ``jvm_*`` metrics are made."""

    def wanted(self, names: Iterable[str]) -> list[str]:
        """Return the beans to read, of those that are registered."""

    def readable(self, bean: str, infos: Sequence[AttributeInfo]) -> list[AttributeInfo]:
        """Return the attributes of a bean to read."""

    def report(self) -> Reporting:
        """Begin a scrape."""


class Views(Protocol):
    """Where views come from: what they are made of may change while the adapter runs."""

    def current(self) -> View:
        """Return the view for the next scrape; another object when anything has changed.

        Raises:
            OSError: there is to be no scrape now; the text says why.
        """

    def families(self) -> list[Family]:
        """Return what is to be said about the views."""


class Plain:
    """Everything, in the default format."""

    standard = True

    def wanted(self, names: Iterable[str]) -> list[str]:
        return list(names)

    def readable(self, bean: str, infos: Sequence[AttributeInfo]) -> list[AttributeInfo]:
        return list(infos)

    def report(self) -> Report:
        return Report()
