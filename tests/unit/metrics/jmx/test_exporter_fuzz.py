"""Whatever files and patterns are made of: a fault with a reason, or a meaning; two engines of one mind."""

from __future__ import annotations

import random
import re

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.jmx_exporter.configuration import decode
from podmates_metrics.jmx_exporter.javaregex import DOT, translate
from podmates_metrics.jmx_exporter.objectpattern import parse_pattern
from podmates_metrics.jmx_exporter.patterns import compile_pattern, compile_template
from podmates_metrics.tree import Fault
from tests.support.fuzzing import often

# What Python's engine, here the judge, could take forever over.
ENDLESS = re.compile(r"\)(?:[*+]|\{\d+,\d*\})")
PARTS = (
    *"abA1 <>=,:._$^|*+?()[]{}\\-&#é\n",
    *(r"\d", r"\w", r"\s", r"\b", r"\Q", r"\E", r"\p{Lower}", r"\1", r"\k<n>", r"\x41", r"\R", r"\h"),
    *(
        "(?:",
        "(?i)",
        "(?-i)",
        "(?s:",
        "(?=",
        "(?!",
        "(?<=",
        "(?>",
        "(?<n>",
        "[^",
        "&&",
        "[a-c",
        "{2}",
        "{1,}",
        "++",
    ),
    *("(a|ab)", "(.*)", "(.+?)", "(x)?", "(\\w+)", "[^,]*", "name=(.+)"),
)
SUBJECTS = (
    "",
    "a",
    "abAB11aab",
    "a.b<type=A, name=x><>Count: 1.5E7",
    "kafka<name=ab, topic=aab.b><a>é b: true",
    "a\nb",
)


def texts(seed: int, count: int) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choices(PARTS, k=chance.randint(1, 12))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(often(8)))
def test_a_pattern_is_refused_or_means_the_same_to_both_engines(seed: int) -> None:
    understood = 0
    for text in texts(seed, 400):
        try:
            pattern = compile_pattern(text)
        except ValueError:
            continue
        understood += 1
        translated = translate(text)
        if ENDLESS.search(translated.text):
            continue
        assert pattern.groups == translated.groups
        other = re.compile(f"(?:{DOT}*(?:{translated.text}){DOT}*)", re.ASCII)
        for subject in SUBJECTS:
            found, expected = pattern.match(subject), other.fullmatch(subject)
            shown = None if expected is None else (subject, *expected.groups())
            assert found == shown, (text, subject)
    assert understood > 40


@pytest.mark.parametrize("seed", range(often(4)))
def test_a_pattern_that_looks_at_no_number_gives_the_same_for_all(seed: int) -> None:
    numbers = ("1", "-5", "1.5E-7", "NaN", "-Infinity", "true", "12345678901234567890")
    places = ("a.b<type=A, name=x y><>Count", "ab<a=b, c=d><e, f>g h", "a<><>b: c", "<>")
    blind = 0
    for text in [f"{text}<type=(.*)>{text}" for text in texts(seed + 100, 300)] + texts(seed, 300):
        try:
            pattern = compile_pattern(text)
        except ValueError:
            continue
        blind += pattern.blind
        for place in places if pattern.blind else ():
            found = [pattern.match(f"{place}: {number}") for number in numbers]
            assert len({groups and groups[1:] for groups in found}) == 1, (text, place)
    assert blind > 5


def test_templates_and_names_are_refused_or_understood() -> None:
    pattern = compile_pattern("(a)(?<n>b)")
    for text in texts(7, 2000):
        for parser in (lambda given: compile_template(given, pattern), parse_pattern):
            try:
                parser(text + "$1" + text)
            except ValueError:
                continue


FILE = """
hostPort: a:1
username: ${U}
lowercaseOutputName: true
includeObjectNames: ["a:b=c,*"]
excludeObjectNameAttributes: {"a:b=c": [d]}
metricCustomizers:
- {mbeanFilter: {domain: a, properties: {b: c}}, attributesAsLabels: [d], extraMetrics: [{name: e, value: 1}]}
ssl: {enabled: true, protocols: [TLSv1.3], ciphers: TLS_AES_128_GCM_SHA256, keyStore: {filename: f}}
httpServer:
  metrics: {path: h}
  authentication: {basic: {username: i, password: j}}
  ssl: {keyStore: {filename: o, type: JKS}, certificate: {alias: p}, trustStore: {filename: q}}
openTelemetry:
  endpoint: http://a/b
  interval: 5
  headers: {X-Key: o}
  resourceAttributes: {p: q}
  serviceName: r
rules:
- {pattern: 'k<(.*)>', name: $1, value: 2, valueFactor: 3, labels: {l: m}, help: n, type: GAUGE, cache: true}
"""


@pytest.mark.parametrize("seed", range(often(4)))
def test_a_damaged_file_is_refused_or_understood(seed: int) -> None:
    chance = random.Random(seed)
    pieces = [*"{}[]:,-\n '\"&*!|", "null", "5", "true", "- ", "{}", "[]", "1e999", "0x", "!!binary ", "~"]
    refused = 0
    for _ in range(300):
        damaged = list(FILE)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.randint(0, 6)] = chance.choice(pieces)
        try:
            decode(parse("".join(damaged)), {"U": "u", "OTEL_RESOURCE_ATTRIBUTES": "s=t"}, standalone=True)
        except Fault:
            refused += 1
    assert refused > 50
