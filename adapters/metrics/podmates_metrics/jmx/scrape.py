"""What one scrape of a JVM has brought so far. No I/O."""

from __future__ import annotations

from collections.abc import Mapping

from podmates_metrics.jmx.catalogue import Catalogue
from podmates_metrics.jmx.javavalues import Value
from podmates_metrics.jmx.objectname import ObjectName, parse
from podmates_metrics.jmx.standard import DOMAINS, standard_families
from podmates_metrics.jmx.view import View
from podmates_metrics.sources.base import Family


class Scrape:
    """Takes what beans say, in pieces; the values themselves are let go at once, the platform's excepted."""

    def __init__(self, catalogue: Catalogue, view: View) -> None:
        self._catalogue, self._standard, self.report = catalogue, view.standard, view.report()
        self._names: dict[str, ObjectName] = {}
        self._platform: dict[str, tuple[ObjectName, dict[str, Value]]] = {}
        self._answered: dict[str, tuple[set[str], set[str]]] = {}  # bean → attributes that came, that broke

    def take(self, bean: str, values: Mapping[str, Value], broken: str) -> None:
        """Add *values* of a bean; *broken* is the attribute that the server could not serialise, or empty."""
        name = self._names.get(bean) or self._names.setdefault(bean, parse(bean))
        self.report.add(name, self._catalogue.descriptions(bean), values)
        came, broke = self._answered.setdefault(bean, (set(), set()))
        came.update(values)
        broke.update({broken} - {""})
        if self._standard and name.domain in DOMAINS:
            self._platform.setdefault(bean, (name, {}))[1].update(values)

    def learn(self) -> None:
        """Tell the catalogue which attributes came; only when every bean had its chance."""
        for bean, (came, broke) in self._answered.items():
            self._catalogue.learn(bean, came, broke)

    def families(self, properties: Mapping[str, str]) -> list[Family]:
        """Return the page: what the view makes of the beans, then the standard metrics if anything was read.

        *properties* are the system properties of the JVM.
        """
        if not self._answered:
            return []
        found = self.report.families()
        return found + standard_families(self._platform, properties) if self._standard else found
