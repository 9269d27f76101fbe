"""StatsD lines through native rules: the same engine and store, another language."""

from __future__ import annotations

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.exposition.openmetrics import dialect
from podmates_metrics.exposition.text import merged
from podmates_metrics.metrics import RESERVED
from podmates_metrics.statsd.engine import Engine
from podmates_metrics.statsd.line import Styles
from podmates_metrics.statsd.ruled import Ruled
from podmates_metrics.statsd.store import Store
from podmates_metrics.trial.run import run
from tests.unit.metrics.engines import TWINS, samples, total, twin
from tests.unit.metrics.native_rules import EVENTS, native, ruleset


def engine(rules: str, which: str = "pure", styles: Styles | None = None) -> Engine:
    """Return an engine with native rules for its source ``app``; unmatched lines are shown."""
    file = native(EVENTS + rules)
    made = ruleset(EVENTS + rules, expose=True)
    module = twin(which)
    store = Store(module.Cell, reserved=RESERVED)
    assert file.statsd is not None
    return Engine(module, Ruled(made, file.statsd.name), styles or Styles(), store=store)


def feed(subject: Engine, *lines: str, times: int = 1) -> dict[str, float]:
    for _ in range(times):
        subject.feed("\n".join(lines).encode(), 0.0)
    return samples(subject)


CASES = {
    "a capture becomes a label": (
        "{match: {metric: 'api.{route}.count'}, name: hits_total, labels: {route: '{route}'}}",
        ["api.cart.count:2|c"],
        {'hits_total{route="cart"}': 6},
    ),
    "tags stay, are added to, and taken away": (
        "{match: {metric: a, zone: 'eu-{n}'}, name: a, labels: {zone: '', n: '{n}', host: '{host}'}}",
        ["a:1|g|#zone:eu-1,host:x,shop:y"],
        {'a{host="x",n="1",shop="y"}': 1},
    ),
    "a type is matched as it was sent": (
        "{match: {metric: '**', type: timer}, name: t}\n- {match: {type: 'dist*'}, name: d}",
        ["x:500|ms", "y:3|d"],
        {'t{quantile="0.5"}': 0.5, "t_count": 3, 'd{quantile="0.5"}': 3, "d_count": 3},
    ),
    "a histogram with its buckets": (
        "{match: {type: timer}, name: '{metric}_seconds', type: histogram, buckets: [0.25, 1]}",
        ["x:500|ms"],
        {
            'x_seconds_bucket{le="0.25"}': 0,
            'x_seconds_bucket{le="1"}': 3,
            'x_seconds_bucket{le="+Inf"}': 3,
            "x_seconds_sum": 1.5,
            "x_seconds_count": 3,
        },
    ),
    "a timer's name tells seconds, its value is in seconds": (
        "{match: {type: timer}, name: '{metric}_ms', type: summary, quantiles: [1]}",
        ["x:500|ms"],
        {'x_seconds{quantile="1"}': 0.5, "x_seconds_sum": 1.5, "x_seconds_count": 3},
    ),
    "units and scale of others": (
        "{match: {metric: heap}, name: heap_kb}\n- {match: {metric: lag}, name: lag, unit: ms, scale: 2}",
        ["heap:2|g", "lag:500|g"],
        {"heap_bytes": 2048, "lag_seconds": 1},
    ),
    "drop": ("{match: {metric: 'debug.**'}, action: drop}", ["debug.x:1|c", "y:1|c"], {"y": 3}),
    "continue": (
        "{match: {metric: 'a.*'}, name: every, action: continue}\n- {match: {metric: a.b}, name: one}",
        ["a.b:1|c", "a.c:1|c"],
        {"every": 6, "one": 3},
    ),
    "the first in the file": (
        "{match: {metric: 'a.**'}, name: first}\n- {match: {metric: a.b}, name: second}",
        ["a.b:1|c"],
        {"first": 3},
    ),
    "a rule without match takes all": ("{name: all_of_them}", ["a.b:1|c", "c:1|c"], {"all_of_them": 6}),
}


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize(("rules", "lines", "page"), CASES.values(), ids=CASES)
def test_what_native_rules_make_of_lines(
    rules: str, lines: list[str], page: dict[str, float], which: str
) -> None:
    found = feed(engine(f"rules:\n- {rules}", which), *lines, times=3)

    assert {name: value for name, value in found.items() if name in page} == page


@pytest.mark.parametrize("which", TWINS)
def test_matches_and_errors_are_counted_by_rule_also_on_the_fast_path(which: str) -> None:
    rules = (
        "rules:\n- {match: {metric: a}, name: a}\n- {match: {metric: b}, name: b, labels: {x: '{tag}'}}\n"
        "- {match: {metric: c}, action: drop}\n- {match: {metric: d}, name: d, type: counter}"
    )
    subject = engine(rules, which)
    feed(subject, "a:1|c", "b:1|c", "b:1|c|#tag:y", "c:1|c", "d:1|g", "e:1|c", times=5)

    def of(name: str) -> dict[tuple[str, ...], float]:
        return subject.totals()[f"podmates_{name}"]

    assert of("rule_matches_total") == {("app", "0"): 5, ("app", "1"): 10, ("app", "2"): 5, ("app", "3"): 5}
    assert of("rule_errors_total") == {("app", "1", "missing_field"): 5, ("app", "3", "wrong_type"): 5}
    assert of("records_total") == {("app",): 30}
    assert of("series") == {("app", "a"): 1, ("app", "b"): 1, ("app", "e"): 1}
    assert total(subject, "statsd_exporter_events_unmapped_total") == 5
    assert total(subject, "statsd_exporter_events_actions_total", "drop") == 5


@pytest.mark.parametrize("which", TWINS)
def test_what_a_rule_has_counted_goes_where_it_goes_over_a_reload(which: str) -> None:
    a, b, d = (f"{{match: {{metric: {name}}}, name: {name}, type: counter}}" for name in "abd")
    subject = engine(f"rules:\n- {a}\n- {b}\n- {d}", which)
    feed(subject, "a:1|c", "b:1|c", "b:1|c", "d:1|g", "e:1|c", times=5)
    before = subject.totals()

    subject.use(
        Ruled(ruleset(EVENTS + f"rules:\n- {d}\n- {{match: {{metric: new}}, name: n}}\n- {b}"), "app")
    )
    after = subject.totals()
    assert after["podmates_rule_matches_total"] == {("app", "0"): 5, ("app", "2"): 10}
    assert after["podmates_rule_errors_total"] == {("app", "0", "wrong_type"): 5}
    for name in ("events_total", "events_unmapped_total", "events_actions_total", "samples_total"):
        assert after[f"statsd_exporter_{name}"] == before[f"statsd_exporter_{name}"]
    feed(subject, "b:1|c", "new:1|c", times=5)
    again = subject.totals()["podmates_rule_matches_total"]
    assert again == {("app", "0"): 5, ("app", "1"): 5, ("app", "2"): 15}


@pytest.mark.parametrize("which", TWINS)
def test_series_beyond_a_limit_add_up_or_are_left_out(which: str) -> None:
    rules = "rules: [{match: {metric: n}, name: n, limit: 2}]\nlimits: {series_per_family: 1}"
    subject = engine(rules, which)
    lines = [f"n:1|c|#u:{user}" for user in "abcd"]

    assert feed(subject, *lines, times=3) == {'n{u="a"}': 3, 'n{u="b"}': 3, 'n{u="__overflow__"}': 6}
    assert feed(subject, "g:1|g|#u:a", "g:2|g|#u:b")['g{u="a"}'] == 1
    assert 'g{u="b"}' not in samples(subject)
    assert subject.totals()["podmates_series_overflow_total"] == {("app", "n"): 6, ("app", "g"): 1}


@pytest.mark.parametrize("which", TWINS)
def test_what_went_beyond_a_limit_is_still_counted_after_a_reload(which: str) -> None:
    subject = engine("rules: [{name: n, limit: 1}]", which)
    feed(subject, "n:1|c|#u:a", "n:1|c|#u:b", times=3)
    subject.use(Ruled(ruleset(EVENTS + "rules: [{name: n, limit: 1, help: Other.}]"), "app"))
    feed(subject, "n:1|c|#u:b", times=2)

    assert subject.totals()["podmates_series_overflow_total"] == {("app", "n"): 5}


@pytest.mark.parametrize("which", TWINS)
def test_of_sets_beyond_a_limit_nothing_adds_up_because_they_are_gauges(which: str) -> None:
    subject = engine("rules: [{name: online, limit: 1}]", which, Styles(extended=True))

    assert feed(subject, "x:ann|s|#shop:a", "x:bob|s|#shop:b") == {'online{shop="a"}': 1}
    assert subject.totals()["podmates_series_overflow_total"] == {("app", "online"): 1}


@pytest.mark.parametrize("which", TWINS)
def test_a_series_that_goes_makes_room_and_the_overflow_series_takes_none(which: str) -> None:
    subject = engine("rules: [{name: n, limit: 1, ttl: 10s}]", which)
    feed(subject, "n:1|c|#u:a", "n:1|c|#u:b")
    subject.feed(b"n:1|c|#u:b", 9.0)
    subject.sweep(11.0)

    assert subject.totals()["podmates_series"] == {}
    assert feed(subject, "n:1|c|#u:c") == {'n{u="__overflow__"}': 2, 'n{u="c"}': 1}
    assert subject.totals()["podmates_series"] == {("app", "n"): 1}


def test_senders_who_invent_tags_make_few_overflow_series() -> None:
    subject = engine("rules: [{name: n, limit: 1}]")
    found = feed(subject, *[f"n:1|c|#tag{number}:x" for number in range(101)])

    assert (len(found), sum(found.values())) == (21, 101)


def test_values_of_labels_are_cut_and_a_series_ends_after_its_time() -> None:
    rules = "rules: [{match: {metric: a}, name: a, ttl: 10s}]\nlimits: {label_value_length: 2}"
    subject = engine(rules)

    assert feed(subject, "a:1|c|#t:xyz") == {'a{t="xy"}': 1}
    subject.sweep(11.0)
    assert samples(subject) == {}


def test_what_no_rule_takes_is_left_out_where_the_file_says_so() -> None:
    subject = engine("rules: [{match: {metric: a}, name: a}]\ndefaults: {unmapped: drop}")

    assert feed(subject, "a:1|c", "b:1|c", times=2) == {"a": 2}
    assert total(subject, "statsd_exporter_events_actions_total", "drop") == 2


def test_decisions_are_remembered_by_name_type_and_the_tags_that_matter() -> None:
    plain = engine("rules: [{match: {metric: a}, name: a, action: continue}, {match: {metric: a}, name: b}]")
    feed(plain, "a:1|c|#t:1", "a:1|c|#t:2", "a:1|g")
    by_tags = engine("rules: [{match: {metric: a}, name: 'a_{t}'}]")
    feed(by_tags, "a:1|c|#t:1", "a:1|c|#t:2")

    assert (len(plain.mapper), plain.mapper.hits) == (2, 1)
    assert (len(by_tags.mapper), by_tags.mapper.hits) == (2, 0)


def test_openmetrics_tells_the_unit_that_a_rule_has_made() -> None:
    subject = engine(
        "rules: [{match: {metric: heap}, name: heap_kb}, {match: {type: timer}, name: '{metric}_ms'}]"
    )
    feed(subject, "heap:2|g", "x:500|ms", "other_bytes:1|g")
    families = list(subject.store.families.values())
    text = "".join(merged(families, {}, dialect(families, ())))

    assert [line for line in text.splitlines() if line.startswith("# UNIT")] == [
        "# UNIT heap_bytes bytes",
        "# UNIT x_seconds seconds",
    ]


def test_a_sample_is_tried_with_all_that_the_source_takes() -> None:
    rules = "rules:\n- {match: {metric: 'online.{x}', type: set}, name: 'online_{x}'}\n"
    sample = b"online.shop:ann|s\nonline.shop:bob|s\nc:1:2|c|#new\n_sc|db.up|2\n"

    tried = run(parse(EVENTS + rules), sample)

    wanted = ['c{new="true"} 3', "online_shop 2", 'service_check_status{name="db.up"} 2']
    assert (sorted(tried.series), tried.good) == (wanted, True)


def test_a_trial_shows_series_whole_whatever_their_labels_hold() -> None:
    trial = run(parse("mappings: []"), "odd:1|c|#a:x\u2028# y".encode())

    assert trial.series == ['odd{a="x\u2028# y"} 1']
