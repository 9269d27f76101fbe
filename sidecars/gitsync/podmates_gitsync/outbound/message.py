"""What a request of ours sends: a URL taken apart, its headers, and what a redirect makes of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urljoin, urlsplit

from podmates_gitsync.outbound.proxies import Proxy

_PORTS = {"http": 80, "https": 443}
_BECOME_GET = (301, 302, 303)
FOLLOWED = (*_BECOME_GET, 307, 308)
_KEPT = "%/:=&?~+!$,;'@()*[]"  # what stands for itself in a path or query
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_HOST = re.compile(r"[A-Za-z0-9._:%-]{1,253}")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart."""

    scheme: str
    host: str  # as it goes over the wire: ASCII
    port: int
    path: str  # with the query
    user_information: str  # still encoded

    @property
    def place(self) -> str:
        """Return ``host:port``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """Return what of the URL may be shown."""
        return f"{self.scheme}://{self.place.removesuffix(f':{_PORTS[self.scheme]}')}"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; a redirect makes another of it."""

    method: str
    target: Target
    headers: Sequence[tuple[str, str]]
    body: bytes


def target_of(url: str, base: str = "") -> Target:
    """Take *url* apart, which may be relative to *base*.

    Raises:
        ValueError: it is no http or https URL.
    """
    try:
        parts = urlsplit(urljoin(base, url))  # both may raise errors that show the whole URL
        port = parts.port if parts.port is not None else _PORTS[parts.scheme]
        host = (parts.hostname or "").encode("idna").decode()
    except (ValueError, KeyError):
        host = ""
    if not _HOST.fullmatch(host):
        raise ValueError("not a URL of the form http://host/path or https://host/path")
    path = quote(parts.path, safe=_KEPT) or "/"
    query = f"?{quote(parts.query, safe=_KEPT)}" if parts.query else ""
    return Target(parts.scheme, host, port, path + query, parts.netloc.rpartition("@")[0])


def headers_of(sent: Request, proxy: Proxy | None) -> dict[str, str]:
    """Return what goes out, *proxy* being one that is asked to forward."""
    headers = {"Host": sent.target.origin.partition("://")[2], "Connection": "close"}
    headers["User-Agent"] = "podmates-gitsync"
    if sent.target.user_information:
        headers["Authorization"] = basic(sent.target.user_information)
    if proxy and proxy.user_information:
        headers["Proxy-Authorization"] = basic(proxy.user_information)
    return headers | dict(sent.headers)


def basic(user_information: str) -> str:
    """Return the header for what stands before the ``@`` of a URL."""
    user, _, password = user_information.partition(":")
    return "Basic " + base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()


def redirected(sent: Request, status: int, place: str) -> Request:
    """Return what is sent next, after *status* with the Location *place*.

    Raises:
        ValueError: the place is no http or https URL.
    """
    old = sent.target
    target = target_of(place, old.origin + old.path)
    headers, same = sent.headers, _same_host(old, target)
    if same and not target.user_information:
        target = replace(target, user_information=old.user_information)
    if not same:
        headers = [pair for pair in headers if pair[0].lower() not in {"authorization", "cookie"}]
    if status in _BECOME_GET and sent.method not in {"GET", "HEAD"}:
        headers = [pair for pair in headers if not pair[0].lower().startswith("content-")]
        return Request("GET", target, headers, b"")
    return replace(sent, target=target, headers=headers)


def _same_host(old: Target, new: Target) -> bool:
    """Return whether *new* may know what *old* does: the same place, or the step up to TLS."""
    if old.host != new.host:
        return False
    step_up = (old.scheme, old.port, new.scheme, new.port) == ("http", 80, "https", 443)
    return old.origin == new.origin or step_up
