"""How many series there may be, how long they live, and what becomes of those beyond."""

from __future__ import annotations

import random
from collections.abc import Callable

from podmates_metrics.records import Record
from podmates_metrics.rules.apply import Applied
from podmates_metrics.rules.index import FEW, Index
from podmates_metrics.rules.judging import captures
from podmates_metrics.rules.ledger import Ledger
from podmates_metrics.rules.paths import Json
from tests.unit.metrics.native_rules import PAGE, events, lines, native, page, ruleset

NUMBERS: Json = {"n": dict.fromkeys("abcde", 1)}
BY_NAME = "rules: [{match: {path: 'n.{x}'}, name: n, type: %s, labels: {x: '{x}'}%s}]\n"


def test_counters_beyond_the_limit_add_up_in_one_series() -> None:
    applied = page(BY_NAME % ("counter", "") + "limits: {series_per_family: 2}", NUMBERS)

    assert lines(applied.families) == ['n{x="a"} 1', 'n{x="b"} 1', 'n{x="__overflow__"} 3']
    assert applied.room.overflow == {"n": 3}


def test_gauges_beyond_the_limit_are_left_out_and_counted() -> None:
    applied = page(BY_NAME % ("gauge", ", limit: 2"), NUMBERS)

    assert lines(applied.families) == ['n{x="a"} 1', 'n{x="b"} 1']
    assert applied.room.overflow == {"n": 3}


def test_nothing_is_summed_up_where_the_file_says_drop() -> None:
    applied = page(BY_NAME % ("counter", "") + "limits: {series_total: 1, on_overflow: drop}", NUMBERS)

    assert lines(applied.families) == ['n{x="a"} 1']
    assert applied.room.overflow == {"n": 4}


def test_names_beyond_the_total_make_no_families() -> None:
    rules = "rules: [{match: {path: 'n.{x}'}, name: '{x}', type: counter}]\nlimits: {series_total: 2}"
    applied = page(rules, {"n": {f"m{number}": 1 for number in range(5000)}})

    assert lines(applied.families) == ["m0 1", "m1 1"]
    assert len(applied.room.overflow) <= 1001
    assert applied.room.overflow.total() == 4998


def test_values_of_labels_are_cut_to_their_limit() -> None:
    rules = "rules: [{each: $, name: x, value: '1', labels: {t: '{t}'}}]\nlimits: {label_value_length: 3}"

    assert lines(page(rules, {"t": "äbcdef"}).families) == ['x{t="äbc"} 1']


def test_events_beyond_the_limit_add_up_and_a_full_family_goes_on_counting() -> None:
    rules = "rules: [{name: n, type: counter, limit: 1, labels: {x: '{x}'}}]"
    kept = events(rules, *({"x": x} for x in "abcab"))

    assert lines(kept.families(0.0)) == ['n{x="a"} 2', 'n{x="__overflow__"} 3']
    assert kept.room.series == {"n": 1}


def test_a_series_of_events_ends_after_its_time_and_makes_room() -> None:
    rules = "rules: [{name: n, type: counter, ttl: 10s, limit: 1, labels: {x: '{x}'}}]\ndefaults: {ttl: 1h}"
    kept = events(rules, {"x": "a"})

    assert lines(kept.families(10.0)) == ['n{x="a"} 1']
    assert kept.families(10.1) == []
    kept.record(Record({"text": "", "x": "b"}), 11.0, 0.0)
    assert lines(kept.families(11.0)) == ['n{x="b"} 1']


def test_the_default_lifetime_holds_where_a_rule_says_nothing() -> None:
    kept = events("rules: [{name: n, type: counter}]\ndefaults: {ttl: 5s}", {})

    assert lines(kept.families(5.0)) == ["n 1"]
    assert kept.families(6.0) == []


def test_a_summary_forgets_what_is_older_than_its_window() -> None:
    kept = events("rules: [{name: n, type: summary, value: '{v}', quantiles: [1]}]", {"v": "9"})
    kept.record(Record({"text": "", "v": "5"}), 300.0, 0.0)

    assert lines(kept.families(301.0))[0] == 'n{quantile="1"} 9'
    assert lines(kept.families(601.0))[0] == 'n{quantile="1"} 5'
    assert lines(kept.families(99999.0)) == ['n{quantile="1"} NaN', "n_sum 14", "n_count 2"]


def test_a_name_belongs_to_one_kind_and_its_parts_to_nobody_else() -> None:
    rules = (
        "rules:\n- {match: {k: h}, name: n, type: histogram, value: '1'}\n"
        "- {match: {k: c}, name: n, type: counter}\n- {match: {k: s}, name: n_sum, type: counter}"
    )
    kept = events(rules, {"k": "h"}, {"k": "c"}, {"k": "s"})

    assert kept.errors == {("1", "conflict"): 1, ("2", "conflict"): 1}


def test_counters_of_events_take_no_negative_and_no_nonsense() -> None:
    bad = [{"v": value} for value in ("-1", "NaN", "inf")]
    kept = events("rules: [{name: n, type: counter, value: '{v}'}]", *bad)

    assert kept.families(0.0) == []
    assert kept.errors == {("0", "negative_counter"): 3}


def test_the_ledger_adds_up_pages_and_shows_the_series_of_the_last() -> None:
    ledger, rules = Ledger("app"), ruleset(PAGE + BY_NAME % ("gauge", ", limit: 2"))
    for _ in range(2):
        applied = Applied(rules)
        applied.document(NUMBERS)
        ledger.add(applied)

    assert ledger.totals() == {
        "podmates_records_total": {("app",): 10},
        "podmates_rule_matches_total": {("app", "0"): 10},
        "podmates_rule_errors_total": {},
        "podmates_series": {("app", "n"): 2},
        "podmates_series_overflow_total": {("app", "n"): 6},
    }


def test_the_index_leaves_out_only_rules_that_cannot_match() -> None:
    dice = random.Random(6)
    parts = ["a", "b", "ab", "*", "{x}", "a?", "**", "*b"]
    texts = [".".join(dice.choices(["a", "b", "ab", "ba", ""], k=dice.randint(1, 4))) for _ in range(200)]
    for _ in range(30):
        patterns = [".".join(dice.choices(parts, k=dice.randint(1, 4))) for _ in range(FEW + 10)]
        rules = [f"- {{match: {{path: '{p}'}}, name: n}}\n" for p in patterns if p.count("{x}") < 2]
        made = native("rules:\n" + "".join(rules) + "- {match: {value: '1'}, name: last}\n").rules
        for text in texts:
            look = _record(text)
            found = [r.index for r in Index(made).candidates(look) if captures(r, look) is not None]

            assert found == [r.index for r in made if captures(r, look) is not None], text


def test_a_trie_is_walked_once_a_node_however_long_the_name() -> None:
    rules = "".join(f"- {{match: {{path: '{'*.' * n}x'}}, name: n}}\n" for n in range(1, 20))

    assert Index(native("rules:\n" + rules).rules).candidates(_record("a." * 10000)) == []


def _record(path: str) -> Callable[[str], str | None]:
    fields = {"path": path, "value": "2"}
    return lambda name: fields.get(name)
