"""The section ``otlp`` of a native file."""

from __future__ import annotations

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.native.file import decode
from podmates_metrics.otlp.config import Push
from podmates_metrics.tree import Fault

URL = "http://collector:4318"


def push(section: str) -> Push:
    tree = parse(f"otlp: {{{section}}}")
    assert tree is not None
    made = decode(tree).push
    assert made is not None
    return made


def test_an_endpoint_is_enough() -> None:
    assert push(f"endpoint: '{URL}'") == Push(f"{URL}/v1/metrics", 60.0, 10.0, "gzip")


def test_everything_can_be_told() -> None:
    told = push(
        "endpoint: 'https://prometheus/api/v1/otlp/v1/metrics', interval: 5s, timeout: 3s, "
        "compression: none, ca_file: /ca.pem, headers: {X-Tenant: a}, header_files: {Authorization: /token}, "
        "resource: {service.name: shop, shard: 7}"
    )

    assert told == Push(
        "https://prometheus/api/v1/otlp/v1/metrics",
        5.0,
        3.0,
        "none",
        "/ca.pem",
        (("X-Tenant", "a"),),
        (("Authorization", "/token"),),
        (("service.name", "shop"), ("shard", "7")),
    )


def test_a_push_takes_no_longer_than_its_interval_unless_told() -> None:
    assert push(f"endpoint: '{URL}', interval: 2s").timeout == 2.0


def test_what_a_header_says_is_not_shown() -> None:
    assert "secret" not in repr(push(f"endpoint: '{URL}', headers: {{Authorization: secret}}"))


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("interval: 5s", "otlp.endpoint: want http:// or https://"),
        ("endpoint: 'collector:4318'", "otlp.endpoint: want http:// or https://"),
        ("endpoint: 'http://:4318'", "otlp.endpoint: want http:// or https://"),
        ("endpoint: 'http://collector:99999'", "otlp.endpoint: want http:// or https://"),
        ("endpoint: 'http://[::1'", "otlp.endpoint: want http:// or https://"),
        ("endpoint: 'http://otel..svc:4318'", "otlp.endpoint: want a host whose parts have 1 to 63"),
        (f"endpoint: 'http://{'h' * 64}.svc'", "otlp.endpoint: want a host whose parts have 1 to 63"),
        (
            "endpoint: 'http://user:secret@collector'",
            "otlp.endpoint: want http:// or https://, a host, and no",
        ),
        (f"endpoint: '{URL}', interval: 5", "otlp.interval: "),
        (f"endpoint: '{URL}', interval: 10ms", "otlp.interval: want a time between 1s and 1h"),
        (f"endpoint: '{URL}', timeout: 2h", "otlp.timeout: want a time between 1s and 1h"),
        (f"endpoint: '{URL}', compression: zstd", "otlp.compression: compression zstd: want gzip or none"),
        (f"endpoint: '{URL}', protocol: grpc", "otlp.protocol: field protocol not found"),
        (
            f"endpoint: '{URL}', headers: {{Host: a}}",
            "otlp.headers.Host: no header that may be set",
        ),
        (f"endpoint: '{URL}', headers: {{'a b': c}}", "otlp.headers: a name that is no header's"),
        (f"endpoint: '{URL}', headers: {{'Key: secret': [c]}}", "otlp.headers: a name that is no header's"),
        (f"endpoint: '{URL}', header_files: {{'Key: secret': c}}", "otlp.header_files: a name that is no"),
        (f"endpoint: '{URL}', headers: {{a: \"b\\nc\"}}", "otlp.headers.a: want printable ASCII characters"),
        (
            f"endpoint: '{URL}', headers: {{A: b}}, header_files: {{a: /c}}",
            "otlp.header_files: header a stands in headers too",
        ),
        (f"endpoint: '{URL}', resource: {{{', '.join(f'a{n}: b' for n in range(51))}}}", "more than 50"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(section: str, fault: str) -> None:
    with pytest.raises(Fault) as caught:
        push(section)

    assert "line 1: " in str(caught.value)
    assert fault in str(caught.value)
    assert "secret" not in str(caught.value)
