"""The text format 0.0.4 of the sources' families."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from podmates_metrics.exposition.text import PIECE, given, merged
from podmates_metrics.sources.base import Exemplar, Family, Sample


def test_an_info_and_a_stateset_are_gauges_to_a_format_that_does_not_know_them() -> None:
    info = Family("app_build_info", "info", "Build.", [Sample((("version", "1.2"),), 1)])
    states = [Sample((("mode", "on"),), 1), Sample((("mode", "off"),), 0)]
    text = given(info) + given(Family("mode", "stateset", "State.", states))

    assert [family.type for family in text_string_to_metric_families(text)] == ["gauge", "gauge"]
    assert 'app_build_info{version="1.2"} 1\n' in text
    assert 'mode{mode="on"} 1\nmode{mode="off"} 0\n' in text


def test_an_exemplar_is_left_out_of_a_format_that_has_no_place_for_it() -> None:
    exemplar = Exemplar((("trace", "a"),), 3.0, 1.5)
    family = Family("hits_total", "counter", "Hits.", [Sample((), 1, exemplar=exemplar)], unit="hits")

    assert given(family) == "# HELP hits_total Hits.\n# TYPE hits_total counter\nhits_total 1\n"


def test_a_large_family_of_a_source_is_written_in_pieces() -> None:
    samples = [Sample((("n", str(n)),), 1.0) for n in range(5 * PIECE)]
    family = Family("many", "gauge", "Many.", samples)
    pieces = list(merged([], {"many": family}))

    assert max(piece.count("\n") for piece in pieces) <= PIECE + 2, "its head among them"
    assert "".join(pieces) == given(family)
