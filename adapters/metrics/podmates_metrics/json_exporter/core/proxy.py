"""Which proxy a request goes through, as `http_client_config` and `oauth2` say it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from podmates_metrics.json_exporter.core.secrets import Hidden, texts
from podmates_metrics.tree import Keys, flag

_URL = re.compile(r"https?://[^\s/?#]+/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Proxy:
    """One named by *url*, or those that the environment names."""

    url: str = field(default="", repr=False)  # may hold a password
    without: tuple[str, ...] = ()  # who is asked directly: hosts, domains, networks
    environment: bool = False
    headers: tuple[tuple[str, tuple[Hidden, ...]], ...] = ()  # for the proxy


def decode(told: Keys) -> Proxy | None:
    """Return what the keys of *told* about proxies say; None for none.

    Raises:
        Fault: they contradict each other, or want a kind of proxy that is not offered.
    """
    url, without = told.text("proxy_url"), told.text("no_proxy")
    environment = told.scalar("proxy_from_environment", flag, False)
    headers = told.table_at("proxy_connect_header", "proxy_connect_header")
    named = [
        (name, tuple(Hidden(text) for text in texts(headers, name)))
        for name in (headers.table.entries if headers else ())
    ]
    if environment and (url or without):
        other = "proxy_url" if url else "no_proxy"
        fault = f"if proxy_from_environment is configured, {other} must not be configured"
        raise told.place(other).fault(fault)
    if without and not url:
        raise told.place("no_proxy").fault("if no_proxy is configured, proxy_url must also be configured")
    if named and not (url or environment):
        fault = "proxy_url or proxy_from_environment must also be configured"
        raise told.place("proxy_connect_header").fault(fault)
    if url and not _URL.fullmatch(url):
        raise told.place("proxy_url").fault("want the address of an HTTP proxy: http://host:port")
    entries = tuple(entry.strip().lower() for entry in without.split(",") if entry.strip())
    return Proxy(url, entries, environment, tuple(named)) if url or environment else None
