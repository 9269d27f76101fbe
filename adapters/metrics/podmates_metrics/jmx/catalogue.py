"""Which beans a target has, and which of their attributes are worth asking for. No I/O.

Descriptions are kept while a bean stays registered, because they are dearer than values. Asked for again
after `REFRESH`, or when other attributes than before are missing in an answer: beans may be replaced by
others of the same name, and dynamic ones change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from podmates_metrics.jmx.messages import AttributeInfo

REFRESH = 600.0  # seconds until descriptions, and attributes found to be broken, are looked at again

# Read by jmx_exporter and thrown away; the first alone is 200 KB a scrape.
IGNORED_BEANS = frozenset({"jdk.management.jfr:type=FlightRecorder"})
IGNORED_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "java.lang:type=Runtime": frozenset({"SystemProperties", "ClassPath", "BootClassPath", "LibraryPath"})
}
_NEVER_SAMPLES = frozenset(
    (
        "char",
        *(f"java.lang.{name}" for name in ("Character", "Class", "ClassLoader")),
        *(f"java.util.{name}" for name in ("Collection", "List", "Map", "Optional", "Set")),
        "javax.management.ObjectName",
    )
)


@dataclass(slots=True)
class Bean:
    """What is known of one bean."""

    descriptions: dict[str, str | None]  # of the attributes to ask for, in the order of the bean
    described: float  # monotonic seconds
    stale: bool = False  # to be described again before its time
    broken: set[str] = field(default_factory=set)
    missing: frozenset[str] = frozenset()

    @property
    def wanted(self) -> list[str]:
        """The attributes to ask for."""
        return [name for name in self.descriptions if name not in self.broken]


class Catalogue:
    """The beans of one target."""

    def __init__(self) -> None:
        self._beans: dict[str, Bean] = {}

    def __len__(self) -> int:
        return len(self._beans)

    def unknown(self, names: Iterable[str], now: float) -> list[str]:
        """Forget the beans that are not among *names*; return those to ask a description of."""
        present = [name for name in names if name not in IGNORED_BEANS]
        self._beans = {name: self._beans[name] for name in present if name in self._beans}
        return [name for name in present if name not in self._beans or self._due(self._beans[name], now)]

    @staticmethod
    def _due(bean: Bean, now: float) -> bool:
        return bean.stale or now - bean.described > REFRESH

    def describe(self, infos: Mapping[str, Sequence[AttributeInfo]], now: float) -> None:
        """Take descriptions in."""
        for name, attributes in infos.items():
            ignored = IGNORED_ATTRIBUTES.get(name, frozenset())
            wanted = {a.name: a.description for a in attributes if a.name not in ignored and _useful(a.kind)}
            fresh, old = Bean(wanted, now), self._beans.get(name)
            if old:
                fresh.missing = old.missing
            if old and old.stale:
                fresh.described, fresh.broken = old.described, old.broken
            self._beans[name] = fresh

    def plan(self) -> list[tuple[str, list[str]]]:
        """Return what to ask: beans and their attributes."""
        plans = [(name, bean.wanted) for name, bean in self._beans.items()]
        return [(name, wanted) for name, wanted in plans if wanted]

    def descriptions(self, bean: str) -> Mapping[str, str | None]:
        """Return what the bean says about its attributes."""
        return self._beans[bean].descriptions

    def learn(self, bean: str, answered: Iterable[str], broken: Iterable[str]) -> None:
        """Note which attributes came, and which the server cannot serialise."""
        known = self._beans[bean]
        known.broken.update(broken)
        missing = frozenset(known.wanted).difference(answered)
        known.stale = bool(missing - known.missing)
        known.missing = missing


def _useful(kind: str) -> bool:
    return not kind.startswith("[") and kind not in _NEVER_SAMPLES
