"""The rules of one source: the first that matches a record takes it, in file order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from podmates_metrics.native.rules import NativeRule
from podmates_metrics.rules.index import Index
from podmates_metrics.rules.limits import Limits
from podmates_metrics.rules.making import Answer, Made, Unusable, make
from podmates_metrics.rules.paths import Path
from podmates_metrics.rules.patterns import Capture

Witnessing = Callable[[Answer, NativeRule | None, str], None]


class Ruleset:
    """What a source needs to know of the rule files; made once.

    Args:
        rules: those for this source, in file order.
        prefix: begins the names of numbers that no rule takes: the source's name.
        expose: show these numbers.
        limits: of the source's series.
        ttl: seconds that a series of events lives without one, where its rule says nothing; None: for ever.
    """

    def __init__(
        self,
        rules: Sequence[NativeRule],
        prefix: str,
        *,
        expose: bool,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
        ttl: float | None = None,
    ) -> None:
        self.made_of = (tuple(rules), prefix, expose, limits, ttl)  # equal for rules that do the same
        self.prefix, self.expose, self.limits, self.ttl = prefix.replace("-", "_"), expose, limits, ttl
        groups: dict[Path | None, list[NativeRule]] = {}
        for rule in rules:
            groups.setdefault(rule.each, []).append(rule)
        self.plain = Index(groups.pop(None, []))
        self.chosen = [(path, Index(group)) for path, group in groups.items() if path is not None]


class Judge:
    """Offers records to rules and counts what they do; *matches* and *errors* are by rule.

    *witness*, if there is one, is told of every record and every rule that took it: the record's fields, the
    rule (None: no rule took it), and why it made nothing of it, empty when it did. For `try`.
    """

    witness: Witnessing | None = None

    def __init__(self, rules: Ruleset, take: Callable[[Made], None]) -> None:
        self.rules = rules
        self.matches: Counter[str] = Counter()
        self.errors: Counter[tuple[str, str]] = Counter()  # by rule and reason
        self._take = take

    def offer(self, index: Index, look: Answer, own: Callable[[NativeRule], str | None]) -> bool:
        """Offer a record; what rules make of it goes to *take*. Return whether one matched.

        *look* answers the record's fields, *own* is its value as text, for a rule that names no other.
        """
        matched = False
        for rule in index.candidates(look):
            captured = captures(rule, look)
            if captured is None:
                continue
            matched = True
            self.matches[str(rule.index)] += 1
            problem = "" if rule.action == "drop" else self._make(rule, _answer(captured, look), own(rule))
            if self.witness is not None:
                self.witness(look, rule, problem)
            if rule.action != "continue":
                break
        if not matched and self.witness is not None:
            self.witness(look, None, "")
        return matched

    def _make(self, rule: NativeRule, answer: Answer, own: str | None) -> str:
        try:
            self._take(make(rule, answer, own, length=self.rules.limits.label_value_length))
        except Unusable as error:
            self.errors[str(rule.index), str(error)] += 1
            return str(error)
        return ""


def captures(rule: NativeRule, look: Answer) -> Capture | None:
    """Return what the patterns of *rule* capture; None when one does not match, or its field is not there."""
    captured: Capture = {}
    for key, pattern in rule.match:
        text = look(key)
        found = pattern.match(text) if text is not None else None
        if found is None:
            return None
        captured |= found
    return captured


def _answer(captured: Capture, look: Answer) -> Answer:
    def answer(name: str) -> str | None:
        return captured[name] if name in captured else look(name)

    return answer


def for_source(rules: Iterable[NativeRule], name: str) -> list[NativeRule]:
    """Return the rules that look at the records of source *name*."""
    return [rule for rule in rules if rule.source in ("", name)]
