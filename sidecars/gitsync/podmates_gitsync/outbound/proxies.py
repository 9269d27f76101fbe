"""Which proxy a request of ours goes through: by the variables that git and curl read, in Go's order.

Loopback never goes through one. Only proxies that speak plain HTTP are known; git knows more.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


class ProxyError(ValueError):
    """A variable names something that is no HTTP proxy; the text does not show it."""


class Proxy(NamedTuple):
    """Where to connect to, and the ``user:password`` that it wants, still encoded, empty for none."""

    host: str
    port: int
    user_information: str


def choose(scheme: str, host: str, port: int, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a URL's parts, or None for a direct connection.

    Raises:
        ProxyError
    """
    if is_loopback(host) or _exempt(host.lower().rstrip("."), port, _variable("NO_PROXY", environ)):
        return None
    if scheme == "http" and environ.get("REQUEST_METHOD"):
        return None  # a CGI program: HTTP_PROXY there is a header of the request
    name = f"{scheme}_proxy".upper()
    text = _variable(name, environ)
    return _parse(text, name) if text else None


def _variable(name: str, environ: Mapping[str, str]) -> str:
    return environ.get(name) or environ.get(name.lower()) or ""


def _parse(text: str, name: str) -> Proxy:
    refusal = ProxyError(f"{name} names no proxy of the form http://host:port")
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or _PORTS["http"]
    except ValueError:  # which may show the password
        raise refusal from None
    if parts.scheme != "http" or not parts.hostname:
        raise refusal
    return Proxy(parts.hostname, port, parts.netloc.rpartition("@")[0])


def is_loopback(host: str) -> bool:
    """Return whether *host* is this machine, by name or by address."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _exempt(host: str, port: int, text: str) -> bool:
    """Return whether NO_PROXY's *text* has an entry for *host* (lower case): a name is also its domain."""
    return any(_matches(entry.strip().lower(), host, port) for entry in text.split(","))


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return _in_network(entry, host)
    name, its_port = _split_port(entry)
    if not name or (its_port and its_port != port):
        return False
    address = _address(name)
    if address is not None:
        return address == _address(host)
    name = name.removeprefix("*")
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith(f".{name}")


def _split_port(entry: str) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*):([0-9]{1,5})", entry)
    name, port = (match[1], int(match[2])) if match else (entry, 0)
    return name.strip("[]"), port


def _in_network(entry: str, host: str) -> bool:
    address = _address(host)
    try:
        return address is not None and address in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
