"""Documents, records and files that mean harm cost a count each, and linear time."""

from __future__ import annotations

import json
import random
import time

from podmates_metrics.documents import parse
from podmates_metrics.native.file import decode
from podmates_metrics.native.rules import NativeRule
from podmates_metrics.records import Record
from podmates_metrics.rules.apply import Applied
from podmates_metrics.rules.keeping import Kept
from podmates_metrics.rules.paths import Json
from podmates_metrics.tree import Fault
from tests.support.fuzzing import often
from tests.unit.metrics.native_rules import PAGE, events, lasting, lines, page, ruleset
from tests.unit.metrics.test_formats import passed

TAKE_ALL = "rules: [{match: {path: '{x}.**'}, name: n, labels: {x: '{x}'}}]\n"


def test_numbers_of_any_size_are_doubles() -> None:
    document: Json = {"a": 10**400, "b": -(10**400), "c": 1 << 70}

    assert lines(page("", document).families) == ["app_a +Inf", "app_b -Inf", "app_c 1.1805916207174113e+21"]
    assert lines(page("rules: [{each: c, name: c}]", document).families) == ["c 1.1805916207174113e+21"]
    assert lines(page("rules: [{each: a, name: a}]", document).families) == ["a +Inf"]


def test_a_deep_document_is_looked_into_so_far_and_no_farther() -> None:
    document: Json = {"n": 1}
    for _ in range(900):
        document = {"d": document, "m": 2}
    applied = page("", document)

    assert applied.errors == {("", "long_path"): 2}
    assert sum(family.name.endswith("_m") for family in applied.families.values()) > 100


def test_carriage_returns_without_end_cost_linear_time() -> None:
    started = time.process_time()
    shown, _ = passed("a 1\r\r\n" + "\r" * 60_000 + "\n" + "\r" * 60_000 + 'b{c="\r"} 2\r\n')

    assert time.process_time() - started < 5
    assert [line for line in shown if line.startswith("a ")] == ["a 1"]


def test_a_long_key_above_many_numbers_does_not_multiply() -> None:
    document: Json = {"k" * 1_000_000: {str(n): n for n in range(100_000)}, "n": 1}
    applied = page("", document)

    assert lines(applied.families) == ["app_n 1"]
    assert applied.errors == {("", "long_path"): 1}


def test_a_long_text_above_many_records_does_not_multiply() -> None:
    document: Json = {"big": "x" * 8_000_000, "items": [{"v": n} for n in range(5000)]}
    applied = page(
        "rules: [{each: 'items[*]', name: n, value: '{v}', labels: {b: '{^.big}', i: '{@index}'}}]", document
    )

    assert applied.room.series == {"n": 2000}
    assert {len(dict(s.labels)["b"]) for s in applied.families["n"].samples} == {256}


def test_half_a_surrogate_pair_spoils_no_page() -> None:
    document = json.loads('{"items": [{"t": "\\ud800x"}]}')
    applied = page("rules: [{each: 'items[*]', name: n, value: '1', labels: {t: '{t}'}}]", document)

    assert lines(applied.families) == ['n{t="?x"} 1']
    "".join(lines(applied.families)).encode()


def test_a_name_too_long_is_counted() -> None:
    kept = events("rules: [{name: '{n}', type: counter}]", {"n": "a" * 1001}, {"n": "a" * 1000})

    assert kept.errors == {("0", "long_name"): 1}
    assert len(kept.families(0.0)) == 1


def test_records_of_any_text_raise_nothing() -> None:
    dice = random.Random(8)
    rules = lasting(
        "rules:\n- {match: {a: '{x}=*'}, name: 'n_{x}', value: '{b}', labels: {l: '{c}'}, action: continue}\n"
        "- {match: {text: '~.*(?P<y>[0-9]+).*'}, name: m, type: histogram, value: '{y}', action: continue}\n"
        "- {name: t, type: counter, labels: {a: '{a}'}}\n"
    )
    letters = 'ab01=.-+eE \n\t"\\{}äß\u2028\ud800\U0001f600'
    applied = Applied(ruleset(PAGE + TAKE_ALL))
    kept = Kept(rules)
    for number in range(often(2000)):
        texts = ["".join(dice.choices(letters, k=dice.randint(0, 12))) for _ in range(4)]
        record = Record(dict(zip(("text", "a", "b", "c"), texts, strict=True)))
        kept.record(record, float(number), 0.0)
        applied.record(record)
    assert kept.records == applied.records == often(2000)
    "\n".join(lines(kept.families(3000.0))).encode()


def test_files_of_any_shape_are_refused_or_read() -> None:
    dice = random.Random(9)
    keys = [*NativeRule.__dataclass_fields__, "from", "type", "sources", "rules", "limits", "a", "1", "''"]
    leaves = ["x", "'{x}'", "'{'", "'~('", "1", "-1", "1.5", "null", "true", "'**'", "app", "counter", "ms"]

    def any_of(depth: int) -> str:
        kind = dice.random()
        if depth > 3 or kind < 0.4:
            return dice.choice(leaves)
        if kind < 0.6:
            return "[" + ", ".join(any_of(depth + 1) for _ in range(dice.randint(0, 3))) + "]"
        chosen = dice.sample(keys, dice.randint(0, 4))
        return "{" + ", ".join(f"{key}: {any_of(depth + 1)}" for key in chosen) + "}"

    for _ in range(often(3000)):
        text = PAGE + f"rules: [{{name: x, {dice.choice(keys)}: {any_of(0)}}}]\nlimits: {any_of(2)}\n"
        assert _problem(text).startswith(("line ", "read")), text


def _problem(text: str) -> str:
    try:
        tree = parse(text)
        assert tree is not None
        decode(tree)
    except Fault as fault:
        return str(fault)
    return "read"
