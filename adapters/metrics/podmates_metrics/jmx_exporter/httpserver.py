"""`httpServer` of a jmx_exporter file: what it says about the web port of the standalone exporter. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from podmates_metrics.jmx_exporter.encryption import Encryption, decode_served
from podmates_metrics.jmx_exporter.login import Login, decode_login
from podmates_metrics.jmx_exporter.rules import string
from podmates_metrics.tree import Keys, Scalar
from podmates_metrics.webpath import path as webpath


@dataclass(frozen=True, slots=True)
class HttpServer:
    """The path of the metrics, empty for the usual one, and who may see it: None for everybody.

    Attributes:
        encryption: None: the web port is not encrypted by this file.
    """

    path: str = ""
    login: Login | None = None
    encryption: Encryption | None = None


def decode_http_server(top: Keys, resolve: Callable[[Scalar], str]) -> tuple[HttpServer | None, list[str]]:
    """Return what the key `httpServer` says, None without it, and notes on what has no effect.

    Args:
        resolve: puts in what a text refers to.

    Raises:
        Fault: it is wrong, or wants what is not offered.
    """
    entry = top.table_at("httpServer", "httpServer")
    if entry is None:
        return None, []
    encryption, notes = decode_served(entry, resolve)
    path, metrics = "", entry.table_at("metrics", "metrics")
    if metrics:
        path = metrics.scalar("path", lambda s: string(s).strip(), "")
        if not path:
            raise metrics.place("path").fault("want a path")
        path = metrics.scalar("path", lambda _: webpath(f"/{path.lstrip('/')}"), "")
    known = {"ssl", "metrics", "authentication"}
    notes += [
        f"line {entry.place(key).line}: httpServer.{key}" for key in entry.table.entries if key not in known
    ]
    return HttpServer(path, _login(entry, resolve), encryption), notes


def _login(entry: Keys, resolve: Callable[[Scalar], str]) -> Login | None:
    authentication = entry.table_at("authentication", "authentication")
    if authentication is None:
        return None
    if authentication.get("plugin") is not None:
        raise authentication.place("plugin").fault("is a class of Java, for which there is no Java here")
    basic = authentication.table_at("basic", "basic")
    if basic is None:
        raise authentication.place("basic").fault("is missing")
    return decode_login(basic, {key: basic.scalar(key, resolve, "") for key in ("username", "password")})
