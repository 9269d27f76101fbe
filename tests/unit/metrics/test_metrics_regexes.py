"""Expressions that mean what they mean in Go, and none that Go refuses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from podmates_metrics.regexes import compiled

MEANS = [
    (r"a$", "a\n", False),
    (r"a\z", "a", True),
    (r"\d", "٣", False),
    (r"\w", "é", False),
    (r"\pL", "é", True),
    (r"\p{Greek}", "é", False),
    (r"[[:alpha:]]+$", "abC", True),
    (r"[[:alpha:]]$", "1", False),
    (r"[^[:digit:]]", "1", False),
    (r"\Qa.b\E", "axb", False),
    (r"\Qa.b\E$", "a.b", True),
    (r"(?i)ABC", "abc", True),
    (r"a(?i)B", "ab", True),
    (r"(?P<x>a)|b", "b", True),
    (r"(?<x>a)", "a", True),
    (r"(?U)a+", "aa", True),
    (r"a{2}", "aa", True),
    (r"\.x\$", ".x$", True),
    (r"[$]", "$", True),
    (r"[(?P<x>](?P<x>a)", "(a", True),
    (r"\(?P<x>(?P<x>a)", "P<x>a", True),
]


@pytest.mark.parametrize(("pattern", "subject", "found"), MEANS)
def test_a_pattern_means_what_it_means_in_go(pattern: str, subject: str, found: bool) -> None:
    assert bool(compiled(pattern).search(subject)) is found


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"(a)\1", r"invalid escape sequence: \1"),
        (r"a(?=b)", "invalid perl operator: (?="),
        (r"a(?!b)", "invalid perl operator: (?!"),
        (r"(?<=a)b", "(?<="),
        (r"(?<!a)b", "(?<!"),
        (r"(?P=x)", "(?P"),
        (r"(?>a)", "(?>"),
        (r"a*+", "bad repetition operator: *+"),
        (r"a++", "bad repetition operator: ++"),
        (r"a{1001}", "invalid repetition size: {1001}"),
        ("(((a{100}){100}){100})", "invalid repetition size"),
        ("(", "missing )"),
        ("\\", "trailing \\"),
        (r"\Z", r"invalid escape sequence: \Z"),
        (r"\C", r"invalid escape sequence: \C"),
        ("(?P<n>a)(?<n>b)", "duplicate capture group name: n"),
        ("\ud800", "invalid UTF-8"),
        ("a" * 20_000, "expression too long"),
    ],
    ids=lambda text: ascii(text)[:12],
)
def test_what_go_has_not_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refused:
        compiled(pattern)

    assert reason in str(refused.value)


def test_groups_are_texts_by_number_and_name() -> None:
    found = compiled(r"(?P<first>é)(-)?(?P<last>\w+)").search("xé9z")

    assert found is not None
    assert (found[0], found[1], found[2], found["last"]) == ("é9z", "é", None, "9z")
    assert found.groups() == ("é", None, "9z")
    assert found.groupdict() == {"first": "é", "last": "9z"}


def test_all_of_a_text_matches_or_none() -> None:
    assert compiled("a|ab").fullmatch("ab") is not None
    assert compiled("a").fullmatch("ab") is None


def test_half_a_character_is_searched_like_any_other() -> None:
    found = compiled("^a(.)b$").search("a\ud800b")

    assert found is not None and found[1] == "?"


def test_no_pattern_makes_a_text_expensive() -> None:
    # The engine of Python's own library needs 2^100 steps for this.
    assert compiled("^(a+)+$").search("a" * 100 + "!") is None
    assert compiled("(x?){300}" + "x" * 300).search("x" * 300) is not None


def test_without_an_expression_the_engine_is_not_loaded() -> None:
    program = "import sys, podmates_metrics.statsd.mapper; print('re2' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout == "False\n"
