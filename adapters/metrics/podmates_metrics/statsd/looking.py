"""Native rules that look at each StatsD line: at its value, or at what makes it an exemplar.

Most lines are counted by what was decided for the first of their kind. What is decided here depends on a
field that differs from line to line, so such lines are judged one by one and the hot path never sees them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Mapping as Lookup
from dataclasses import dataclass, replace

from podmates_metrics.native.rules import NativeRule
from podmates_metrics.rules.making import Unusable, exemplar, number, state
from podmates_metrics.statsd.line import MAX_WEIGHT, Event
from podmates_metrics.statsd.mapper import Decision

TYPES = {"c": "counter", "g": "gauge", "ms": "timer", "h": "histogram", "d": "distribution", "s": "set"}
OWN = frozenset({"metric", "type", "text", "value"})  # fields that every event has; all others are tags
# What an event can become by its own value: of these types the first is what it becomes without being told.
_BECOMES = {
    "counter": ("counter",),
    "gauge": ("gauge", "untyped"),
    "set": ("gauge",),
    "observer": ("summary", "histogram"),
}
_OBSERVED = ("histogram", "summary")
_FREE = ("info", "stateset")  # types that have no number of an event


def fields(event: Event) -> dict[str, str]:
    """Return the fields of an event."""
    own = {"metric": event.name, "text": event.name, "value": event.text}
    return {**event.labels, **own, "type": TYPES.get(event.letter, "")}


def becomes(rule: NativeRule, event: Event) -> str | None:
    """Return what *rule* makes of such an event, as the store calls it; None: it cannot."""
    if not rule.typed:
        return "gauge" if event.kind == "set" and makes_number(rule) else event.kind
    if rule.kind not in _BECOMES[event.kind] and not makes_number(rule):
        return None
    if rule.kind in _OBSERVED:
        return "observer"
    return event.kind if event.kind == "set" and not makes_number(rule) else rule.kind


def makes_number(rule: NativeRule) -> bool:
    """Tell whether *rule* has a number of its own in place of the event's."""
    return rule.value is not None or bool(rule.value_map) or rule.kind in _FREE


def used(rule: NativeRule) -> set[str]:
    """Return the fields that decide whether *rule* takes an event, and what it is called then."""
    found = {key for key, _ in rule.match} | _captures(rule)
    templates = [rule.name, *(template for _, template in rule.labels)]
    return found.union(*(template.names for template in templates))


def by_value(rule: NativeRule) -> bool:
    """Tell whether the value of an event decides that."""
    return any(key == "value" for key, _ in rule.match) or "value" in used(rule) - _captures(rule)


def consumed(rule: NativeRule) -> set[str]:
    """Return the tags that are no labels because *rule* makes a number or an exemplar of them."""
    templates = [template for _, template in rule.exemplar] + ([rule.value] if rule.value else [])
    names = set[str]().union(*(template.names for template in templates))
    return names - _captures(rule) - OWN - {label for label, _ in rule.labels}


def _captures(rule: NativeRule) -> set[str]:
    return set[str]().union(*(pattern.names for _, pattern in rule.match))


@dataclass(frozen=True, slots=True)
class Look:
    """A rule that has taken events of one kind, and what its patterns captured of them."""

    rule: NativeRule
    captured: Lookup[str, str]

    def __call__(self, decision: Decision, event: Event) -> list[Decision]:
        """Return what becomes of *event*: nothing, a decision, or one for each state of a stateset.

        Raises:
            Unusable: the rule cannot use it.
        """
        rule = self.rule
        answer = {**fields(event), **self.captured}.get
        text = event.text if rule.value is None else rule.value.fill(answer)
        if rule.kind == "stateset":
            return list(_states(decision, event, rule, state(rule, text)))
        told = exemplar(rule, answer)
        if not makes_number(rule):
            once = decision.once or bool(told) or any("value" in t.names for _, t in rule.exemplar)
            return [replace(decision, exemplar=told, once=once)]
        made = _observed(event, decision.kind, 1.0 if rule.kind == "info" else number(rule, text))
        return [replace(decision, event=made, exemplar=told, once=True)] if made.weight else []


def _states(decision: Decision, event: Event, rule: NativeRule, told: str) -> Iterator[Decision]:
    weight = event.weight  # the first stands for the event, the others count as none
    for name in rule.states:
        made = replace(event, value=float(name == told), weight=weight, relative=False)
        labels = (*decision.labels, (decision.name, name))
        yield replace(decision, labels=labels, event=made, once=True)
        weight = 0


def _observed(event: Event, kind: str, value: float) -> Event:
    """Return *event* with another value; one that was sampled counts for all the lines that it stands for."""
    lines = float(event.weight) if event.kind == "observer" else event.lines
    if kind == "counter":
        value *= lines
        if not math.isfinite(value):
            raise Unusable("not_a_number")
    elif math.isnan(value):
        raise Unusable("not_a_number")
    weight = (int(min(lines, MAX_WEIGHT)) if lines > 0 else 0) if kind == "observer" else 1
    return replace(event, value=value, weight=weight, relative=False)
