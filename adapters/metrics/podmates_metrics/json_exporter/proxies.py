"""The proxy for one request: who is asked directly, as Go decides it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from multidict import CIMultiDict
from yarl import URL

from podmates_metrics.json_exporter.core.proxy import Proxy
from podmates_metrics.json_exporter.requests import Unsendable, reveal


def through(proxy: Proxy | None, url: URL) -> dict[str, Any]:
    """Return what to tell aiohttp for a request to *url*; nothing when it goes there directly.

    Raises:
        Unsendable: the environment names a proxy that is not offered.
    """
    if proxy is None:
        return {}
    found = _from_environment(url) if proxy.environment else proxy.url
    # Without a list the proxy is used for everything; with one never for the own host.
    if not found or ((proxy.without or proxy.environment) and _own(url.host or "")):
        return {}
    if bypassed(url.host or "", url.port or 0, proxy.without):
        return {}
    headers = [(name, reveal(value)) for name, values in proxy.headers for value in values]
    return {"proxy": URL(found), "proxy_headers": CIMultiDict(headers)}


def _from_environment(url: URL) -> str:
    from urllib.request import getproxies_environment, proxy_bypass  # late: few modules want it

    named = getproxies_environment()
    if proxy_bypass(f"{url.host}:{url.port}"):
        return ""
    found = named.get(url.scheme, "")
    if found and not found.startswith(("http://", "https://")):
        if "://" in found:
            raise Unsendable("the environment names a proxy that does not speak HTTP")
        found = f"http://{found}"
    return found


def bypassed(host: str, port: int, entries: Sequence[str]) -> bool:
    """Tell whether *entries* of `no_proxy` name the host: it, a domain over it, a network, all (``*``).

    A domain that begins with a dot, or ``*.``, means what is below it only; ``:port`` narrows an entry.
    """
    host = host.lower().rstrip(".")
    address = _address(host)
    return any(_names(entry, host, address, port) for entry in entries)


def _names(entry: str, host: str, address: Any, port: int) -> bool:
    if entry == "*":
        return True
    if address is not None:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            pass
    name, colon, digits = entry.rpartition(":")
    if colon and digits.isdecimal():
        if int(digits) != port:
            return False
        entry = name
    if address is not None:
        return bool(_address(entry.strip("[]")) == address)
    entry = entry.removeprefix("*") if entry.startswith("*.") else entry
    return host.endswith(entry) if entry.startswith(".") else host == entry or host.endswith(f".{entry}")


def _own(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(text: str) -> Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
