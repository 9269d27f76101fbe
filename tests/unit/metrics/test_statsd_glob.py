"""The trie finds what trying every rule finds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from podmates_metrics.statsd.glob import Globs
from tests.support.fuzzing import often

SEGMENTS = st.lists(st.sampled_from(["a", "b", "*"]), min_size=1, max_size=4)
RULES = st.lists(SEGMENTS, max_size=12)
NAMES = st.lists(st.sampled_from(["a", "b", "c", "", "*"]), min_size=1, max_size=4)


def matches(rule: list[str], name: list[str]) -> tuple[str, ...] | None:
    """Return what the stars of *rule* stand for in *name*, or None."""
    if len(rule) != len(name) or any(r not in ("*", n) for r, n in zip(rule, name, strict=True)):
        return None
    return tuple(n for r, n in zip(rule, name, strict=True) if r == "*")


@settings(max_examples=often(300))
@given(RULES, NAMES)
def test_ordered_the_first_rule_in_the_file_wins(rules: list[list[str]], name: list[str]) -> None:
    globs = Globs(enumerate(".".join(rule) for rule in rules), ordered=True)
    wanted = next(((i, m) for i, rule in enumerate(rules) if (m := matches(rule, name)) is not None), None)

    assert globs.find(".".join(name)) == wanted


@settings(max_examples=often(300))
@given(RULES, NAMES)
def test_unordered_the_most_specific_from_the_left_wins(rules: list[list[str]], name: list[str]) -> None:
    globs = Globs(enumerate(".".join(rule) for rule in rules), ordered=False)
    fitting = [(i, rule) for i, rule in enumerate(rules) if matches(rule, name) is not None]
    best = min(fitting, key=lambda pair: ([s == "*" for s in pair[1]], pair[0]), default=None)

    found = globs.find(".".join(name))

    assert (found and found[0]) == (best and best[0])


def test_a_shorter_rule_after_a_longer_one_with_its_beginning_is_found() -> None:
    globs = Globs([(0, "a.b.c"), (1, "a.b")], ordered=True)

    assert globs.find("a.b") == (1, ())


def test_looking_costs_what_the_rules_are_and_not_more() -> None:
    """All 2^12 patterns of stars and letters; a search without bounds would visit 3^12 paths."""
    patterns = [".".join("*" if i >> bit & 1 else "a" for bit in range(12)) for i in range(1 << 12)]
    globs = Globs(enumerate(patterns), ordered=True)

    assert globs.find(".".join("a" * 12)) == (0, ())
