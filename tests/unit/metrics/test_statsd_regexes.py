"""RE2's meaning on Python's engine."""

from __future__ import annotations

import pytest

from podmates_metrics.statsd.regexes import translate

MEANS = [
    (r"a$", "a\n", False),
    (r"a\z", "a", True),
    (r"\d", "٣", False),
    (r"\w", "é", False),
    (r"[[:alpha:]]+$", "abC", True),
    (r"[[:alpha:]]$", "1", False),
    (r"[^[:digit:]]", "1", False),
    (r"\Qa.b\E", "axb", False),
    (r"\Qa.b\E$", "a.b", True),
    (r"(?i)ABC", "abc", True),
    (r"(?P<x>a)|b", "b", True),
    (r"(?<x>a)", "a", True),
    (r"a{2}", "aa", True),
    (r"\.x\$", ".x$", True),
    (r"[$]", "$", True),
]


@pytest.mark.parametrize(("pattern", "subject", "found"), MEANS)
def test_a_pattern_means_what_it_means_in_go(pattern: str, subject: str, found: bool) -> None:
    assert bool(translate(pattern).search(subject)) is found


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a)\1",
        r"a(?=b)",
        r"a(?!b)",
        r"(?<=a)b",
        r"(?<!a)b",
        r"(?P=x)",
        r"(?>a)",
        r"a*+",
        r"a++",
        r"(",
        r"\Z",
        r"\pL",
        "a" * 20_000,
    ],
    ids=lambda text: text[:12],
)
def test_what_re2_has_not_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        translate(pattern)
