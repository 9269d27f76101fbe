"""How a module asks its target: the `http_client_config` of Prometheus' exporters, decoded and checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from podmates_metrics.tree import Fault, Keys, Listing, Scalar, flag

VERSIONS = ("", "TLS10", "TLS11", "TLS12", "TLS13")
# Headers that the client itself sets.
_RESERVED = frozenset(
    {"accept", "accept-encoding", "authorization", "connection", "content-encoding", "content-length"}
    | {"content-type", "date", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"}
    | {"trailer", "transfer-encoding", "upgrade", "user-agent", "www-authenticate"}
)


@dataclass(frozen=True, slots=True, repr=False)
class Hidden:
    """A secret, or the file that it is read from when it is needed. Shows itself to nobody."""

    text: str = ""
    file: str = ""

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class Basic:
    name: Hidden
    password: Hidden


@dataclass(frozen=True, slots=True)
class Authorization:
    scheme: str
    credentials: Hidden


@dataclass(frozen=True, slots=True)
class Tls:
    ca: Hidden
    cert: Hidden
    key: Hidden
    server_name: str
    insecure: bool
    least: str  # one of VERSIONS
    most: str


@dataclass(frozen=True, slots=True)
class Client:
    """The defaults are those of a module without the section: redirects are not followed."""

    follow_redirects: bool = False
    auth: Basic | Authorization | None = None
    tls: Tls | None = None
    headers: tuple[tuple[str, tuple[Hidden, ...]], ...] = field(default=(), repr=False)


def decode(told: Keys | None, notes: list[str]) -> Client:
    """Return what the section says; *notes* gets what is passed over.

    Raises:
        Fault: it contradicts itself, or wants what is not offered.
    """
    if told is None:
        return Client()
    for key in ("oauth2", "proxy_url", "no_proxy", "proxy_from_environment", "proxy_connect_header"):
        found = told.get(key)
        if found is not None and not (isinstance(found, Scalar) and found.text in ("", "false")):
            raise told.place(key).fault("is not offered yet")
    told.scalar("enable_http2", flag, True)  # json_exporter switches HTTP/2 off whatever it says
    client = Client(
        follow_redirects=told.scalar("follow_redirects", flag, True),
        auth=_auth(told, notes),
        tls=_tls(told.table_at("tls_config", "tls_config"), notes),
        headers=_headers(told.table_at("http_headers", "http_headers")),
    )
    _unknown(told, notes)
    return client


def _hidden(told: Keys, key: str) -> Hidden:
    text, file = told.text(key), told.text(f"{key}_file")
    if text and file:
        raise told.place(key).fault(f"at most one of {key} & {key}_file must be configured")
    if told.text(f"{key}_ref"):
        raise told.place(f"{key}_ref").fault("there is no manager of secrets; want a file")
    return Hidden(text, file)


def _auth(told: Keys, notes: list[str]) -> Basic | Authorization | None:
    bearer = _hidden(told, "bearer_token")
    inner = told.table_at("basic_auth", "basic_auth")
    other = told.table_at("authorization", "authorization")
    ways = [name for name, way in (("basic_auth", inner), ("authorization", other)) if way is not None]
    ways += ["bearer_token"] if bearer.text or bearer.file else []
    if len(ways) > 1:
        raise told.place(ways[0]).fault(f"at most one of {' & '.join(ways)} must be configured")
    found: Basic | Authorization | None = None
    if bearer.text or bearer.file:
        found = Authorization("Bearer", bearer)
    elif inner is not None:
        found = Basic(_hidden(inner, "username"), _hidden(inner, "password"))
        _unknown(inner, notes)
    elif other is not None:
        scheme = other.text("type").strip() or "Bearer"
        if scheme.lower() == "basic":
            raise other.place("type").fault('cannot be set to "basic", use "basic_auth" instead')
        found = Authorization(scheme, _hidden(other, "credentials"))
        _unknown(other, notes)
    return found


def _tls(told: Keys | None, notes: list[str]) -> Tls | None:
    if told is None:
        return None
    versions = []
    for key in ("min_version", "max_version"):
        text = told.text(key)
        if text not in VERSIONS:
            raise told.place(key).fault(f"unknown TLS version: {text}")
        versions.append(text)
    tls = Tls(
        ca=_hidden(told, "ca"),
        cert=_hidden(told, "cert"),
        key=_hidden(told, "key"),
        server_name=told.text("server_name"),
        insecure=told.scalar("insecure_skip_verify", flag, False),
        least=versions[0],
        most=versions[1],
    )
    has_cert, has_key = (bool(part.text or part.file) for part in (tls.cert, tls.key))
    if has_cert != has_key:
        raise told.place("cert").fault("exactly one of cert and key is configured; want both")
    _unknown(told, notes)
    return tls


def _headers(told: Keys | None) -> tuple[tuple[str, tuple[Hidden, ...]], ...]:
    found = []
    for name in told.table.entries if told else ():
        assert told is not None  # noqa: S101  (for the type checker: without the table there is no name)
        inner = told.table_at(name, "header")
        if name.lower() in _RESERVED:
            raise told.place(name).fault("setting this header is not allowed")
        values = [Hidden(text) for key in ("values", "secrets") for text in _texts(inner, key)]
        values += [Hidden("", path) for path in _texts(inner, "files")]
        found.append((name, tuple(values)))
    return tuple(found)


def _texts(told: Keys | None, key: str) -> list[str]:
    found = told.get(key) if told else None
    if found is None or told is None:
        return []
    if not isinstance(found, Listing) or not all(isinstance(item, Scalar) for item in found.items):
        raise told.place(key).fault("want a list of texts")
    return [item.text for item in found.items if isinstance(item, Scalar)]


def _unknown(told: Keys, notes: list[str]) -> None:
    try:
        told.finish()
    except Fault:
        unknown = [key for key in told.table.entries if key not in told.taken]
        notes += [str(told.place(key).fault("unknown, without effect")) for key in unknown]
