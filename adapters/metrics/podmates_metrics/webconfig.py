"""The web configuration file of Prometheus' exporters: TLS, users and headers of the web port."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from podmates_metrics.tree import Keys, Place, Scalar, Tree, flag, keys, one_of

MAX_COST = 14  # of a bcrypt hash: a second of a processor per password
HEADERS = frozenset(
    {
        "Content-Security-Policy",
        "Strict-Transport-Security",
        "X-Content-Type-Options",
        "X-Frame-Options",
        "X-XSS-Protection",
    }
)
VERSIONS = {"TLS12": "TLSv1_2", "TLS13": "TLSv1_3"}  # as they are called there → in the module ssl
# Whether a client's certificate is asked for and must be there; what is given is always verified.
CLIENTS = {"": "none", "NoClientCert": "none"}
CLIENTS |= {"VerifyClientCertIfGiven": "optional", "RequireAndVerifyClientCert": "required"}
_SUITE = re.compile(
    r"TLS_(ECDHE)_(RSA|ECDSA)_WITH_(?:AES_(128|256)_GCM_SHA(?:256|384)|(CHACHA20_POLY1305)_SHA256)"
)
_HASH = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}")
_NOT_OFFERED = ("cert", "key", "client_ca", "client_allowed_sans", "curve_preferences")


@dataclass(frozen=True, slots=True)
class Tls:
    """What connections are encrypted with; file names as written."""

    certificate: str
    key: str
    authority: str = ""  # whose clients are let in
    clients: str = "none"  # none, optional, required
    oldest: str = "TLSv1_2"
    newest: str = "TLSv1_3"
    suites: str = ""  # OpenSSL's names for TLS 1.2, joined by colons; empty: its choice


@dataclass(frozen=True, slots=True)
class WebConfig:
    tls: Tls | None = None
    users: Mapping[str, str] = field(default_factory=dict, repr=False)  # name → bcrypt hash
    headers: Mapping[str, str] = field(default_factory=dict)


def decode(tree: Tree | None) -> WebConfig:
    """Return what the file says; an empty one says that all are let in without TLS.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    if tree is None:
        return WebConfig()
    top = keys(tree, Place("", 1), "web.Config")
    tls = top.table_at("tls_server_config", "web.TLSConfig")
    http = top.table_at("http_server_config", "web.HTTPConfig")
    made = WebConfig(
        None if tls is None or not tls.table.entries else _tls(tls),
        _users(top),
        {} if http is None else _http(http),
    )
    top.finish()
    return made


def _tls(entry: Keys) -> Tls:
    for key in _NOT_OFFERED:
        if entry.get(key) is not None:
            raise entry.place(key).fault(f"{key} is not offered")
    clients = entry.scalar("client_auth_type", one_of(CLIENTS, "client auth type {} is not offered"), "none")
    versions = one_of(VERSIONS, "TLS version {} is not offered: want TLS12 or TLS13")
    made = Tls(
        entry.text("cert_file"),
        entry.text("key_file"),
        entry.text("client_ca_file"),
        clients,
        entry.scalar("min_version", versions, "TLSv1_2"),
        entry.scalar("max_version", versions, "TLSv1_3"),
        _suites(entry),
    )
    entry.scalar("prefer_server_cipher_suites", flag, True)  # the server's order always counts here
    entry.finish()
    if not made.certificate or not made.key:
        raise entry.place().fault("want cert_file and key_file")
    if clients != "none" and not made.authority:
        raise entry.place("client_auth_type").fault("want client_ca_file, too")
    if made.authority and clients == "none":
        raise entry.place("client_ca_file").fault(
            "want client_auth_type, too: nobody's certificate is asked for"
        )
    if made.oldest > made.newest:
        raise entry.place("min_version").fault("is newer than max_version")
    return made


def _suites(entry: Keys) -> str:
    names = []
    for item in entry.list_at("cipher_suites"):
        text = item.text if isinstance(item, Scalar) else ""
        if text.startswith(("TLS_AES_", "TLS_CHACHA20_")):
            continue  # TLS 1.3 has all of its three, here as there
        found = _SUITE.fullmatch(text)
        if found is None:
            raise Place(f"{entry.path}.cipher_suites", item.line).fault(
                f"unknown or weak cipher: {text[:80]}"
            )
        size = {"128": "AES128-GCM-SHA256", "256": "AES256-GCM-SHA384", None: "CHACHA20-POLY1305"}[found[3]]
        names.append(f"{found[1]}-{found[2]}-{size}")
    return ":".join(names)


def _users(top: Keys) -> dict[str, str]:
    users = top.texts_at("basic_auth_users")
    inner = top.table_at("basic_auth_users", "basic_auth_users")
    for name, text in users.items():
        found = _HASH.fullmatch(text)
        place = inner.place(name) if inner else Place(name, 1)
        if ":" in name or not name:
            raise place.fault("a user's name is not empty and has no colon")
        if found is None:
            raise place.fault("want a bcrypt hash")  # never the text itself: it may be a password
        if not 4 <= int(found[1]) <= MAX_COST:
            raise place.fault(f"want a bcrypt hash of a cost from 4 to {MAX_COST}")
    return users


def _http(entry: Keys) -> dict[str, str]:
    entry.scalar("http2", flag, True)  # HTTP/1.1 is all that is spoken
    headers = entry.texts_at("headers")
    inner = entry.table_at("headers", "headers")
    for name, text in headers.items():
        place = inner.place(name) if inner else Place(name, 1)
        if name not in HEADERS:
            raise place.fault(f"HTTP header {name} can not be configured")
        if not text.isprintable() or not text.isascii():
            raise place.fault("want printable ASCII")
    entry.finish()
    return headers
