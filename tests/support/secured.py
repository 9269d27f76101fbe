"""Servers that listen for TLS as well, and the forms of the ambassador that reach them so."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.certificates import Authority, Certificate
from tests.support.ports import free_port
from tests.support.programs import need
from tests.support.redis_servers import HOST, Pair, Server
from tests.support.shared_path import SHARED, TWIN

_BY_TLS = {"PODMATES_REDIS_TLS": "true"}
SHARED_BY_TLS, TWIN_BY_TLS = {**SHARED, **_BY_TLS}, {**TWIN, **_BY_TLS}
SECURED = [pytest.param(SHARED_BY_TLS, id="shared-tls"), pytest.param(TWIN_BY_TLS, id="twin-tls")]


class Papers(NamedTuple):
    """Certificates of servers and of clients, and who vouches for both."""

    authority: Authority
    server: Certificate
    ours: Certificate

    def options(self, port: int) -> dict[str, str]:
        """Return what a server needs to ask every client at *port* for a certificate."""
        return {
            "tls-ca-cert-file": str(self.authority.file),
            "tls-cert-file": str(self.server.file),
            "tls-key-file": str(self.server.key),
            "tls-auth-clients": "yes",
            "tls-port": str(port),
        }

    def flags(self, prefix: str = "--tls") -> tuple[str, ...]:
        """Return what an ambassador needs to reach such servers."""
        files = ("-cert-file", str(self.ours.file), f"{prefix}-key-file", str(self.ours.key))
        return (prefix, f"{prefix}-ca-file", str(self.authority.file), prefix + files[0], *files[1:])


def papers(folder: Path, name: str = "authority") -> Papers:
    """Return new ones, of an authority called *name*."""
    authority = Authority(folder, name)
    return Papers(authority, authority.issue("server"), authority.issue("ours"))


@functools.cache
def _everybodys() -> tuple[Papers, tempfile.TemporaryDirectory[str]]:
    need("openssl", "openssl")  # before there is a folder, at whose loss Python warns
    folder = tempfile.TemporaryDirectory(prefix="tls-")  # goes with the process
    return papers(Path(folder.name)), folder


def secure(server: Server, known: Papers) -> int:
    """Have *server* listen for TLS as well; return where."""
    need("redis-server", "redis-server")  # the embedded server of the wheel has no TLS
    if not server.tls_port:
        server.tls_port = free_port()
        server.set(known.options(server.tls_port))
    return server.tls_port


def by_tls(form: Mapping[str, str]) -> Papers | None:
    """Return what an ambassador of *form* needs for TLS; nothing if it uses none."""
    return _everybodys()[0] if form.items() >= _BY_TLS.items() else None


def names(servers: Sequence[Server], form: Mapping[str, str]) -> list[str]:
    """Return what an ambassador of *form* calls *servers*."""
    known = by_tls(form)
    return [f"{HOST}:{secure(server, known) if known else server.port}" for server in servers]


def reached(pair: Pair, form: Mapping[str, str]) -> tuple[str, ...]:
    """Return the flags by which an ambassador of *form* reaches *pair*."""
    known = by_tls(form)
    return "--servers", ",".join(names(pair.servers, form)), *(known.flags() if known else ())
