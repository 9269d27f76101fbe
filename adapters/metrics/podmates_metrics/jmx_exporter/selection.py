"""Which beans and which of their attributes a jmx_exporter file wants. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from podmates_metrics.jmx.objectname import ObjectName, parse
from podmates_metrics.jmx_exporter.objectpattern import ObjectPattern, parse_pattern
from podmates_metrics.jmx_exporter.rules import string
from podmates_metrics.tree import Keys, Listing, Scalar

_JVM = (
    "java.lang java.nio java.util.logging jdk.internal jdk.management jdk.management.jfr com.sun.management"
    " com.sun.management.jmxremote javax.management javax.management.remote sun.management"
)
JVM = frozenset(_JVM.split())
Filter = Mapping[str, frozenset[str]]  # canonical name of a bean → attributes


@dataclass(frozen=True, slots=True)
class Selection:
    """Names and attributes.

    Attributes:
        include: None for all beans; an empty one for none.
        jvm: the beans of the JVM itself are wanted, too; those that are included by name always are.
    """

    include: tuple[ObjectPattern, ...] | None = None
    exclude: tuple[ObjectPattern, ...] = ()
    jvm: bool = True
    only: Filter = field(default_factory=dict)
    never: Filter = field(default_factory=dict)

    def bean(self, name: ObjectName) -> bool:
        """Whether the bean is wanted."""
        explicit = any(pattern.matches(name) for pattern in self.include or ())
        if self.include is not None and not explicit:
            return False
        if any(pattern.matches(name) for pattern in self.exclude):
            return False
        return explicit or self.jvm or name.domain not in JVM

    def attributes(self, name: ObjectName, offered: Iterable[str]) -> frozenset[str]:
        """Return those of the attributes *offered* that are wanted."""
        found = frozenset(offered)
        if self.only or self.never:
            found -= self.never.get(name.canonical, frozenset())
            if self.only:
                found &= self.only.get(name.canonical, frozenset())
        return found


def decode_selection(top: Keys, jvm: bool) -> Selection:
    """Return what the keys of *top* want.

    Raises:
        Fault: a name that is none.
    """
    included, excluded = (
        patterns(top, "includeObjectNames", "whitelistObjectNames"),
        patterns(top, "excludeObjectNames", "blacklistObjectNames"),
    )
    only, never = (attributes(top, f"{which}ObjectNameAttributes") for which in ("include", "exclude"))
    return Selection(included, excluded or (), jvm, only, never)


def patterns(top: Keys, key: str, old: str = "") -> tuple[ObjectPattern, ...] | None:
    """Return the patterns at *key*; those at its *old* name without such a key; None: neither is there.

    Raises:
        Fault: a name that is none.
    """
    if old:
        top.get(old)
    found = key if key in top.table.entries else old
    if not found or found not in top.table.entries:
        return None
    if top.get(found) is None:
        raise top.place(found).fault("want a list")
    made = []
    for item in top.list_at(found):
        place = top.place(found)
        place.line = item.line
        try:
            made.append(parse_pattern(string(item) if isinstance(item, Scalar) else ""))
        except ValueError as error:
            raise place.fault(str(error)) from None
    return tuple(made)


def attributes(top: Keys, key: str) -> Filter:
    """Return the attributes that a table at *key* names for each bean.

    Raises:
        Fault: a name that is none.
    """
    inner = top.table_at(key, key)
    made: dict[str, frozenset[str]] = {}
    for name in inner.table.entries if inner else ():
        assert inner is not None  # noqa: S101
        try:
            parse_pattern(name)
        except ValueError as error:
            raise inner.place(name).fault(str(error)) from None
        found = inner.get(name)
        items = found.items if isinstance(found, Listing) else (None,)
        texts = frozenset(item.text for item in items if isinstance(item, Scalar))
        if not all(isinstance(item, Scalar) for item in items):
            raise inner.place(name).fault("want a list of names of attributes")
        made[parse(name).canonical] = texts
    return made
