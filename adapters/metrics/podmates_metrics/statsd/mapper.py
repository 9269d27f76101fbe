"""What the mapping file decides for a metric, remembered per kind and name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Lookup
from dataclasses import dataclass

from podmates_metrics.regexes import Match
from podmates_metrics.statsd.glob import Globs
from podmates_metrics.statsd.line import Event
from podmates_metrics.statsd.mapping import Mapping, Rule
from podmates_metrics.statsd.names import escape
from podmates_metrics.statsd.store import Store

Totals = dict[str, dict[tuple[str, ...], float]]  # metric name → label values → value
KINDS = ("counter", "gauge", "observer")
_GLOB_REFERENCE = re.compile(r"\$\{?([A-Za-z0-9_$]+)\}?")
_REGEX_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))", re.ASCII)


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a metric; *rule* is None when no rule takes it."""

    rule: Rule | None
    name: str  # escaped; empty: the template came out empty
    labels: tuple[tuple[str, str], ...] = ()
    kind: str = ""  # what the event becomes, as the store calls it; empty: what it is
    event: Event | None = None  # what the rule made of it; None: it stays what it is
    exemplar: tuple[tuple[str, str], ...] = ()  # labels of the event, which stands for others
    once: bool = False  # an equal line with another value may become something else
    look: Callable[[Decision, Event], list[Decision]] | None = None  # decides anew for each event


class Mapper:
    """A mapping file, ready for look-ups.

    Args:
        mapping: the decoded file.
        cache_size: decisions remembered; 0: none.
        recent: True: the least recently used decision goes first; False: the oldest.
    """

    def __init__(self, mapping: Mapping, cache_size: int = 1000, *, recent: bool = True) -> None:
        self.mapping = mapping
        self.gets = self.hits = 0
        self.overflow: Counter[str] = Counter()  # events beyond limits by family; outlives this mapping
        self.size, self._recent = cache_size, recent
        self._cache: dict[tuple[str, str], Decision] = {}
        globs = [rule for rule in mapping.rules if rule.regex is None]
        self._globs = {
            kind: Globs(
                ((rule.index, rule.match) for rule in globs if rule.kind in ("", kind)),
                ordered=mapping.ordered,
            )
            for kind in KINDS
        }
        self._regexes = [rule for rule in mapping.rules if rule.regex is not None]

    def __len__(self) -> int:
        return len(self._cache)

    def decide(self, kind: str, name: str) -> Decision:
        """Return what becomes of metric *name*, which is neither escaped nor has tags."""
        self.gets += 1
        key = (kind, name)
        found = self._cache.get(key)
        if found is not None:
            self.hits += 1
            if self._recent:
                self._cache[key] = self._cache.pop(key)
            return found
        made = self.look(kind, name)
        if self.size:
            if len(self._cache) >= self.size:
                del self._cache[next(iter(self._cache))]
            self._cache[key] = made
        return made

    def look(self, kind: str, name: str) -> Decision:
        """Return what `decide` does, without remembering or counting it."""
        return self._glob(kind, name) or self._regex(kind, name) or Decision(None, escape(name))

    def remembered(self) -> Iterator[tuple[str, str, Decision]]:
        """Yield kind, name and decision of what is remembered."""
        for (kind, name), decision in self._cache.items():
            yield kind, name, decision

    def judge(self, event: Event) -> tuple[Decision, ...]:
        """Return what becomes of *event*: a decision for each series that it goes to."""
        return (self.decide("gauge" if event.kind == "set" else event.kind, event.name),)

    def placed(
        self, decision: Decision, kind: str, labels: dict[str, str], store: Store
    ) -> dict[str, str] | None:
        """Return the labels of the series that an event goes to; None: there is no place for it."""
        return labels

    def label(self, rule: Rule | None) -> str:
        """Return what the engine counts a rule's events by; empty: those that no rule takes."""
        return "" if rule is None else "map"

    def go_on(self, before: Mapper, made: Counter[str]) -> Counter[str]:
        """Return *made*, what events had made under the mapping *before*, by the labels of this one."""
        return made

    def totals(
        self, made: Lookup[str, int], records: int, store: Store, *, beyond: Lookup[str, int]
    ) -> Totals:
        """Return the self metrics about rules.

        *made* are the events that made a series, by `label`; *beyond* those that were known to go to an
        overflow series, by family.
        """
        return {}

    def _glob(self, kind: str, name: str) -> Decision | None:
        found = self._globs[kind].find(name)
        if found is None:
            return None
        index, captured = found

        def reference(match: re.Match[str]) -> str:
            number = int(match[1]) if match[1].isdigit() and len(match[1]) < 6 else 0
            return captured[number - 1] if 0 < number <= len(captured) else ""

        return _expand(self.mapping.rules[index], lambda text: _GLOB_REFERENCE.sub(reference, text))

    def _regex(self, kind: str, name: str) -> Decision | None:
        for rule in self._regexes:
            found = rule.regex.search(name) if rule.regex and rule.kind in ("", kind) else None
            if found:
                return _expand(rule, _expander(found))
        return None


def _expander(found: Match) -> Callable[[str], str]:
    """Return Go's ``Expand`` for a match."""
    groups = {str(number): text or "" for number, text in enumerate((found[0], *found.groups()))}
    groups |= {name: text or "" for name, text in found.groupdict().items()}

    def reference(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else groups.get(match[1] or match[2], "")

    return lambda text: _REGEX_REFERENCE.sub(reference, text)


def _expand(rule: Rule, expand: Callable[[str], str]) -> Decision:
    labels = tuple((key, expand(text)) for key, text in rule.labels)
    return Decision(rule, escape(expand(rule.name)), labels)
