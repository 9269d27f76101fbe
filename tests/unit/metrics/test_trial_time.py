"""A trial that somebody else asked for ends in time, whatever the rules and the sample are."""

from __future__ import annotations

import pytest

from podmates_metrics.trial.run import NoTrial
from podmates_metrics.trial.web import tried

ANY = "\nrules: [{name: a, value: '1', labels: {b: '{text}'}}]"
EVENTS = "\nrules: [{name: a_total, type: counter}]"
CASES = {
    "a document": ("sources: {a: {http: {url: 'http://x/'}}}", '{"x": [1, 2]}'),
    "rows": (f"sources: {{a: {{http: {{url: 'http://x/', format: jsonl}}}}}}{ANY}", '{"x": 1}\n{"x": 2}'),
    "samples of a page": (
        f"sources: {{a: {{http: {{url: 'http://x/', format: prometheus}}}}}}{ANY}",
        "x 1\ny 2\n",
    ),
    "a log": (f"sources: {{a: {{log: {{paths: [/x]}}}}}}{EVENTS}", "one\ntwo\n"),
    "beans": ("sources: {a: {jmx: {target: 'h:1'}}}", "d<type=T><>x: 1\nd<type=T><>y: 2\n"),
    "StatsD lines": (f"sources: {{a: {{statsd: {{}}}}}}{EVENTS}", "x:1|c\ny:1|c\n"),
    "a mapping file": ("mappings: [{match: x, name: y}]", "x:1|c\ny:1|c\n"),
}


@pytest.mark.parametrize(("rules", "sample"), CASES.values(), ids=CASES)
def test_it_is_given_up_when_its_time_is_over(rules: str, sample: str) -> None:
    assert tried(rules, sample, "", patience=3600.0).page

    with pytest.raises(NoTrial, match="longer than"):
        tried(rules, sample, "", patience=-1.0)
