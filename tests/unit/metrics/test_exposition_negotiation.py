"""Which format answers which ``Accept``."""

from __future__ import annotations

import pytest

from podmates_metrics.exposition.negotiation import Format, accepts_gzip, choose

PROTO = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
# As Prometheus sends them: 2.42, the same with native histograms, 3.x, 3.x with native histograms.
TWO = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
TWO_NATIVE = (
    f"{PROTO},application/openmetrics-text;version=1.0.0;q=0.8,"
    "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
THREE = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,/;q=0.1"
)
THREE_NATIVE = f"{PROTO};q=0.6,{THREE}"


@pytest.mark.parametrize(
    ("accept", "offered", "without"),
    [
        ("", Format.TEXT, Format.TEXT),
        ("*/*", Format.TEXT, Format.TEXT),
        ("text/html,*/*;q=0.8", Format.TEXT, Format.TEXT),
        (TWO, Format.OPENMETRICS, Format.TEXT),
        (TWO_NATIVE, Format.PROTOBUF, Format.PROTOBUF),
        (THREE, Format.OPENMETRICS, Format.TEXT),
        (THREE_NATIVE, Format.PROTOBUF, Format.PROTOBUF),
        ("text/plain;q=0.5, application/openmetrics-text;q=0.9", Format.OPENMETRICS, Format.TEXT),
        ("application/openmetrics-text;q=0.5, text/plain;q=0.9", Format.TEXT, Format.TEXT),
        ("application/openmetrics-text;q=0", Format.TEXT, Format.TEXT),
        ("application/openmetrics-text;version=2.0.0", Format.TEXT, Format.TEXT),
        (PROTO.replace("delimited", "text"), Format.TEXT, Format.TEXT),
        (PROTO.replace("MetricFamily", "Other"), Format.TEXT, Format.TEXT),
        ("application/openmetrics-text;q=nan,text/plain;q=x;;,;=,", Format.TEXT, Format.TEXT),
        ("a/b," * 60 + "application/openmetrics-text", Format.TEXT, Format.TEXT),
    ],
)
def test_the_best_alternative_that_is_offered_is_taken(accept: str, offered: Format, without: Format) -> None:
    assert choose(accept, openmetrics=True).format is offered
    assert choose(accept, openmetrics=False).format is without


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"),
        (
            "text/plain;version=1.0.0;escaping=allow-utf-8",
            "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8",
        ),
        (
            "text/plain;version=0.0.4;escaping=dots",
            "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
        ),
        (
            "text/plain;escaping=a\rb",
            "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
        ),
        (TWO, "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"),
        (THREE, "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"),
        (
            "application/openmetrics-text",
            "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores",
        ),
        (
            PROTO,
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; "
            "escaping=underscores",
        ),
    ],
)
def test_the_content_type_is_exact(accept: str, content_type: str) -> None:
    assert choose(accept, openmetrics=True).content_type == content_type


@pytest.mark.parametrize(
    ("header", "answer"),
    [("gzip", True), ("deflate, GZIP;q=0.5", True), ("gzip;q=0, deflate", False), ("", False), ("br", False)],
)
def test_a_body_is_compressed_when_that_is_wanted(header: str, answer: bool) -> None:
    assert accepts_gzip(header) is answer
