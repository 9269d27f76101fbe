"""Java's regular expressions and templates: what they mean, and what is refused with a reason."""

from __future__ import annotations

import math

import pytest

from podmates_metrics.jmx_exporter.patterns import compile_pattern, compile_template
from podmates_metrics.jmx_exporter.rules import java_double

MATCHES = {
    ("Count", "d<type=A><>Count: 5"): (),
    ("(.*)Count", "d<type=A><>Count: 5"): ("",),
    ("^d<type=(.)>", "d<type=A><>Count: 5"): ("A",),
    ("Count: (.*)$", "d<type=A><>Count: 5"): ("5",),
    ("(x)?Count", "d<type=A><>Count: 5"): (None,),
    ("a|b(c)", "xbc"): ("c",),
    ("(?i)count", "d<>COUNT"): (),
    ("(?i)[^c]ount", "d<>COUNT"): None,
    ("x(?-i:a)", "xA"): None,
    ("a.b", "a\nb"): None,
    ("(?s)a.b", "a\nb"): (),
    ("(?d)a.b", "a\rb"): (),
    ("b$", "a\nb"): None,  # the dots around a pattern take no end of a line
    (r"\p{Lu}", "é É"): (),
    (r"[\p{L}&&[^a-z]]", "abc é"): (),
    (r"\P{Alpha}", "abc"): None,
    (r"\Qa.b\E", "axb"): None,
    (r"[\Qa-c\E]+", "b"): None,
    (r"\x{1F600}", "😀"): (),
    (r"\cA", "\x01"): (),
    (r"\R", "a\r\nb"): (),
    ("(a+)(?!b)c", "aac"): ("a",),  # the dots before a pattern take all they can
    ("a++b", "aab"): (),
    ("(?>a+)ab", "aab"): None,
    (r"(.)\1", "abb"): ("b",),
    ("[]-]", "-"): (),
    ("[a-]", "-"): (),
    ("a{2}", "aa"): (),
    (r"\{a\}", "{a}"): (),
    ("", "anything"): (),
}


@pytest.mark.parametrize(("pair", "groups"), MATCHES.items(), ids=lambda value: str(value))
def test_a_pattern_means_what_it_means_to_java(
    pair: tuple[str, str], groups: tuple[str | None, ...] | None
) -> None:
    pattern, subject = pair

    assert compile_pattern(pattern).match(subject) == (None if groups is None else (subject, *groups))


REFUSED = {
    "(": "unclosed group, at character 2",
    ")": "unmatched",
    "[a": "unclosed character class",
    "[b-a]": "illegal range",
    "*a": "nothing that",
    "a**": "nothing that",
    "{2}": "nothing that",
    "\\": "nothing after",
    r"\G": "not offered",
    r"\X": "not offered",
    r"\p{Greek}": "not offered",
    r"\p": "want",
    r"\1": "no group 1",
    r"\k<a>": "no group a",
    "(?<a>x)(?<a>y)": "there already",
    "(?u)x": "flag u is not offered",
    "(?*x)": "unknown kind",
    "(?<=a*)b": "not offered",
    "(a|b)*(?=c)": "take forever",
    "((a+)+)++": "take forever",
    r"\x{110000}": "no such character",
    r"\x{D800}": "surrogate",
    "(" * 51 + ")" * 51: "nested too deep",
    "a" * 10_001: "longer than",
    "[" * 30 + "a" + "]" * 30: "nested too deep",
    "a{1001}": "repetition",
}


@pytest.mark.parametrize(("pattern", "reason"), REFUSED.items(), ids=lambda value: str(value)[:20])
def test_what_is_not_offered_is_refused_with_a_reason(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        compile_pattern(pattern)


BLIND = {
    "a<b=(.*)><>Count": True,
    r"a<b=(.*)><>(\w+)": True,
    r"<>(Count|Value)": True,
    "<>(Count|a b)": False,
    "a<b=(.*)>": True,
    "Count": False,  # could be found in a number, for all that is known here
    "a<b=(.*)><>.*": False,
    r"a<b><>Count: (\d+)": False,
    "a<b>|c<d>": False,
    "a<b><>(?!x)Count": False,
    "(<)?b": False,
    "<>Count ?": False,
}


@pytest.mark.parametrize(("pattern", "blind"), BLIND.items())
def test_it_is_known_which_patterns_look_at_no_number(pattern: str, blind: bool) -> None:
    assert compile_pattern(pattern).blind is blind


NEEDS = {
    r"kafka.(\w+)<type=(.+)><>Value": "><>Value",
    r"\Qa.b\E+(cde)": "cde",
    "ab|cd": "",
    "a(?!bcd)e": "a",
    "(?i)abc": "",
    "(abc)?d(e)f": "def",
    "^abc$": "abc",
}


@pytest.mark.parametrize(("pattern", "needs"), NEEDS.items())
def test_it_is_known_which_text_a_pattern_needs(pattern: str, needs: str) -> None:
    assert compile_pattern(pattern).needs == needs


def test_patterns_that_backtrack_elsewhere_are_linear_here() -> None:
    pattern = compile_pattern("(a*)*(a|aa)*(.*)*x")

    assert pattern.match("a" * 60_000) is None


def test_what_is_too_long_matches_nothing() -> None:
    assert compile_pattern("a").match("a" * 65_537) is None
    assert compile_pattern("a(?=a)").match("a" * 2049) is None


TEMPLATES = {
    "plain": "plain",
    "$1_${n}": "one_two",
    "$10": "one0",
    "$3": "",
    r"\$1 \\ \x": "$1 \\ x",
    "$0": "whole",
    "": "",
}


@pytest.mark.parametrize(("text", "filled"), TEMPLATES.items())
def test_a_template_is_filled_as_java_does(text: str, filled: str) -> None:
    template = compile_template(text, compile_pattern("(a)(?<n>b)(c)?"))

    assert template.expand(("whole", "one", "two", None)) == filled


@pytest.mark.parametrize("text", ["$4", "$x", "$", "a\\", "${m}", "${2}", "${n"])
def test_a_template_that_would_fail_at_every_scrape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="group"):
        compile_template(text, compile_pattern("(a)(?<n>b)(c)?"))


NUMBERS = {
    " 1.5 ": 1.5,
    "-.5e3": -500.0,
    "1.": 1.0,
    "5d": 5.0,
    "5F": 5.0,
    "+Infinity": math.inf,
    "0x1.8p1": 3.0,
    "0x1p3f": 8.0,
    "1e999": math.inf,
    "-0x1p9999": -math.inf,
}


@pytest.mark.parametrize(("text", "number"), NUMBERS.items())
def test_a_number_is_what_java_takes_for_one(text: str, number: float) -> None:
    assert java_double(text) == number


@pytest.mark.parametrize("text", ["", "x", "inf", "nan", "1_000", "0x10", "1e", "١", "1 2", "9" * 1001])
def test_other_texts_are_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        java_double(text)
