"""What a rule makes of a record that it took: name, labels and number, or the reason why nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from podmates_metrics.golang import parse_float
from podmates_metrics.native.rules import NativeRule
from podmates_metrics.rules.patterns import Template
from podmates_metrics.rules.units import named
from podmates_metrics.sources.base import Labels
from podmates_metrics.statsd.names import escape

Answer = Callable[[str], str | None]  # a field or a capture by its name; None: there is none
MAX_NAME = 1000  # characters of a metric's name
MAX_EXEMPLAR = 128  # characters of an exemplar's labels, as OpenMetrics has it
OTHER = "*"  # in `value_map`: what every other text stands for


class Unusable(Exception):
    """The record gives no series; the text is a label `reason`."""


class Made(NamedTuple):
    """A sample to be. *state* is a stateset's, *value* everybody else's; *exemplar* may be empty."""

    rule: NativeRule
    name: str
    labels: Labels
    value: float
    unit: str = ""
    state: str = ""
    exemplar: Labels = ()


def make(rule: NativeRule, answer: Answer, own: str | None, *, length: int) -> Made:
    """Return what *rule* makes of a record.

    Args:
        rule: it has taken the record.
        answer: the record's fields and the rule's captures.
        own: the record's own value as text, for a rule that names no other.
        length: characters that a label's value may have.

    Raises:
        Unusable: it makes nothing.
    """
    name = rule.name.fill(answer)
    if name is None:
        raise Unusable("missing_field")
    clean = valid(name) if rule.utf8 else escape(name)
    if not clean or len(clean) > MAX_NAME:
        raise Unusable("long_name" if clean else "empty_name")
    labels = _labels(rule.labels, answer, length)
    text = own if rule.value is None else rule.value.fill(answer)
    if rule.kind == "info":
        return Made(rule, clean if clean.endswith("_info") else f"{clean}_info", labels, 1.0)
    if rule.kind == "stateset":
        return Made(rule, clean, labels, 1.0, state=state(rule, text))
    unit = named(clean, rule.unit, rule.kind == "counter")
    value = number(rule, text) * rule.scale * unit.multiply / unit.divide
    return Made(rule, unit.name, labels, value, unit.unit, exemplar=exemplar(rule, answer))


def _labels(wanted: tuple[tuple[str, Template], ...], answer: Answer, length: int) -> Labels:
    """Return the labels, sorted as they are in the rule; an empty one is none, as Prometheus has it."""
    made = []
    for key, template in wanted:
        text = template.fill(answer)
        if text is None:
            raise Unusable("missing_field")
        if text:
            made.append((key, valid(text[:length])))
    return tuple(made)


def valid(text: str) -> str:
    """Return *text* as UTF-8 can write it: half a surrogate pair, which JSON may have, becomes ``?``."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def state(rule: NativeRule, text: str | None) -> str:
    """Return the state that *text* names.

    Raises:
        Unusable: it names none of the rule's.
    """
    if text is None:
        raise Unusable("missing_field")
    if text not in rule.states:
        raise Unusable("unknown_state")
    return text


def number(rule: NativeRule, text: str | None) -> float:
    """Return the number that *text* stands for, before scale and unit.

    Raises:
        Unusable: it stands for none.
    """
    if text is None:
        raise Unusable("not_a_number")
    if rule.value_map:
        found = rule.value_map.get(text, rule.value_map.get(OTHER))
        if found is None:
            raise Unusable("unmapped_value")
        return found
    lower = text.lower()
    if lower in ("true", "false"):
        return float(lower == "true")
    try:
        return parse_float(text.strip())
    except ValueError:
        raise Unusable("not_a_number") from None


def exemplar(rule: NativeRule, answer: Answer) -> Labels:
    """Return the exemplar's labels: those that the record has, all of them or none if they are too long."""
    found = [(key, template.fill(answer)) for key, template in rule.exemplar]
    made = tuple((key, valid(text)) for key, text in found if text)
    return made if sum(len(key) + len(text) for key, text in made) <= MAX_EXEMPLAR else ()
