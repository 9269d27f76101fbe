"""Where a JVM is to be found, from what the operator wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from podmates_metrics.jmx.querytext import Query

_NAMED = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
_URL = re.compile(r"service:jmx:rmi://[^/]*/jndi/rmi://([^/]*)/([^?#;]+)")
DEFAULT_PORT = 1099  # of an RMI registry


class Place(NamedTuple):
    """An address to connect to."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Target:
    """A JVM: its registry, and the name under which the registry knows the JMX server."""

    name: str  # given by the operator, or empty
    registry: Place
    bound: str = "jmxrmi"
    queries: tuple[Query, ...] = ()  # values to read besides all beans

    @property
    def label(self) -> str:
        """What tells this JVM from others, in labels and messages."""
        return self.name or str(self.registry)


def parse_target(text: str) -> Target:
    """Return the target that ``[NAME=]HOST:PORT`` or ``[NAME=]service:jmx:rmi:…`` means.

    Raises:
        ValueError: it means none; the message is for the operator.
    """
    name, place = "", text.strip()
    if named := _NAMED.fullmatch(place):
        name, place = named[1], named[2]
    if not place.startswith("service:"):
        return Target(name, _place(place, None))
    if not (url := _URL.fullmatch(place)):
        raise ValueError("only URLs like service:jmx:rmi:///jndi/rmi://HOST:PORT/jmxrmi are understood")
    return Target(name, _place(url[1], DEFAULT_PORT), url[2])


def _place(text: str, default_port: int | None) -> Place:
    host, colon, digits = text.rpartition(":")
    if not colon or digits.endswith("]"):
        if default_port is None:
            raise ValueError("expected HOST:PORT or a URL that begins with service:jmx:rmi:")
        host, digits = text, str(default_port)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address needs brackets: [::1]:9999")
    if not digits.isascii() or not digits.isdigit() or not 0 < int(digits.lstrip("0")[:6] or "0") < 65536:
        raise ValueError(f"{digits!r} is no port: a number from 1 to 65535")
    if re.search(r"[\s/@]", host):
        raise ValueError(f"{host!r} is no host")
    return Target("", Place(host or "localhost", int(digits))).registry
