"""What is read of a JVM: the beans and attributes of a selection, and what the usual metrics need. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from podmates_metrics.jmx.messages import AttributeInfo
from podmates_metrics.jmx.objectname import ObjectName, parse
from podmates_metrics.jmx.standard import DOMAINS
from podmates_metrics.jmx_exporter.selection import Selection


class Chooser:
    """The part of a view that says what is read.

    Args:
        selection: what is wanted for the page.
        standard: the usual ``jvm_*`` metrics are made, too, for which the beans of the platform are read.
    """

    def __init__(self, selection: Selection, *, standard: bool) -> None:
        self.selection, self.standard = selection, standard
        self._names: dict[str, tuple[ObjectName, bool]] = {}  # and whether the selection has it

    def wanted(self, names: Iterable[str]) -> list[str]:
        """Return the beans to read."""
        known, self._names = self._names, {}
        for name in names:
            if name in known:
                self._names[name] = known[name]
            else:
                parsed = parse(name)
                self._names[name] = parsed, self.selection.bean(parsed)
        return [name for name, (parsed, found) in self._names.items() if found or self._platform(parsed)]

    def readable(self, bean: str, infos: Sequence[AttributeInfo]) -> list[AttributeInfo]:
        """Return the attributes of a bean to read."""
        name = parse(bean)
        if self._platform(name):
            return list(infos)
        found = self.selection.attributes(name, [info.name for info in infos])
        return [info for info in infos if info.name in found]

    def _platform(self, name: ObjectName) -> bool:
        return self.standard and name.domain in DOMAINS
