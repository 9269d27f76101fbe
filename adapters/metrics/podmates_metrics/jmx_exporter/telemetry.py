"""`openTelemetry` of a jmx_exporter file: where the standalone exporter pushes its figures to. No I/O.

OpenTelemetry's own variables count for more than the file, and attributes that have a key of their own for
more than those of `resourceAttributes`, as they do for the exporter:
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from podmates_metrics.jmx_exporter.rules import MAX_SECONDS, boolean, seconds, string, unknown
from podmates_metrics.otlp.config import DEFAULT_PATH, MOST, Pairs, Push, address, check_header, headers
from podmates_metrics.tree import Keys, Scalar, Table

T = TypeVar("T")
_ENDPOINT = "http://localhost:4318"
_GRPC = re.compile(r"https?://[^/?]*:4317(?:[/?].*)?")
_PROTOCOLS = ("http/protobuf", "http/json")  # one is asked for, the other sent: receivers take both
_OTHER = "is not spoken here; want http/protobuf, and the receiver's port for HTTP, mostly 4318"
_PORT = (
    "4317 is the port for gRPC, which is not spoken here; want the one for HTTP, mostly 4318, "
    "or protocol: http/protobuf if it is this one"
)
_SERVICE = {
    "serviceName": "service.name",
    "serviceNamespace": "service.namespace",
    "serviceInstanceId": "service.instance.id",
    "serviceVersion": "service.version",
}
_KEYS = (
    *("endpoint", "protocol", "interval", "timeoutSeconds", "preserveNames", "headers", "resourceAttributes"),
    *_SERVICE,
)
_UNITS = {"": 1, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}  # milliseconds
_NONE: Pairs = ()
_NO_EFFECT = ("CLIENT_CERTIFICATE", "CLIENT_KEY")


def decode_telemetry(top: Keys, environ: Mapping[str, str]) -> tuple[Push | None, list[str]]:
    """Return what the key `openTelemetry` says, None without it, and notes on what has no effect.

    The key alone, with nothing in it, is enough: everything has a usual value.

    Raises:
        Fault: it is wrong, or wants what is not offered; no value of a header is in it.
    """
    if "openTelemetry" not in top.table.entries:
        return None, []
    entry = top.table_at("openTelemetry", "openTelemetry")
    if entry is None:
        place = top.place("openTelemetry")
        entry = Keys(Table({}, {}, place.line), place.path, "openTelemetry")
    said = _Said(entry, environ)
    protocol = said.value("protocol", _own("PROTOCOL"), _protocol, "")
    endpoint = said.value("endpoint", _own("ENDPOINT"), address, _ENDPOINT)
    if not protocol and _GRPC.fullmatch(endpoint):
        raise entry.place("endpoint").fault(_PORT)
    push = Push(
        _for_metrics(endpoint),
        said.value("interval", ("OTEL_METRIC_EXPORT_INTERVAL",), _milliseconds, 60.0, written=seconds(1)),
        said.value("timeoutSeconds", _own("TIMEOUT"), _milliseconds, 10.0, written=seconds(1)),
        said.value("", _own("COMPRESSION"), _compression, "gzip"),
        said.value("", _own("CERTIFICATE"), str, ""),
        said.value("", _own("HEADERS"), _header_pairs, _NONE) or headers(entry, "headers", _texts),
        resource=_resource(entry, said),
        suffixes=entry.scalar("preserveNames", boolean, False),
        identified=True,
    )
    unused = [name for kind in _NO_EFFECT for name in _own(kind) if environ.get(name)]
    notes = [f"environment variable {name}: without effect" for name in unused]
    return push, [*unknown(entry, _KEYS), *notes]


@dataclass(frozen=True, slots=True)
class _Said:
    entry: Keys
    environ: Mapping[str, str]

    def value(
        self,
        key: str,
        variables: tuple[str, ...],
        parse: Callable[[str], T],
        default: T,
        *,
        written: Callable[[Scalar], T] | None = None,
    ) -> T:
        """Return what the first of *variables* says that is set, or else *key*: a text, or as *written*.

        Without a *key* the file has no say.
        """
        for name in variables:
            if text := self.environ.get(name, "").strip():
                try:
                    return parse(text)
                except ValueError as error:
                    raise self.entry.place().fault(f"environment variable {name}: {error}") from None
        if not key:
            return default
        return self.entry.scalar(key, written or (lambda scalar: parse(_text(scalar))), default)


def _own(what: str) -> tuple[str, ...]:
    return f"OTEL_EXPORTER_OTLP_METRICS_{what}", f"OTEL_EXPORTER_OTLP_{what}"


def _text(scalar: Scalar) -> str:
    text = string(scalar)
    if not text.strip():
        raise ValueError("is blank")
    return text


def _protocol(text: str) -> str:
    if text not in _PROTOCOLS:
        raise ValueError(f"{text[:30]} {_OTHER}")
    return text


def _compression(text: str) -> str:
    if text not in ("gzip", "none"):
        raise ValueError("want gzip or none")
    return text


def _milliseconds(text: str) -> float:
    found = re.fullmatch("([0-9]{1,9})(ms|s|m|h|)", text)
    if not found:
        raise ValueError("want a whole number of milliseconds")
    told = int(found[1]) * _UNITS[found[2]] / 1000
    if not 1 <= told <= MAX_SECONDS:
        raise ValueError(f"want 1 to {MAX_SECONDS} seconds, told in milliseconds")
    return told


def _for_metrics(endpoint: str) -> str:
    """Return *endpoint* with the path of metrics at its end, which the exporter adds as well."""
    path, mark, query = endpoint.partition("?")
    if not path.endswith(DEFAULT_PATH.lstrip("/")):
        path = path.removesuffix("/") + DEFAULT_PATH
    return path + mark + query


def _pairs(text: str) -> Pairs:
    """Return the pairs of ``name=value,name=value``; what is no letter or digit may stand as in a URL."""
    made = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(name.strip() and mark for name, mark, _ in made) or len(made) > MOST:
        raise ValueError("want name=value,name=value")  # without the text: it may be a secret
    return tuple((_unquoted(name), _unquoted(value)) for name, _, value in made)


def _unquoted(text: str) -> str:
    data = text.strip().encode(errors="replace")
    plain = re.sub(rb"%([0-9a-fA-F]{2})", lambda found: bytes.fromhex(found[1].decode()), data)
    return plain.decode(errors="replace")


def _header_pairs(text: str) -> Pairs:
    found = _pairs(text)
    for name, value in found:
        check_header(name, value)
    return found


def _texts(entry: Keys, key: str) -> Pairs:
    inner = entry.table_at(key, key)
    names = inner.table.entries if inner else {}
    if len(names) > MOST:
        raise entry.place(key).fault(f"more than {MOST}")
    made = []
    for name in names:
        assert inner is not None  # noqa: S101
        found = inner.get(name)
        if not isinstance(found, Scalar) or found.tag != "str":
            raise inner.place(name).fault("want a text, in quotes if it looks like anything else")
        made.append((name, found.text))
    return tuple(made)


def _resource(entry: Keys, said: _Said) -> Pairs:
    made = dict(_texts(entry, "resourceAttributes"))
    made |= {name: text for key, name in _SERVICE.items() if (text := entry.scalar(key, _text, ""))}
    made |= dict(said.value("", ("OTEL_RESOURCE_ATTRIBUTES",), _pairs, _NONE))
    if name := said.value("serviceName", ("OTEL_SERVICE_NAME",), str, ""):
        made["service.name"] = name
    return tuple(made.items())
