"""How a module asks its target: the `http_client_config` of Prometheus' exporters, decoded and checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from podmates_metrics.json_exporter.core import oauth, proxy, tlsconfig
from podmates_metrics.json_exporter.core.secrets import Hidden, hidden, note_unknown, texts
from podmates_metrics.tree import Keys, flag

# Headers that the client itself sets.
_RESERVED = frozenset(
    {"accept", "accept-encoding", "authorization", "connection", "content-encoding", "content-length"}
    | {"content-type", "date", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"}
    | {"trailer", "transfer-encoding", "upgrade", "user-agent", "www-authenticate"}
)


@dataclass(frozen=True, slots=True)
class Basic:
    name: Hidden
    password: Hidden


@dataclass(frozen=True, slots=True)
class Authorization:
    scheme: str
    credentials: Hidden


@dataclass(frozen=True, slots=True)
class Client:
    """The defaults are those of a module without the section: redirects are not followed."""

    follow_redirects: bool = False
    auth: Basic | Authorization | oauth.OAuth2 | None = None
    tls: tlsconfig.Tls | None = None
    proxy: proxy.Proxy | None = None
    headers: tuple[tuple[str, tuple[Hidden, ...]], ...] = field(default=(), repr=False)


def decode(told: Keys | None, notes: list[str]) -> Client:
    """Return what the section says; *notes* gets what is passed over.

    Raises:
        Fault: it contradicts itself, or wants what is not offered.
    """
    if told is None:
        return Client()
    told.scalar("enable_http2", flag, True)  # json_exporter switches HTTP/2 off whatever it says
    client = Client(
        follow_redirects=told.scalar("follow_redirects", flag, True),
        auth=_auth(told, notes),
        tls=tlsconfig.decode(told.table_at("tls_config", "tls_config"), notes),
        proxy=proxy.decode(told),
        headers=_headers(told.table_at("http_headers", "http_headers")),
    )
    note_unknown(told, notes)
    return client


def _auth(told: Keys, notes: list[str]) -> Basic | Authorization | oauth.OAuth2 | None:
    bearer = hidden(told, "bearer_token")
    basic = told.table_at("basic_auth", "basic_auth")
    other = told.table_at("authorization", "authorization")
    token = told.table_at("oauth2", "oauth2")
    named = (("basic_auth", basic), ("authorization", other), ("oauth2", token))
    ways = [name for name, way in named if way is not None]
    ways += ["bearer_token"] if bearer else []
    if len(ways) > 1:
        raise told.place(ways[0]).fault(f"at most one of {' & '.join(ways)} must be configured")
    if bearer:
        return Authorization("Bearer", bearer)
    if basic is not None:
        found = Basic(hidden(basic, "username"), hidden(basic, "password"))
        note_unknown(basic, notes)
        return found
    if other is not None:
        scheme = other.text("type").strip() or "Bearer"
        if scheme.lower() == "basic":
            raise other.place("type").fault('cannot be set to "basic", use "basic_auth" instead')
        credentials = hidden(other, "credentials")
        note_unknown(other, notes)
        return Authorization(scheme, credentials)
    return oauth.decode(token, notes)


def _headers(told: Keys | None) -> tuple[tuple[str, tuple[Hidden, ...]], ...]:
    found = []
    for name in told.table.entries if told else ():
        assert told is not None  # noqa: S101  (for the type checker: without the table there is no name)
        inner = told.table_at(name, "header")
        if name.lower() in _RESERVED:
            raise told.place(name).fault("setting this header is not allowed")
        values = [Hidden(text) for key in ("values", "secrets") for text in texts(inner, key)]
        values += [Hidden("", path) for path in texts(inner, "files")]
        found.append((name, tuple(values)))
    return tuple(found)
