"""`openTelemetry` of a jmx_exporter file: where the standalone exporter pushes its figures to."""

from __future__ import annotations

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.jmx_exporter.configuration import Configuration, decode
from podmates_metrics.otlp.config import Push
from podmates_metrics.tree import Fault

HERE = "http://localhost:4318/v1/metrics"
NAME, VALUE = "OTEL_EXPORTER_OTLP_HEADERS", "hidden42"


def read(text: str, **environ: str) -> Configuration:
    return decode(parse(f"hostPort: a:1\nopenTelemetry: {text}"), environ, standalone=True)


def push(text: str, **environ: str) -> Push:
    made = read(text, **environ).push
    assert made is not None
    return made


@pytest.mark.parametrize("text", ["{}", "", "  # all by variables"])
def test_the_key_alone_is_enough(text: str) -> None:
    assert push(text) == Push(HERE, 60, 10, suffixes=False, identified=True)


def test_without_the_key_nothing_is_pushed() -> None:
    assert decode(parse("hostPort: a:1"), {"OTEL_EXPORTER_OTLP_ENDPOINT": HERE}, standalone=True).push is None


def test_everything_can_be_told() -> None:
    told = push(
        "{endpoint: 'https://prometheus/api/v1/otlp', protocol: http/protobuf, interval: 30, "
        "timeoutSeconds: 7, preserveNames: yes, headers: {X-Tenant: a, Authorization: Bearer b}, "
        "resourceAttributes: {team: sea, service.name: lost}, serviceInstanceId: '1', "
        "serviceNamespace: shop, serviceName: till, serviceVersion: '2.0'}"
    )

    assert told == Push(
        "https://prometheus/api/v1/otlp/v1/metrics",
        30,
        7,
        headers=(("X-Tenant", "a"), ("Authorization", "Bearer b")),
        resource=(
            ("team", "sea"),
            ("service.name", "till"),
            ("service.namespace", "shop"),
            ("service.instance.id", "1"),
            ("service.version", "2.0"),
        ),
        suffixes=True,
        identified=True,
    )


@pytest.mark.parametrize(
    ("endpoint", "path"),
    {
        "http://a:4318": "http://a:4318/v1/metrics",
        "http://a:4318/": "http://a:4318/v1/metrics",
        "http://a:4318/v1/metrics": "http://a:4318/v1/metrics",
        "http://a/otlp/": "http://a/otlp/v1/metrics",
        "http://a/otlp?tenant=b": "http://a/otlp/v1/metrics?tenant=b",
        "http://a:43170": "http://a:43170/v1/metrics",
        "http://a/x:4317": "http://a/x:4317/v1/metrics",
    }.items(),
)
def test_the_path_of_metrics_is_added_as_the_exporter_does(endpoint: str, path: str) -> None:
    assert push(f"{{endpoint: '{endpoint}'}}").endpoint == path


def test_who_says_the_protocol_may_have_it_on_the_port_for_grpc() -> None:
    assert push("{endpoint: 'http://a:4317', protocol: http/json}").endpoint == "http://a:4317/v1/metrics"


def test_variables_count_for_more_than_the_file_and_those_of_metrics_for_most() -> None:
    told = push(
        "{endpoint: 'http://file', protocol: grpc, interval: 5, timeoutSeconds: 5, headers: {X-File: a}, "
        "resourceAttributes: {team: file, shard: file}, serviceVersion: file}",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://all",
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT="http://metrics",
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        OTEL_METRIC_EXPORT_INTERVAL="1500",
        OTEL_EXPORTER_OTLP_TIMEOUT="3s",
        OTEL_EXPORTER_OTLP_HEADERS="Authorization=Basic%20YQ==, X-Tenant = b",
        OTEL_EXPORTER_OTLP_CERTIFICATE="/ca.pem",
        OTEL_EXPORTER_OTLP_COMPRESSION="none",
        OTEL_RESOURCE_ATTRIBUTES="team=sea,service.version=3",
        OTEL_SERVICE_NAME="till",
    )

    assert (told.endpoint, told.interval, told.timeout) == ("http://metrics/v1/metrics", 1.5, 3)
    assert told.headers == (("Authorization", "Basic YQ=="), ("X-Tenant", "b"))
    assert (told.ca_file, told.compression) == ("/ca.pem", "none")
    assert dict(told.resource) == {
        "team": "sea",
        "shard": "file",
        "service.version": "3",
        "service.name": "till",
    }


def test_the_name_of_the_service_has_a_variable_and_a_key_before_attributes() -> None:
    attributes = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=least"}

    assert dict(push("{serviceName: till}", **attributes).resource) == {"service.name": "till"}
    assert dict(push("{}", **attributes).resource) == {"service.name": "least"}


def test_what_has_no_effect_is_said_without_its_value() -> None:
    assert read("{nothing: 1}", OTEL_EXPORTER_OTLP_CLIENT_KEY=VALUE).notes == (
        "line 2: openTelemetry.nothing: unknown",
        "environment variable OTEL_EXPORTER_OTLP_CLIENT_KEY: without effect",
    )


def test_what_a_header_says_is_not_shown() -> None:
    assert VALUE not in repr(read(f"{{headers: {{Authorization: {VALUE}}}}}"))
    assert VALUE not in repr(read("{}", **{NAME: f"Authorization={VALUE}"}))


NOT_SPOKEN = "grpc is not spoken here; want http/protobuf, and the receiver's port for HTTP, mostly 4318"
FAULTS = {
    "5": "openTelemetry: want a table",
    "{endpoint: 5}": "openTelemetry.endpoint: want a text",
    "{endpoint: ' '}": "openTelemetry.endpoint: is blank",
    "{endpoint: collector}": "openTelemetry.endpoint: want http:// or https://",
    "{endpoint: 'http://me:hidden42@a'}": "openTelemetry.endpoint: want http:// or https://",
    "{endpoint: ['http://a']}": "openTelemetry.endpoint: want a single value",
    "{endpoint: 'http://a:4317'}": "openTelemetry.endpoint: 4317 is the port for gRPC",
    "{endpoint: 'http://a:4317/?b'}": "openTelemetry.endpoint: 4317 is the port for gRPC",
    "{protocol: grpc}": f"openTelemetry.protocol: {NOT_SPOKEN}",
    "{protocol: 5}": "openTelemetry.protocol: want a text",
    "{interval: 0}": "openTelemetry.interval: want 1 to 86400 seconds",
    "{interval: 86401}": "openTelemetry.interval: want 1 to 86400 seconds",
    "{interval: -1}": "openTelemetry.interval: want a whole number",
    "{interval: '60'}": "openTelemetry.interval: want a whole number",
    "{interval: 1.5}": "openTelemetry.interval: want a whole number",
    "{timeoutSeconds: 0}": "openTelemetry.timeoutSeconds: want 1 to 86400 seconds",
    "{timeoutSeconds: 10s}": "openTelemetry.timeoutSeconds: want a whole number",
    "{preserveNames: 'true'}": "openTelemetry.preserveNames: want true or false",
    "{headers: hidden42}": "openTelemetry.headers: want a table",
    "{headers: {Authorization: [hidden42]}}": "openTelemetry.headers.Authorization: want a text",
    "{headers: {X-Key: 4200042}}": "openTelemetry.headers.X-Key: want a text, in quotes",
    "{headers: {X-Key: }}": "openTelemetry.headers.X-Key: want a text, in quotes",
    "{headers: {X-Key: 'hidden42\u00e9'}}": "openTelemetry.headers.X-Key: want printable ASCII",
    "{headers: {Content-Type: a}}": "openTelemetry.headers.Content-Type: no header that may be set",
    "{headers: {'a b': a}}": "openTelemetry.headers: a name that is no header's",
    "{headers: {'Authorization: Bearer hidden42': a}}": "openTelemetry.headers: a name that is no header's",
    "{headers: {'Authorization: Bearer hidden42': 5}}": "openTelemetry.headers: a name that is no header's",
    "{resourceAttributes: {a: 5}}": "openTelemetry.resourceAttributes.a: want a text",
    "{resourceAttributes: [a]}": "openTelemetry.resourceAttributes: want a table",
    "{serviceInstanceId: ' '}": "openTelemetry.serviceInstanceId: is blank",
    "{serviceNamespace: 5}": "openTelemetry.serviceNamespace: want a text",
    "{serviceName: ''}": "openTelemetry.serviceName: is blank",
    "{serviceVersion: 2.0}": "openTelemetry.serviceVersion: want a text; put 2.0 in quotes",
    f"{{headers: {{{', '.join(f'a{i}: b' for i in range(51))}}}}}": "openTelemetry.headers: more than 50",
}


@pytest.mark.parametrize(("text", "fault"), FAULTS.items())
def test_a_fault_names_line_key_and_reason_and_no_secret(text: str, fault: str) -> None:
    with pytest.raises(Fault, match="line 2: ") as raised:
        read(text)

    assert fault in str(raised.value)
    assert "hidden42" not in str(raised.value) and "4200042" not in str(raised.value)


VARIABLES = {
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"): NOT_SPOKEN,
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "hidden42"): "want http:// or https://",
    ("OTEL_METRIC_EXPORT_INTERVAL", "999"): "want 1 to 86400 seconds, told in milliseconds",
    ("OTEL_METRIC_EXPORT_INTERVAL", "soon"): "want a whole number of milliseconds",
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"): "want gzip or none",
    (NAME, VALUE): "want name=value,name=value",
    (NAME, f"={VALUE}"): "want name=value,name=value",
    (NAME, f"host={VALUE}"): "no header that may be set",
    (NAME, f"Authorization: Basic {VALUE}="): "no header that may be set",
    (NAME, f"api-key=abc,def {VALUE}="): "no header that may be set",
    (NAME, f"a={VALUE}%0a"): "want printable ASCII",
    ("OTEL_RESOURCE_ATTRIBUTES", "hidden42"): "want name=value,name=value",
}


@pytest.mark.parametrize(("variable", "fault"), VARIABLES.items())
def test_a_fault_names_the_variable_and_no_secret(variable: tuple[str, str], fault: str) -> None:
    name, value = variable
    with pytest.raises(Fault, match="line 2: openTelemetry: environment variable ") as raised:
        read("{}", **{name: value})

    assert f"{name}: {fault}" in str(raised.value) and "hidden42" not in str(raised.value)
