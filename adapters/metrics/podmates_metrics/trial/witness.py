"""What happened to each record of a sample, as lines for a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from podmates_metrics.native.rules import NativeRule
from podmates_metrics.rules.making import Answer

SHOWN = 5  # records named for each rule
_LENGTH = 80  # characters of a record's name
_NAMES = ("text", "value", "@key", "@index")  # what a record is called by: the first of these that it has


@dataclass(slots=True)
class _Taken:
    count: int = 0
    names: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)  # reason → the first record that had it


def unlimited() -> None:
    """Let it go on."""


@dataclass(slots=True)
class Witness:
    """Remembers, within bounds, which rule took which record; *check* may end it all by an error."""

    check: Callable[[], None] = unlimited
    taken: dict[int, _Taken] = field(default_factory=dict)  # by rule; -1: no rule

    def __call__(self, look: Answer, rule: NativeRule | None, problem: str) -> None:
        """Take note of a record."""
        self.check()
        taken = self.taken.setdefault(-1 if rule is None else rule.index, _Taken())
        taken.count += 1
        name = _called(look)
        if problem:
            taken.problems.setdefault(problem, name)
        elif len(taken.names) < SHOWN:
            taken.names.append(name)

    @property
    def good(self) -> bool:
        """Whether no rule took a record that it could not use."""
        return not any(taken.problems for taken in self.taken.values())

    def lines(self, rules: Sequence[NativeRule]) -> list[str]:
        """Return what every rule did, in file order, and which records none took."""
        made = []
        for rule in rules:
            what = rule.name.text or rule.action
            made += _told(f"rules[{rule.index}] {what}", self.taken.get(rule.index, _Taken()))
        if -1 in self.taken:
            made += _told("no rule", self.taken[-1])
        return made


def _told(who: str, taken: _Taken) -> list[str]:
    lines = [f"{who}: {taken.count} record{'' if taken.count == 1 else 's'}"]
    lines += [f"  {name}" for name in taken.names]
    rest = taken.count - len(taken.names)
    if not taken.problems and rest:
        lines.append(f"  and {rest} more")
    return lines + [f"  {reason}: {name}" for reason, name in taken.problems.items()]


def _called(look: Answer) -> str:
    found = next((text for name in _NAMES if (text := look(name)) is not None), "a record")
    clean = "".join(letter if letter.isprintable() else " " for letter in found[: _LENGTH + 1])
    return clean if len(clean) <= _LENGTH else f"{clean[:_LENGTH]}…"
