"""StatsD lines through native rules, in the place of a mapping file; decisions are remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as Lookup
from dataclasses import dataclass, replace
from itertools import islice

from podmates_metrics.native.rules import NativeRule
from podmates_metrics.rules.judging import Ruleset, Witnessing, captures
from podmates_metrics.rules.limits import MAX_NAMES, OVERFLOW
from podmates_metrics.rules.units import named
from podmates_metrics.statsd.line import Event
from podmates_metrics.statsd.mapper import Decision, Mapper, Totals
from podmates_metrics.statsd.mapping import Mapping, Rule, Shape, Summary
from podmates_metrics.statsd.names import escape
from podmates_metrics.statsd.store import Store

TYPES = {"c": "counter", "g": "gauge", "ms": "timer", "h": "histogram", "d": "distribution", "s": "set"}
# What an event can become: of these types the first is what it becomes when the rule says nothing.
_BECOMES = {
    "counter": ("counter",),
    "gauge": ("gauge",),
    "set": ("gauge",),
    "observer": ("summary", "histogram"),
}
_OWN = frozenset({"metric", "type", "text"})  # fields that every event has; all others are tags


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What becomes of an event. *told*: rules that made no series, and why; ``""`` is drop."""

    decisions: tuple[Decision, ...]
    told: tuple[tuple[str, str], ...] = ()


class Ruled(Mapper):
    """Native rules with the interface of a mapping file.

    An event's tags are labels already; those of a rule are added; one that comes out empty takes a tag away.

    Args:
        rules: those of the StatsD source.
        source: its name.
        cache_size: decisions remembered; 0: none.
        recent: True: the least recently used decision goes first; False: the oldest.
    """

    witness: Witnessing | None = None  # as in `Judge`

    def __init__(self, rules: Ruleset, source: str, cache_size: int = 1000, *, recent: bool = True) -> None:
        super().__init__(Mapping(), cache_size, recent=recent)
        self._rules, self._source = rules, source
        listed = rules.plain.rules
        self._limits = {rule.index: rule.limit for rule in listed}
        self._bases = {rule.index: _base(rule, source, rules.ttl) for rule in listed}
        self.mapping = Mapping(tuple(self._bases.values()), Shape(f"From source {source}.", rules.ttl))
        used = {key for rule in listed for key, _ in rule.match}
        used |= {name for rule in listed for _, template in rule.templates() for name in template.names}
        self._by_tags = bool(used - _OWN)
        self._verdicts: dict[tuple[object, ...], _Verdict] = {}
        self._matches: Counter[str] = Counter()  # that made no series; the engine counts the others
        self._failed: Counter[tuple[str, str]] = Counter()
        self._overflow: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._verdicts)

    def label(self, rule: Rule | None) -> str:
        """Return what the engine counts a rule's events by."""
        return "" if rule is None else str(rule.index)

    def judge(self, event: Event) -> tuple[Decision, ...]:
        """Return what becomes of *event*: nothing, or a decision for each rule that takes it."""
        self.gets += 1
        tags = tuple(event.labels.items()) if self._by_tags else ()
        key = (event.letter, event.name, tags)
        found = self._verdicts.get(key)
        if found is not None:
            self.hits += 1
            if self._recent:
                self._verdicts[key] = self._verdicts.pop(key)
        else:
            found = self._verdict(event)
            if self.size:
                if len(self._verdicts) >= self.size:
                    del self._verdicts[next(iter(self._verdicts))]
                self._verdicts[key] = found
        for rule, reason in found.told:
            self._matches[rule] += event.weight
            if reason:
                self._failed[rule, reason] += event.weight
        if self.witness is not None:
            self._bear_witness(event, found, self.witness)
        return found.decisions

    def _bear_witness(self, event: Event, verdict: _Verdict, witness: Witnessing) -> None:
        look = _fields(event).get
        rules = {rule.index: rule for rule in self._rules.plain.rules}
        told = {index for index, _ in verdict.told}
        for decision in verdict.decisions:
            index = decision.rule.index if decision.rule else -1
            if str(index) not in told:
                witness(look, rules.get(index), "")
        for text, reason in verdict.told:
            witness(look, rules[int(text)], reason)

    def _verdict(self, event: Event) -> _Verdict:
        fields = _fields(event)
        decisions: list[Decision] = []
        told: list[tuple[str, str]] = []
        for rule in self._rules.plain.candidates(fields.get):
            captured = captures(rule, fields.get)
            if captured is None:
                continue
            made = self._decide(rule, event, {**fields, **captured})
            if isinstance(made, Decision):
                decisions.append(made)
            if rule.action == "drop" or isinstance(made, str):
                told.append((str(rule.index), made if isinstance(made, str) else ""))
            if rule.action != "continue":
                break
        else:
            if not decisions and not told:
                rest = Decision(None, escape(event.name)) if self._rules.expose else Decision(_LEFT_OUT, "")
                decisions.append(rest)
        return _Verdict(tuple(decisions), tuple(told))

    def _decide(self, rule: NativeRule, event: Event, fields: Lookup[str, str]) -> Decision | str:
        """Return the decision, or why there is none."""
        if rule.action == "drop":
            return Decision(self._bases[rule.index], "")
        becomes = _BECOMES[event.kind]
        if rule.typed and rule.kind not in becomes:
            return "wrong_type"
        name = rule.name.fill(fields.get)
        labels = [(key, template.fill(fields.get)) for key, template in rule.labels]
        if name is None or any(text is None for _, text in labels):
            return "missing_field"
        unit = named(escape(name), rule.unit, event.kind == "counter")
        base = self._bases[rule.index]
        base = replace(base, shape=replace(base.shape, unit=unit.unit))
        if not (event.letter == "ms" and unit.unit == "seconds"):  # those are seconds already
            base = replace(base, scale=rule.scale * unit.multiply, divide=unit.divide)
        return Decision(base, unit.name, tuple((key, text or "") for key, text in labels))

    def placed(
        self, decision: Decision, kind: str, labels: dict[str, str], store: Store
    ) -> dict[str, str] | None:
        """Return the labels of the series that an event goes to; None: there is no place for it."""
        limits, name = self._rules.limits, decision.name
        clean = {key: text[: limits.label_value_length] for key, text in labels.items() if text}
        family = store.families.get(name)
        if family is not None and tuple(sorted(clean.items())) in family.series:
            return clean
        own = self._limits.get(decision.rule.index) if decision.rule else None
        most = limits.series_per_family if own is None else own
        if (len(family.series) if family is not None else 0) < most and store.count < limits.series_total:
            return clean
        known = name in self._overflow or len(self._overflow) < MAX_NAMES
        self._overflow[name if known else OVERFLOW] += 1
        if not (limits.aggregate and kind != "gauge" and clean and known):
            return None
        return dict.fromkeys(clean, OVERFLOW)

    def totals(self, made: Lookup[str, int], records: int, store: Store) -> Totals:
        """Return the self metrics about rules; *made* are the events that made a series, by `label`."""
        source = self._source
        matches = Counter(self._matches)
        matches.update({rule: count for rule, count in made.items() if rule})
        families = islice(store.families.items(), MAX_NAMES)
        return {
            "podmates_records_total": {(source,): records},
            "podmates_rule_matches_total": {(source, rule): n for rule, n in matches.items()},
            "podmates_rule_errors_total": {(source, *key): n for key, n in self._failed.items()},
            "podmates_series": {(source, name): len(f.series) for name, f in families if f.series},
            "podmates_series_overflow_total": {(source, name): n for name, n in self._overflow.items()},
        }


def _fields(event: Event) -> dict[str, str]:
    own = {"metric": event.name, "text": event.name, "type": TYPES.get(event.letter, "")}
    return {**event.labels, **own}


_LEFT_OUT = Rule(-1, "", None, "", "", (), False, True, None, Shape())  # takes what no rule takes


def _base(rule: NativeRule, source: str, ttl: float | None) -> Rule:
    """Return what all series of a rule have in common."""
    shape = Shape(
        help=rule.help or f"From source {source}.",
        ttl=(rule.ttl or None) if rule.ttl is not None else ttl,
        histogram=rule.kind == "histogram",
        buckets=rule.buckets,
        summary=Summary(tuple((quantile, 0.0) for quantile in rule.quantiles)),
    )
    return Rule(rule.index, "", None, "", rule.name.text, (), False, rule.action == "drop", rule.scale, shape)
