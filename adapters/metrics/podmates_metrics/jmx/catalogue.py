"""Which beans a target has, and which of their attributes are worth asking for. No I/O.

Descriptions are kept while a bean stays registered, because they are dearer than values. Asked for again
after `REFRESH`, or when other attributes than before are missing in an answer: beans may be replaced by
others of the same name, and dynamic ones change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice

from podmates_metrics.jmx.messages import AttributeInfo

REFRESH = 600.0  # seconds until descriptions, and attributes found to be broken, are looked at again

AT_A_TIME = 100  # beans described again in one scrape only because it is time

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

    descriptions: Mapping[str, str | None]  # of the attributes worth asking for, in the order of the bean
    described: float  # monotonic seconds
    stale: bool = False  # to be described again before its time
    broken: frozenset[str] = frozenset()  # attributes that the server cannot serialise
    missing: frozenset[str] = frozenset()  # asked for and not in the last answer
    asked: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.asked = tuple(name for name in self.descriptions if name not in self.broken)


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
        fresh = [name for name in present if name not in self._beans or self._beans[name].stale]
        due = (
            name for name, bean in self._beans.items() if not bean.stale and now - bean.described > REFRESH
        )
        return fresh + list(islice(due, AT_A_TIME))

    def describe(self, infos: Mapping[str, Sequence[AttributeInfo]], now: float) -> None:
        """Take descriptions in."""
        for name, attributes in infos.items():
            ignored = IGNORED_ATTRIBUTES.get(name, frozenset())
            fresh, old = Bean(_worth_asking(tuple(attributes), ignored), now), self._beans.get(name)
            if old and old.stale:
                fresh = Bean(fresh.descriptions, old.described, broken=old.broken)
            if old:
                fresh.missing = old.missing
            self._beans[name] = fresh

    def plan(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return what to ask: beans and their attributes."""
        return [(name, bean.asked) for name, bean in self._beans.items() if bean.asked]

    def descriptions(self, bean: str) -> Mapping[str, str | None]:
        """Return what the bean says about its attributes."""
        return self._beans[bean].descriptions

    def learn(self, bean: str, answered: Iterable[str], broken: Iterable[str]) -> None:
        """Note which attributes came, and which the server cannot serialise."""
        known = self._beans[bean]
        if unheard := known.broken.union(broken) - known.broken:
            self._beans[bean] = known = replace(known, broken=known.broken | unheard)
        missing = frozenset(known.asked).difference(answered)
        known.stale = bool(missing - known.missing)
        known.missing = missing


@lru_cache(maxsize=1024)
def _worth_asking(infos: tuple[AttributeInfo, ...], ignored: frozenset[str]) -> Mapping[str, str | None]:
    """Return name → description; beans of one class share it."""
    return {info.name: info.description for info in infos if info.name not in ignored and _useful(info.kind)}


def _useful(kind: str) -> bool:
    return not kind.startswith("[") and kind not in _NEVER_SAMPLES
