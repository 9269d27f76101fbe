"""Who may use the web port, and how it is encrypted; changed users and certificates are taken up."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from podmates_common.watching import Watched
from podmates_metrics.background import aside
from podmates_metrics.jmx_exporter.httpserver import HttpServer
from podmates_metrics.jmx_exporter.login import MARK, matches
from podmates_metrics.tree import Fault
from podmates_metrics.webconfig import Tls, WebConfig
from podmates_metrics.webfile import context, load_certificate, named, read

if TYPE_CHECKING:
    from podmates_metrics.jmx_exporter.serving import Serving

log = logging.getLogger(__name__)

OPEN = frozenset({"/livez", "/readyz", "/startupz"})  # probes have no password
_REMEMBERED = 100  # passwords found right
_WAITING = 32  # requests whose password may be waiting to be checked
# Compared with when there is no such user, so that time does not tell who is one.
_NOBODY = "$2b$10$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Access:
    """The web configuration in force.

    Args:
        path: its file; empty: everybody is let in, without TLS.
        http: what the standalone jmx_exporter's file says: a user besides those of the file, its own stores.

    Raises:
        Fault: it cannot be used.
    """

    def __init__(self, path: str, http: HttpServer | None = None) -> None:
        self._path, self._login = path, http.login if http else None
        self._config = read(path) if path else WebConfig()
        self.context = context(self._config.tls) if self._config.tls else None
        self._serving = _serving(http)
        if self.context and self._serving:
            raise Fault(f"httpServer.ssl, and {path} says how the web port is encrypted as well: want one")
        self._watched = self._files(self._config)
        self._due = False  # there was a change that could not be looked at yet
        self._right: dict[bytes, None] = {}
        self._turn = asyncio.Lock()
        self._waiting = 0

    def _files(self, config: WebConfig) -> dict[str, Watched]:
        tls = config.tls
        names = (self._path, *((tls.certificate, tls.key) if tls else ()))
        return {name: Watched(name) for name in names if name}

    @property
    def secure(self) -> Callable[[], ssl.SSLContext] | None:
        """What tells how a new connection is encrypted; None: not at all."""
        own, serving = self.context, self._serving
        if serving is not None:
            return lambda: serving.context
        return None if own is None else lambda: own

    async def look(self) -> None:
        """Take up files that have changed; what cannot be used leaves everything as it was."""
        if self._serving is not None:
            await self._serving.look()
        changes = [watched.changed() for watched in self._watched.values()]
        self._due = self._due or any(changes)
        if not self._due:
            return
        try:
            # What is wrong may be put right in a file that was not named before.
            self._watched = self._files(named(self._path)) | self._watched
            config = read(self._path)
            if self.context is not None and config.tls is not None:
                load_certificate(self.context, config.tls)
        except Fault as error:
            self._due = False
            log.error("web configuration not loaded, the old one stays: %s", error)
            return
        self._due = False
        if _lasting(config.tls) != _lasting(self._config.tls):
            log.warning("web configuration: TLS is switched on or off, or changed, by a restart only")
            config = replace(config, tls=self._config.tls)
        self._config = config
        self._right.clear()
        self._watched = self._files(config)
        log.info("web configuration loaded", extra={"fields": {"users": len(config.users)}})

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let *request* through if it may pass, and add the headers."""
        if (
            (self._config.users or self._login)
            and request.path not in OPEN
            and not await self._known(request)
        ):
            response: web.StreamResponse = web.Response(
                text="Unauthorized\n", status=401, headers={"WWW-Authenticate": "Basic"}
            )
        else:
            try:
                response = await handler(request)
            except web.HTTPException as error:  # such as 404, which has the headers, too
                error.headers.update(self._config.headers)
                raise
        response.headers.update(self._config.headers)
        return response

    @property
    def _nobody(self) -> str:
        return self._login.hashed if self._login else _NOBODY

    async def _known(self, request: web.Request) -> bool:
        """Tell whether the request comes with a user's password."""
        header = request.headers.get("Authorization", "")
        if not header:
            return False
        name, password = _credentials(header)
        expected = self._config.users.get(name)
        if self._login and self._login.username == name:
            expected = self._login.hashed
        mark = hashlib.sha256(b"\0".join([name.encode(), (expected or "").encode(), password])).digest()
        if mark in self._right:
            return True
        if self._waiting >= _WAITING:
            raise web.HTTPServiceUnavailable(text="too many passwords to check\n")
        self._waiting += 1
        try:
            async with self._turn:  # guesses take one processor at most
                right = await aside(partial(_matches, password, expected or self._nobody), "password")
        finally:
            self._waiting -= 1
        if not right or expected is None:
            return False
        if len(self._right) >= _REMEMBERED:
            self._right.clear()
        self._right[mark] = None
        return True


def _serving(http: HttpServer | None) -> Serving | None:
    if http is None or http.encryption is None:
        return None
    from podmates_metrics.jmx_exporter.serving import Serving  # late: few have stores

    return Serving(http.encryption)


def _lasting(tls: Tls | None) -> Tls | None:
    """Return the part of *tls* that cannot change while connections are taken."""
    return replace(tls, certificate="", key="") if tls else None


def _credentials(header: str) -> tuple[str, bytes]:
    scheme, _, coded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", b""
    try:
        name, _, password = base64.b64decode(coded.strip(), validate=True).partition(b":")
        return name.decode(), password
    except ValueError:
        return "", b""


def _matches(password: bytes, hashed: str) -> bool:
    if hashed.startswith(MARK):
        return matches(password, hashed)
    import bcrypt

    try:
        return bcrypt.checkpw(password[:72], hashed.encode())  # bcrypt sees no more
    except ValueError:  # such as a password with a NUL
        return False
