"""StatsD lines through native rules, in the place of a mapping file; decisions are remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as Lookup
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from podmates_metrics.native.rules import NativeRule
from podmates_metrics.rules.judging import Ruleset, Witnessing, captures
from podmates_metrics.rules.limits import MAX_NAMES, OVERFLOW
from podmates_metrics.rules.making import Unusable
from podmates_metrics.rules.units import NONE, Named, named
from podmates_metrics.statsd import looking
from podmates_metrics.statsd.line import Event
from podmates_metrics.statsd.mapper import Decision, Mapper, Totals
from podmates_metrics.statsd.mapping import Mapping, Rule, Shape, Summary
from podmates_metrics.statsd.names import escape
from podmates_metrics.statsd.store import MOST_BEYOND, Store

_SUMMED = ("counter", "observer")  # kinds whose overflow adds up
Told = tuple[tuple[str, str], ...]  # rules that made no series, and why; empty: as they were asked to


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What becomes of an event, and of others of its name, type and tags unless it depends on the value."""

    decisions: tuple[Decision, ...]
    told: Told
    looks: bool  # a decision looks at each event


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
        self._scaled: dict[tuple[int, str, float, float], Rule] = {}  # bases with a unit: there are few
        self._consumed = {rule.index: tuple((tag, "") for tag in looking.consumed(rule)) for rule in listed}
        self.mapping = Mapping(tuple(self._bases.values()), Shape(f"From source {source}.", rules.ttl))
        self._tags = sorted(set[str]().union(*map(looking.used, listed)) - looking.OWN)
        # By index, without what they ask of the value: they make all that follows depend on it.
        self._by_value = {
            rule.index: replace(rule, match=tuple(pair for pair in rule.match if pair[0] != "value"))
            for rule in listed
            if looking.by_value(rule)
        }
        self._verdicts: dict[tuple[object, ...], _Verdict] = {}
        self._matches: Counter[str] = Counter()  # that made no series; the engine counts the others
        self._failed: Counter[tuple[str, str]] = Counter()

    def __len__(self) -> int:
        return len(self._verdicts)

    def label(self, rule: Rule | None) -> str:
        """Return what the engine counts a rule's events by."""
        return "" if rule is None else str(rule.index)

    def judge(self, event: Event) -> tuple[Decision, ...]:
        """Return what becomes of *event*: nothing, or a decision for each rule that takes it."""
        self.gets += 1
        labels = event.labels
        tags = tuple([(key, labels[key]) for key in self._tags if key in labels]) if self._tags else ()
        key = (event.letter, event.name, tags)
        found = self._verdicts.get(key)
        if found is not None:
            self.hits += 1
            if self._recent:
                self._verdicts[key] = self._verdicts.pop(key)
        else:
            found, lasting = self._verdict(event)
            if self.size and lasting:
                if len(self._verdicts) >= self.size:
                    del self._verdicts[next(iter(self._verdicts))]
                self._verdicts[key] = found
        decisions, told = _looked(event, found) if found.looks else (found.decisions, found.told)
        for rule, reason in told:
            self._matches[rule] += event.weight
            if reason:
                self._failed[rule, reason] += event.weight
        if self.witness is not None:
            self._bear_witness(event, decisions, told)
        return decisions

    def _bear_witness(self, event: Event, decisions: Sequence[Decision], told: Told) -> None:
        assert self.witness is not None  # noqa: S101
        look = looking.fields(event).get
        rules = {rule.index: rule for rule in self._rules.plain.rules}
        silent = {int(index) for index, _ in told}
        for index in dict.fromkeys(one.rule.index if one.rule else -1 for one in decisions):
            if index not in silent:
                self.witness(look, rules.get(index), "")
        for text, reason in told:
            self.witness(look, rules[int(text)], reason)

    def _verdict(self, event: Event) -> tuple[_Verdict, bool]:
        """Return the verdict, and whether it is the same whatever the event's value."""
        fields = looking.fields(event)
        decisions: list[Decision] = []
        told: list[tuple[str, str]] = []
        lasting = True
        for rule in self._rules.plain.candidates(fields.get):
            asks = self._by_value.get(rule.index)
            lasting = lasting and (asks is None or captures(asks, fields.get) is None)
            captured = captures(rule, fields.get)
            if captured is None:
                continue
            made = self._decide(rule, event, {**fields, **captured}, captured)
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
        if told or not lasting:
            decisions = _once(decisions)
        looks = any(decision.look for decision in decisions)
        return _Verdict(tuple(decisions), tuple(told), looks), lasting

    def _decide(
        self, rule: NativeRule, event: Event, fields: Lookup[str, str], captured: Lookup[str, str]
    ) -> Decision | str:
        """Return the decision, or why there is none."""
        if rule.action == "drop":
            return Decision(self._bases[rule.index], "")
        kind = looking.becomes(rule, event)
        if kind is None:
            return "wrong_type"
        name = rule.name.fill(fields.get)
        labels = [(key, template.fill(fields.get)) for key, template in rule.labels]
        if name is None or any(text is None for _, text in labels):
            return "missing_field"
        clean, other = escape(name), looking.makes_number(rule)
        look = looking.Look(rule, captured) if other or rule.exemplar else None
        texts = (*[(key, text or "") for key, text in labels], *self._consumed[rule.index])
        if rule.kind == "info" and not clean.endswith("_info"):
            clean = f"{clean}_info"
        unit = named(clean, rule.unit if rule.kind not in ("info", "stateset") else NONE, kind == "counter")
        if event.letter == "ms" and unit.unit == "seconds" and not other:
            unit = unit._replace(multiply=1.0, divide=1.0)  # a timer's own values are seconds already
        return Decision(self._with(rule, unit), unit.name, texts, kind, look=look)

    def _with(self, rule: NativeRule, unit: Named) -> Rule:
        """Return what all series of a rule with this unit have in common."""
        key = (rule.index, unit.unit, unit.multiply, unit.divide)
        made = self._scaled.get(key)
        if made is None:
            base = self._bases[rule.index]
            shape, scale = replace(base.shape, unit=unit.unit), rule.scale * unit.multiply
            made = self._scaled[key] = replace(base, shape=shape, scale=scale, divide=unit.divide)
        return made

    def placed(
        self, decision: Decision, kind: str, labels: dict[str, str], store: Store
    ) -> dict[str, str] | None:
        """Return the labels of the series that an event goes to; None: there is no place for it."""
        limits, name = self._rules.limits, decision.name
        clean = {key: text[: limits.label_value_length] for key, text in labels.items() if text}
        if kind == "stateset":
            clean[name] = labels[name]  # two states must not become one
        family = store.families.get(name)
        if family is not None and tuple(sorted(clean.items())) in family.series:
            return clean
        own = self._limits.get(decision.rule.index) if decision.rule else None
        most = limits.series_per_family if own is None else own
        if (family.own if family is not None else 0) < most and store.count < limits.series_total:
            return clean
        known = name in self.overflow or len(self.overflow) < MAX_NAMES
        self.overflow[name if known else OVERFLOW] += 1
        if not (limits.aggregate and kind in _SUMMED and clean and known):
            return None
        beyond = dict.fromkeys(clean, OVERFLOW)
        if family is not None and len(family.beyond) >= MOST_BEYOND:
            return dict(next(iter(family.beyond)))  # senders choose the names of tags, too
        return beyond

    def go_on(self, before: Mapper, made: Counter[str]) -> Counter[str]:
        """Take over what the rules *before* have counted, each from the one that did the same."""
        if not isinstance(before, Ruled):
            return Counter()
        left: dict[object, list[NativeRule]] = {}
        for rule in before._rules.plain.rules:
            left.setdefault((rule.match, rule.name), []).append(rule)
        moved = {}
        for rule in self._rules.plain.rules:
            alike = left.get((rule.match, rule.name), [])
            same = next((old for old in alike if old.work() == rule.work()), None)
            if same is not None:
                alike.remove(same)
                moved[str(same.index)] = str(rule.index)
        failed, matches = before._failed, before._matches
        self._failed = Counter({(moved[rule], why): n for (rule, why), n in failed.items() if rule in moved})
        self._matches = Counter({moved[rule]: n for rule, n in matches.items() if rule in moved})
        return Counter({moved[rule]: n for rule, n in made.items() if rule in moved})

    def totals(
        self, made: Lookup[str, int], records: int, store: Store, *, beyond: Lookup[str, int]
    ) -> Totals:
        """Return the self metrics about rules; *made* and *beyond* as for any mapper."""
        source, overflow = self._source, self.overflow + Counter(beyond)
        matches = Counter(self._matches)
        matches.update({rule: count for rule, count in made.items() if rule})
        families = islice(store.families.items(), MAX_NAMES)
        return {
            "podmates_records_total": {(source,): records},
            "podmates_rule_matches_total": {(source, rule): n for rule, n in matches.items()},
            "podmates_rule_errors_total": {(source, *key): n for key, n in self._failed.items()},
            "podmates_series": {(source, name): f.own for name, f in families if f.own},
            "podmates_series_overflow_total": {(source, name): n for name, n in overflow.items()},
        }


def _looked(event: Event, verdict: _Verdict) -> tuple[tuple[Decision, ...], Told]:
    """Return what becomes of this event by decisions that look at each."""
    decisions: list[Decision] = []
    told = list(verdict.told)
    for decision in verdict.decisions:
        if decision.look is None:
            decisions.append(decision)
            continue
        try:
            made, reason = decision.look(decision, event), ""
        except Unusable as error:
            made, reason = [], str(error)
        decisions += made
        if not made and decision.rule is not None:
            told.append((str(decision.rule.index), reason))
    return tuple(_once(decisions) if told else decisions), tuple(told)


def _once(decisions: Sequence[Decision]) -> list[Decision]:
    """Return *decisions* for this event only: a rule that had nothing to say may have at the next one."""
    return [replace(decision, once=True) for decision in decisions]


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
