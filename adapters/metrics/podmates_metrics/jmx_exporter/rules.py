"""The rules of a jmx_exporter file: decoded, with all that can be wrong found at load. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from podmates_metrics.jmx_exporter.patterns import Pattern, Template, compile_pattern, compile_template
from podmates_metrics.sources.base import Kind
from podmates_metrics.tree import Keys, Place, Scalar, Tree, keys

MAX_RULES = 10_000
KEYS = ("pattern", "name", "value", "valueFactor", "labels", "help", "type", "cache", "attrNameSnakeCase")
_KINDS: dict[str, Kind] = {"COUNTER": "counter", "GAUGE": "gauge"}  # all others are untyped
_DOUBLE = re.compile(
    r"[+-]?(?:NaN|Infinity|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,9})?[fFdD]?"
    r"|(?P<hex>0[xX](?:[0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?|\.[0-9a-fA-F]+)[pP][+-]?\d{1,9})[fFdD]?)",
    re.ASCII,
)
MAX_NUMBER = 1000  # characters
MAX_SECONDS = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What becomes of the readings that a pattern matches; without a pattern of all.

    Attributes:
        name: None for the default format.
        value: what to read as the number; None for the value itself.
        labels: name and value of each, in the order of the names.
        help: None for what the attribute says of itself.
        whole: what it says has the whole text in it, the number too.
        blind: of a number it looks at nothing but where it comes from.
    """

    pattern: Pattern | None = None
    name: Template | None = None
    value: Template | None = None
    factor: float = 1.0
    labels: tuple[tuple[Template, Template], ...] = ()
    help: Template | None = None
    kind: Kind = "untyped"
    snake: bool = False
    cache: bool = False
    whole: bool = False

    @property
    def blind(self) -> bool:
        return self.cache or self.pattern is None or self.pattern.blind


def java_double(text: str) -> float:
    """Return the number that `Double.valueOf` makes of *text*.

    Raises:
        ValueError: it is none.
    """
    trimmed = text.strip("".join(map(chr, range(33))))
    found = _DOUBLE.fullmatch(trimmed) if len(trimmed) <= MAX_NUMBER else None
    if not found:
        raise ValueError(f"{text[:40]!r} is no number")
    if found["hex"]:
        try:
            return float.fromhex(trimmed.rstrip("fFdD"))
        except OverflowError:
            return float("-inf") if trimmed.startswith("-") else float("inf")
    return float(trimmed) if trimmed.lstrip("+-") in ("NaN", "Infinity") else float(trimmed.rstrip("fFdD"))


def boolean(scalar: Scalar) -> bool:
    """Return a truth value; in quotes it is none, to the exporter as well."""
    if scalar.tag != "bool":
        raise ValueError("want true or false, without quotes")
    return scalar.text.lower() in ("true", "yes", "on", "y")


def string(scalar: Scalar) -> str:
    """Return a text; a number is none, to the exporter as well."""
    if scalar.tag != "str":
        raise ValueError(f"want a text; put {scalar.text[:30]} in quotes")
    return scalar.text


def seconds(least: int) -> Callable[[Scalar], int]:
    """Return what takes a whole number of seconds, *least* or more, up to a day."""

    def parse(scalar: Scalar) -> int:
        if scalar.tag != "int" or not re.fullmatch("[0-9]{1,9}", scalar.text):
            raise ValueError("want a whole number of seconds")
        if not least <= int(scalar.text) <= MAX_SECONDS:
            raise ValueError(f"want {least} to {MAX_SECONDS} seconds")
        return int(scalar.text)

    return parse


def decode_rules(items: tuple[Tree, ...]) -> tuple[tuple[Rule, ...], list[str]]:
    """Return the rules and the keys, with their line, that mean nothing.

    Raises:
        Fault: the first thing that is wrong.
    """
    notes: list[str] = []
    if len(items) > MAX_RULES:
        raise Place("rules", items[0].line).fault(f"more than {MAX_RULES} rules")
    made = [_rule(keys(item, Place(f"rules[{i}]", item.line), "rule"), notes) for i, item in enumerate(items)]
    return tuple(made), notes


def unknown(entry: Keys, known: tuple[str, ...]) -> list[str]:
    """Return a note for every key that the exporter does not know either: it ignores them."""
    found = [key for key in entry.table.entries if key not in known]
    return [f"line {entry.place(key).line}: {entry.place(key).path}: unknown" for key in found]


def _rule(entry: Keys, notes: list[str]) -> Rule:
    notes += unknown(entry, KEYS)
    for key in KEYS:
        if key in entry.table.entries and entry.get(key) is None:
            raise entry.place(key).fault("has no value")
    pattern = entry.scalar("pattern", lambda s: compile_pattern(s.text), None)

    def template(scalar: Scalar) -> Template:
        return compile_template(string(scalar), pattern)

    name = entry.scalar("name", template, None)
    value = entry.scalar("value", lambda s: compile_template(s.text, pattern) if s.text else None, None)
    labels, help = _labels(entry, template), entry.scalar("help", template, None)
    for key in ("labels", "help"):
        if name is None and key in entry.table.entries:
            raise entry.place(key).fault("wants a name beside it")
    for key in ("name", "value"):
        if pattern is None and key in entry.table.entries and entry.text(key):
            raise entry.place(key).fault("wants a pattern beside it")
    said = [name, value, help, *(template for pair in labels for template in pair)]
    return Rule(
        pattern=pattern,
        name=name,
        value=value,
        factor=entry.scalar("valueFactor", lambda s: java_double(s.text), 1.0),
        labels=labels,
        help=help,
        kind=_KINDS.get(entry.scalar("type", string, ""), "untyped"),
        snake=entry.scalar("attrNameSnakeCase", boolean, False),
        cache=entry.scalar("cache", boolean, False),
        whole=any(0 in template.parts for template in said if template is not None),
    )


def _labels(entry: Keys, template: Callable[[Scalar], Template]) -> tuple[tuple[Template, Template], ...]:
    inner = entry.table_at("labels", "labels")
    made = []
    for name in sorted(inner.table.entries) if inner else ():
        assert inner is not None  # noqa: S101
        try:
            shown = template(Scalar(name, "str", inner.place(name).line))
        except ValueError as error:
            raise inner.place(name).fault(str(error)) from None
        value = inner.scalar(name, template, None)
        if value is None:
            raise inner.place(name).fault("has no value")
        made.append((shown, value))
    return tuple(made)
