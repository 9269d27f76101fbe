"""`oauth2` of Prometheus' exporters: how to get a token by client credentials."""

from __future__ import annotations

from dataclasses import dataclass

from podmates_metrics.json_exporter.core import proxy, tlsconfig
from podmates_metrics.json_exporter.core.secrets import Hidden, hidden, note_unknown, texts
from podmates_metrics.tree import Keys

_GRANTS = ("grant_type", "signature_algorithm", "iss", "audience", "claims", "client_certificate_key_id")
_OTHERS = (*_GRANTS, "client_certificate_key", "client_certificate_key_file")


@dataclass(frozen=True, slots=True)
class OAuth2:
    client_id: str
    secret: Hidden
    scopes: tuple[str, ...]
    token_url: str
    parameters: tuple[tuple[str, Hidden], ...]  # what else the request says
    tls: tlsconfig.Tls | None
    proxy: proxy.Proxy | None


def decode(told: Keys | None, notes: list[str]) -> OAuth2 | None:
    """Return what the section says; None when it is absent.

    Raises:
        Fault: it lacks something, or wants another grant than that of client credentials.
    """
    if told is None:
        return None
    for key in _OTHERS:
        if told.get(key) is not None and told.text(key) != "client_credentials":
            raise told.place(key).fault("is not offered; want client_credentials with a secret")
    for key in ("client_id", "token_url"):
        if not told.text(key):
            raise told.place(key).fault(f"oauth2 {key} must be configured")
    if not told.text("token_url").startswith(("http://", "https://")):
        raise told.place("token_url").fault("want an address with http or https")
    parameters = told.texts_at("endpoint_params")
    oauth = OAuth2(
        client_id=told.text("client_id"),
        secret=hidden(told, "client_secret"),
        scopes=tuple(texts(told, "scopes")),
        token_url=told.text("token_url"),
        parameters=tuple((name, Hidden(text)) for name, text in parameters.items()),
        tls=tlsconfig.decode(told.table_at("tls_config", "tls_config"), notes),
        proxy=proxy.decode(told),
    )
    note_unknown(told, notes)
    return oauth
