"""Two readings of a configuration are compared by the names that people know its parts by."""

from __future__ import annotations

import pytest

from podmates_metrics.changes import SHOWN, Changes, compare, listed, merge, shown
from podmates_metrics.documents import parse

PAIRS = {
    "a series comes": (
        "mappings: [{match: a, name: a}]",
        "mappings: [{match: a, name: a}, {match: b, name: b}]",
        Changes(["series b"], [], []),
    ),
    "a series goes": ("rules: [{name: a}, {name: b}]", "rules: [{name: b}]", Changes([], ["series a"], [])),
    "its rule says something else": (
        "rules: [{name: a, labels: {x: '1'}}]",
        "rules: [{name: a, labels: {x: '2'}}]",
        Changes([], [], ["series a"]),
    ),
    "its rules are in another order": (
        "rules: [{name: a, match: {x: '1'}}, {name: a}]",
        "rules: [{name: a}, {name: a, match: {x: '1'}}]",
        Changes([], [], ["series a"]),
    ),
    "only layout": ("rules: [{name: a, help: b}]", "rules:\n\n- help: b\n  name: a\n", Changes([], [], [])),
    "a text becomes a number": ("rules: [{name: a, scale: '2'}]", "rules: [{name: a, scale: 2}]",
                                Changes([], [], ["series a"])),
    "sources": (
        "sources: {one: {http: {url: 'http://a/'}}, two: {statsd: {}}}",
        "sources: {one: {http: {url: 'http://b/'}}, three: {statsd: {}}}",
        Changes(["source three"], ["source two"], ["source one"]),
    ),
    "modules": (
        "modules: {m: {headers: {a: b}, metrics: [{name: x, path: '{.a}'}]}}",
        "modules: {m: {headers: {a: c}, metrics: [{name: y, path: '{.a}'}]}}",
        Changes(["series y"], ["series x"], ["module m"]),
    ),
    "rules without names": (
        "rules: [{pattern: a}, {action: drop}]",
        "rules: [{pattern: b}, {action: drop, match: {x: y}}]",
        Changes(["pattern b"], ["pattern a"], ["action drop"]),
    ),
    "other keys": ("mappings: []\ndefaults: {ttl: 1s}", "mappings: []\ndefaults: {ttl: 2s}",
                   Changes([], [], ["defaults"])),
    "an empty file": ("", "mappings: [{name: a}]", Changes(["series a"], [], [])),
    "nothing that it should be": ("rules: 1", "rules: [5, [6]]\nsources: x",
                                  Changes(["a rule without a name", "sources"], ["rules"], [])),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "wanted"), PAIRS.values(), ids=PAIRS)
def test_what_is_different_is_named(old: str, new: str, wanted: Changes) -> None:
    assert compare(listed(parse(old)), listed(parse(new))) == wanted


def test_a_name_in_two_files_has_changed_when_one_of_them_has() -> None:
    old, new = listed(parse("rules: [{name: a}]")), listed(parse("rules: [{name: a}]"))
    merge(old, listed(parse("rules: [{name: a, help: x}]")))
    merge(new, listed(parse("rules: [{name: a, help: y}]")))

    assert compare(old, new).changed == ["series a"]


def test_a_line_of_the_log_stays_short() -> None:
    names = [f"series {number}" for number in range(SHOWN + 2)]

    assert shown(names).endswith(f"series {SHOWN - 1} and 2 more")
    assert Changes([], names[:1], []).fields() == {"removed": "series 0"}
