"""OpenMetrics: what a strict parser reads back, and that no series' name depends on it."""

from __future__ import annotations

import pytest
from hypothesis import given as property_of
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as plain

from podmates_metrics.exposition.negotiation import Format
from podmates_metrics.exposition.page import page
from podmates_metrics.sources.base import Exemplar, Family, Kind, Sample
from tests.unit.metrics.engines import engine

LINES = b"""\
hits_total:3|c
hits:1|g
plain:2|c|#path:/a
seconds.total:1|c
bye_total:1|c
load:-1.5|g
not_a_number:NaN|g
timer:5|ms|#a:b
timer:7|ms
quoted:1|g|#text:a"b\\c"""
HISTOGRAM = "mappings: [{match: size, name: size_bytes, observer_type: histogram, help: 'A \"size\"'}]"


def shown(*families: Family, lines: bytes = b"", mapping: str = "") -> str:
    subject = engine(mapping=mapping)
    subject.feed(lines, 0.0)
    subject.sweep(0.0)
    named = {family.name: family for family in families}
    stored = list(subject.store.families.values())
    return b"".join(page(Format.OPENMETRICS, stored, named, {})).decode()


def strict(text: str) -> list[Metric]:
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]


def types(text: str) -> dict[str, str]:
    return {family.name: family.type for family in strict(text)}


def test_a_strict_parser_reads_what_statsd_made() -> None:
    text = shown(lines=LINES + b"\nsize:1200|h", mapping=HISTOGRAM)

    assert text.endswith("# EOF\n")
    assert types(text) == {
        "bye": "counter",
        "hits": "gauge",
        "hits_total": "unknown",  # `hits` is taken
        "load": "gauge",
        "not_a_number": "gauge",
        "plain": "unknown",  # no _total
        "quoted": "gauge",
        "seconds": "counter",
        "size_bytes": "histogram",
        "timer": "summary",
    }
    assert '# HELP size_bytes A \\"size\\"\n' in text


def test_series_are_the_same_as_in_the_text_format() -> None:
    subject = engine(mapping=HISTOGRAM)
    subject.feed(LINES + b"\nsize:1200|h", 0.0)
    subject.sweep(0.0)
    stored = list(subject.store.families.values())

    def lines(format: Format) -> list[str]:
        text = b"".join(page(format, stored, {}, {})).decode()
        return [line for line in text.split("\n") if not line.startswith("#")]

    assert lines(Format.OPENMETRICS) == lines(Format.TEXT)


@pytest.mark.parametrize(
    ("name", "kind", "samples", "shown_as"),
    [
        ("hits_total", "counter", [Sample((), 1)], ("hits", "counter")),
        ("hits", "counter", [Sample((), 1)], ("hits", "unknown")),
        ("_total", "counter", [Sample((), 1)], ("_total", "unknown")),
        ("hits_total", "counter", [Sample((), -1)], ("hits_total", "unknown")),
        ("hits_total", "counter", [Sample((), float("nan"))], ("hits_total", "unknown")),
        ("build_info", "info", [Sample((("v", "1"),), 1)], ("build", "info")),
        ("build", "info", [Sample((("v", "1"),), 1)], ("build", "unknown")),
        ("build_info", "info", [Sample((("v", "1"),), 2)], ("build_info", "unknown")),
        ("mode", "stateset", [Sample((("mode", "on"),), 1)], ("mode", "stateset")),
        ("mode", "stateset", [Sample((("state", "on"),), 1)], ("mode", "unknown")),
        ("mode", "stateset", [Sample((("mode", "on"),), 3)], ("mode", "unknown")),
        ("any", "untyped", [Sample((), 1)], ("any", "unknown")),
    ],
)
def test_what_the_standard_has_no_place_for_is_unknown(
    name: str, kind: Kind, samples: list[Sample], shown_as: tuple[str, str]
) -> None:
    text = shown(Family(name, kind, "Help.", samples))

    assert list(types(text).items()) == [shown_as]
    assert [s.name for family in strict(text) for s in family.samples] == [name]


@pytest.mark.parametrize("end", ["\u2028", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\r"])
def test_what_python_takes_for_the_end_of_a_line_cuts_no_label(end: str) -> None:
    text = shown(lines=f"odd:-1|ms|#a:x{end}y\nodd:-1|ms|#a:z".encode())

    read = {sample.labels["a"] for family in strict(text) for sample in family.samples}
    assert read == {f"x{end}y", "z"}
    assert set(types(text).values()) == {"unknown"}


def test_names_that_the_standard_would_mix_up_stay_apart() -> None:
    counter = Family("app_total", "counter", "", [Sample((), 1)])
    info = Family("app_info", "info", "", [Sample((), 1)])
    created = Family("hits_created", "gauge", "", [Sample((), 1)])
    hits = Family("hits_total", "counter", "", [Sample((), 1)])

    assert types(shown(counter, info, created, hits)) == {
        "app_total": "unknown",
        "app_info": "unknown",
        "hits_created": "gauge",
        "hits_total": "unknown",
    }


def test_a_unit_is_told_when_the_name_ends_with_it() -> None:
    one = Sample((), 1)
    text = shown(
        Family("busy_seconds_total", "counter", "", [one], "seconds"),
        Family("size_bytes", "gauge", "", [one], "bytes"),
        Family("size", "gauge", "", [one], "bytes"),
        Family("unit_info", "info", "", [one], "unit"),
    )

    assert {family.name: family.unit for family in strict(text)} == {
        "busy_seconds": "seconds",
        "size_bytes": "bytes",
        "size": "",
        "unit": "",
    }


def test_what_is_no_counter_for_the_standard_has_no_exemplar() -> None:
    sample = Sample((), 1, exemplar=Exemplar((("trace", "a"),), 1))
    text = shown(Family("plain", "counter", "", [sample]), Family("hits_total", "counter", "", [sample]))

    assert types(text) == {"plain": "unknown", "hits": "counter"}
    assert [bool(family.samples[0].exemplar) for family in strict(text)] == [True, False]


def test_an_exemplar_is_told_unless_it_is_too_long() -> None:
    def counted(trace: str) -> Sample:
        return Sample((), 2, exemplar=Exemplar((("trace", trace),), 0.5, 1700000000.25))

    text = shown(Family("hits_total", "counter", "", [counted("a" * 123)]))

    exemplar = strict(text)[0].samples[0].exemplar
    assert exemplar is not None
    assert exemplar.labels == {"trace": "a" * 123}
    assert (exemplar.value, str(exemplar.timestamp)) == (0.5, "1700000000.250000000")
    assert "{trace" not in shown(Family("hits_total", "counter", "", [counted("a" * 124)]))


def test_a_time_is_in_seconds_here_and_in_milliseconds_there() -> None:
    family = Family("backup", "gauge", "", [Sample((), 7, timestamp=1657568506.5)])

    assert "backup 7 1657568506.500\n" in shown(family)
    text = b"".join(page(Format.TEXT, [], {"backup": family}, {})).decode()
    assert "backup 7 1657568506500\n" in text
    assert next(iter(plain(text))).samples[0].timestamp == 1657568506.5


@property_of(
    st.dictionaries(
        st.from_regex(r"[a-c]_?(total|info|created|sum)?", fullmatch=True),
        st.sampled_from(["counter", "gauge", "untyped", "info", "stateset"]),
        max_size=8,
    ),
    st.text(),
)
def test_any_names_and_labels_make_a_page_that_is_read_back(kinds: dict[str, Kind], text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    page = shown(*(Family(n, k, text, [Sample((("label", text),), 1)]) for n, k in kinds.items()))

    read = {sample.name: sample.labels["label"] for family in strict(page) for sample in family.samples}
    assert read == dict.fromkeys(kinds, text)
