"""The native form of a foreign file makes the same series of the same input, or there is none."""

from __future__ import annotations

import re
from typing import Any

import pytest

from podmates_metrics.converting.groups import named
from podmates_metrics.converting.statsd import SOURCE, convert
from podmates_metrics.documents import parse
from podmates_metrics.native.file import decode
from podmates_metrics.native.policy import Policy
from podmates_metrics.statsd.mapper import Mapper
from podmates_metrics.statsd.ruled import Ruled
from podmates_metrics.tree import Fault
from tests.support import statsd_cases
from tests.unit.metrics.test_statsd_conformance import CASES, REFUSED, Player

# What the native form cannot say, by the reason that is given.
INEXPRESSIBLE = {
    "scale/negative and zero": "mappings[1].scale: the native form has no scale 0",
    "summary/max_age empties the quantiles": "mappings[0].summary_options: the native form has one window",
}


class Converted(Player):
    """An engine with the native form of a case's mapping file."""

    def _mapper(self) -> Mapper:
        tree = parse(convert(parse(self._config)))
        assert tree is not None
        native = decode(tree)
        return Ruled((native.policy or Policy()).ruleset(native.rules, SOURCE, expose=True), SOURCE)


def _series(step: dict[str, Any]) -> dict[str, Any]:
    """Return *step* without what it wants of the original's counts of itself."""
    return {key: value for key, value in step.items() if key not in ("expect_errors", "expect_internal")}


@pytest.mark.parametrize(
    "name", [name for name in CASES if name not in REFUSED and name not in INEXPRESSIBLE]
)
def test_the_converted_file_makes_the_series_that_were_observed(name: str) -> None:
    player = Converted(CASES[name], "pure")

    for number, step in enumerate(statsd_cases.steps(CASES[name])):
        assert player.play(_series(step)) == [], f"step {number}: {convert(parse(player._config))}"


@pytest.mark.parametrize(("name", "reason"), INEXPRESSIBLE.items())
def test_what_the_native_form_has_no_words_for_is_refused_with_its_place(name: str, reason: str) -> None:
    with pytest.raises(Fault, match=re.escape(reason)):
        Converted(CASES[name], "pure")


def test_of_the_observed_cases_all_but_two_are_converted() -> None:
    counts = {"cases": len(CASES), "wrong": len(REFUSED), "inexpressible": len(INEXPRESSIBLE)}
    print(counts)
    assert counts == {"cases": 136, "wrong": 3, "inexpressible": 2}


FAULTS = {
    "mappings: [{match: a, name: b, honor_labels: true}]": "mappings[0].honor_labels: the native form has no",
    "mappings: [{match: a, name: b, labels: {xx: 'a{b'}}]": "the native form has no way to write a brace",
    "mappings: [{match: '(a)(?P<p1>b)', match_type: regex, name: b}]": "[0].match: a group is called like",
    "mappings: [{match: a.*, name: $2}]": "mappings[0].name: comes out empty",
    "defaults: {ttl: -1s}": "defaults.ttl: the native form has no ttl below 0",
    "mappings: [{match: a, name: b, bogus: 1}]": "field bogus not found",
}


@pytest.mark.parametrize(("text", "reason"), FAULTS.items(), ids=FAULTS.values())
def test_a_file_that_is_wrong_or_cannot_be_said_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Fault, match=re.escape(reason)):
        convert(parse(text))


@pytest.mark.parametrize(("ttl", "wanted"), [("1ns", 1e-9), ("300h", 1_080_000.0), ("1.5s", 1.5)])
def test_a_time_of_any_size_is_the_same_in_the_native_form(ttl: str, wanted: float) -> None:
    tree = parse(convert(parse(f"mappings: [{{match: a, name: b, ttl: {ttl}}}]")))
    assert tree is not None

    assert decode(tree).rules[0].ttl == wanted


def test_the_native_form_is_for_people() -> None:
    text = """
defaults: {ttl: 90s}
mappings:
- {match: 'api\\.(\\w+)\\.(?P<how>\\w+)', match_type: regex, name: api_$1, labels: {how: "$how"}}
- {match: "j.*.*.ms", match_metric_type: observer, observer_type: histogram, name: job_ms, labels: {job: $2}}
- {match: "*.debug", action: drop, name: x}
"""
    assert (
        convert(parse(text))
        == """\
# other than statsd_exporter: sets, events, service checks, packed counters and gauges are taken,
# tags without a value are labels, and OpenMetrics is offered, where a counter without _total is unknown
# other than statsd_exporter: a * of a glob takes no empty part of a name, as in a..b
sources: {statsd: {statsd: {udp: ":9125", tcp: ":9125"}}}
limits: {series_per_family: 250000, series_total: 250000, label_value_length: 4096}
defaults: {ttl: "90s"}
rules:
- match: {metric: "j.{p1}.{p2}.ms", type: "~timer|histogram|distribution"}
  type: histogram
  name: "job_ms"
  unit: none
  labels: {job: "{p2}"}
  ttl: "90s"
- match: {metric: "{p1}.debug"}
  action: drop
- match: {metric: "~(?s:.*?)(?:api\\\\.(?P<p1>\\\\w+)\\\\.(?P<how>\\\\w+))(?s:.*)"}
  name: "api_{p1}"
  unit: none
  labels: {how: "{how}"}
  ttl: "90s"
"""
    )


def test_an_empty_part_of_a_name_is_no_match_any_more_and_that_is_said() -> None:
    case = {"config_yaml": "mappings: [{match: a.*.b, name: m}]"}
    pages = []
    for player in (Player(case, "pure"), Converted(case, "pure")):
        player.play({"send": ["a..b:1|c"]})
        pages.append([player.play({"absent": [name]}) != [] for name in ("m", "a__b")])

    assert pages == [[True, False], [False, True]]
    assert "takes no empty part" in convert(parse(case["config_yaml"]))
    assert "takes no empty part" not in convert(parse("mappings: [{match: a.b, name: m}]"))


GROUPS = {
    "a(b)c": ("a(?P<p1>b)c", {"1": "p1"}),
    r"\((a)[()](?:b)": (r"\((?P<p1>a)[()](?:b)", {"1": "p1"}),
    "(?P<x>a)((?i)b)": ("(?P<x>a)(?P<p2>(?i)b)", {"1": "x", "2": "p2"}),
    r"[]()](?<y>a)[^]()][[:alpha:](]": (r"[]()](?<y>a)[^]()][[:alpha:](]", {"1": "y"}),
    r"\Q(\E(a)\Q(": (r"\Q(\E(?P<p1>a)\Q(", {"1": "p1"}),
    r"[\](](a)": (r"[\](](?P<p1>a)", {"1": "p1"}),
}


@pytest.mark.parametrize(("pattern", "wanted"), GROUPS.items())
def test_groups_get_names_and_nothing_else_does(pattern: str, wanted: tuple[str, dict[str, str]]) -> None:
    assert named(pattern, "p") == wanted
