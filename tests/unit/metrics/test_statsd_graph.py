"""The mapping's globs as a graph."""

from __future__ import annotations

from podmates_metrics.documents import parse
from podmates_metrics.statsd.graph import graph
from podmates_metrics.statsd.mapping import decode


def test_each_kind_has_its_tree_with_a_box_for_each_rule() -> None:
    text = """
mappings:
- {match: a.*, name: one, match_metric_type: counter}
- {match: a.b, name: "two_$1"}
- {match: a.b, name: never}
- {match: 'x"', match_type: regex, name: left_out}
"""
    drawn = graph(decode(parse(text)))

    assert drawn.startswith("digraph globs {\n") and drawn.endswith("}\n")
    assert [drawn.count(f'"{kind}"') for kind in ("counter", "gauge", "observer")] == [1, 1, 1]
    assert drawn.count('label="0: one"') == 1
    assert drawn.count('label="1: two_$1"') == 3
    assert drawn.count('-> n3 [label="*"]') == 1
    assert "never" not in drawn and "left_out" not in drawn


def test_no_rules_are_an_empty_graph() -> None:
    assert graph(decode(parse(""))) == "digraph globs {\n  rankdir=LR;\n}\n"
