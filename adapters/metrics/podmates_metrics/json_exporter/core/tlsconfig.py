"""`tls_config` of Prometheus' exporters, decoded and checked."""

from __future__ import annotations

from dataclasses import dataclass

from podmates_metrics.json_exporter.core.secrets import Hidden, hidden, note_unknown
from podmates_metrics.tree import Keys, flag

VERSIONS = ("", "TLS10", "TLS11", "TLS12", "TLS13")


@dataclass(frozen=True, slots=True)
class Tls:
    ca: Hidden
    cert: Hidden
    key: Hidden
    server_name: str
    insecure: bool
    least: str  # one of VERSIONS
    most: str


def decode(told: Keys | None, notes: list[str]) -> Tls | None:
    """Return what the section says; None when it is absent.

    Raises:
        Fault: it contradicts itself.
    """
    if told is None:
        return None
    versions = []
    for key in ("min_version", "max_version"):
        text = told.text(key)
        if text not in VERSIONS:
            raise told.place(key).fault(f"unknown TLS version: {text}")
        versions.append(text)
    tls = Tls(
        ca=hidden(told, "ca"),
        cert=hidden(told, "cert"),
        key=hidden(told, "key"),
        server_name=told.text("server_name"),
        insecure=told.scalar("insecure_skip_verify", flag, False),
        least=versions[0],
        most=versions[1],
    )
    if bool(tls.cert) != bool(tls.key):
        raise told.place("cert").fault("exactly one of cert and key is configured; want both")
    note_unknown(told, notes)
    return tls
