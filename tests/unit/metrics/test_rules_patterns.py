"""Patterns: Python's engine where it cannot go astray, RE2 elsewhere, and both with the same result."""

from __future__ import annotations

import random
import re

import pytest

from podmates_metrics.regexes import compiled
from podmates_metrics.rules.patterns import MAX_SUBJECT, Pattern

CASES = {
    ("a.{x}.c", "a.b.c"): {"x": "b"},
    ("a.{x}.c", "a.b.d.c"): None,
    ("a.{x}", "a."): None,
    ("a.*", "a."): {},
    ("a.**", "a.b.c"): {},
    ("**.{x}", "a.b.c"): {"x": "c"},
    ("{x}_{y}.z", "a_b_c.z"): {"x": "a", "y": "b_c"},
    ("a.?", "a.b"): {},
    ("a.?", "a."): None,
    ("a.b", "a.bc"): None,
    (r"~(?P<x>\w+)-\d", "ab-1"): {"x": "ab"},
    (r"~(?P<x>\w+)-\d", "ab-12"): None,
    ("ä.{x}", "ä.ö"): {"x": "ö"},
    ("a\nb.*", "a\nb.c\nd"): {},
}


@pytest.mark.parametrize(("given", "wanted"), CASES.items(), ids=str)
def test_what_a_dotted_pattern_captures(given: tuple[str, str], wanted: dict[str, str] | None) -> None:
    pattern, text = given

    assert Pattern(pattern, dotted=True).match(text) == wanted


def test_outside_dotted_fields_a_capture_goes_up_to_what_follows() -> None:
    assert Pattern("{a}: {b}", dotted=False).match("x.y: z: w") == {"a": "x.y", "b": "z: w"}
    assert Pattern("*-{b}", dotted=False).match("x.y-z") == {"b": "z"}


def test_both_engines_agree() -> None:
    dice = random.Random(7)
    parts = ["a", "b", "*", "**", "?", "{x}", "{y}", ".", "-"]
    for _ in range(400):
        text = "".join(dice.choices(parts, k=dice.randint(1, 6)))
        if text.count("{x}") > 1 or text.count("{y}") > 1:
            continue
        for dotted in (True, False):
            pattern = Pattern(text, dotted=dotted)
            glob = pattern.expression
            for _ in range(30):
                subject = "".join(dice.choices("ab.-", k=dice.randint(0, 8)))
                python, re2 = re.compile(glob).fullmatch(subject), compiled(glob).fullmatch(subject)
                assert (python and python.groupdict()) == (re2 and re2.groupdict()), (text, subject)
                assert pattern.match(subject) == (python and python.groupdict()), (text, subject)


@pytest.mark.parametrize("pattern", ["{a}x{b}x{c}x{d}", "**x**x**x**y", "~(a*)*b", "*{a}*{b}*x"])
def test_a_hostile_text_costs_no_more_than_another(pattern: str) -> None:
    found = Pattern(pattern, dotted=False)

    assert found.match("x" * (MAX_SUBJECT - 1) + "-") is None or pattern == "{a}x{b}x{c}x{d}"
    assert found.match("a" * MAX_SUBJECT) is None
    assert found.match("x" * (MAX_SUBJECT + 1)) is None
