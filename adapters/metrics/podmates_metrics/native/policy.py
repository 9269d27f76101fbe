"""The keys ``limits`` and ``defaults`` of a native file: what holds for all of its sources. Strict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from podmates_metrics.native import rulekeys
from podmates_metrics.native.rules import NativeRule
from podmates_metrics.rules.judging import Ruleset, for_source
from podmates_metrics.rules.limits import Limits
from podmates_metrics.tree import Fault, Keys, one_of

_OVERFLOW = one_of({"aggregate": True, "drop": False}, "{} is neither aggregate nor drop")
_UNMAPPED = one_of({"expose": True, "drop": False}, "{} is neither expose nor drop")
MAX_LABEL = 4096


@dataclass(frozen=True, slots=True)
class Policy:
    """What the files say beside sources and rules."""

    limits: Limits = field(default_factory=Limits)
    ttl: float | None = None  # seconds that a series of events lives without one; None: for ever
    unmapped: bool | None = None  # show numbers that no rule takes; None: only where no rule makes any
    own: Mapping[str, bool] = field(default_factory=dict)  # the same, for a source that says so itself
    stated: bool = False  # the file has limits or defaults

    def ruleset(self, rules: Iterable[NativeRule], name: str, *, expose: bool | None = None) -> Ruleset:
        """Return the rules for source *name*; *expose*: whether the rest is shown if the file is silent."""
        own = for_source(rules, name)
        if name in self.own:
            expose = self.own[name]
        elif self.unmapped is not None:
            expose = self.unmapped
        elif expose is None:
            expose = all(rule.action == "drop" for rule in own)
        return Ruleset(own, name, expose=expose, limits=self.limits, ttl=self.ttl)

    def and_of(self, other: Policy) -> Policy:
        """Return this and that of another file.

        Raises:
            Fault: both have limits or defaults.
        """
        if self.stated and other.stated:
            raise Fault("limits and defaults stand in another file already")
        return replace(other if other.stated else self, own={**self.own, **other.own})


def decode_policy(top: Keys) -> Policy:
    """Return what the top level of a file says.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    limits, ttl, unmapped = Limits(), None, None
    inner = top.table_at("limits", "limits")
    if inner is not None:
        limits = Limits(
            series_per_family=inner.scalar("series_per_family", rulekeys.count, limits.series_per_family),
            series_total=inner.scalar("series_total", rulekeys.count, limits.series_total),
            label_value_length=inner.scalar("label_value_length", rulekeys.count, limits.label_value_length),
            aggregate=inner.scalar("on_overflow", _OVERFLOW, limits.aggregate),
        )
        if limits.label_value_length > MAX_LABEL:
            raise inner.place("label_value_length").fault(f"want at most {MAX_LABEL}")
        inner.finish()
    inner = top.table_at("defaults", "defaults")
    if inner is not None:
        ttl = inner.scalar("ttl", rulekeys.lifetime, None)
        unmapped = inner.scalar("unmapped", _UNMAPPED, None)
        inner.finish()
    stated = bool(top.table.entries.keys() & {"limits", "defaults"})
    return Policy(limits, ttl or None, unmapped, _own(top), stated)


def _own(top: Keys) -> dict[str, bool]:
    """Return what sources say about their numbers that no rule takes."""
    sources, made = top.table_at("sources", "sources"), {}
    for name in sources.table.entries if sources else ():
        entry = sources.table_at(name, "source") if sources else None
        own = entry.scalar("unmapped", _UNMAPPED, None) if entry else None
        if own is not None:
            made[name] = own
    return made
