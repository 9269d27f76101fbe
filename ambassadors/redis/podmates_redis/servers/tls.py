"""TLS towards servers: contexts that follow their files, and what a failed handshake is called."""

from __future__ import annotations

import logging
import os
import ssl
from dataclasses import dataclass
from typing import Any

from podmates_common.files import check_readable
from podmates_common.logs import Condition

log = logging.getLogger(__name__)

_VERIFY = {9: "not_yet_valid", 10: "expired", 62: "name", 64: "name"}  # of OpenSSL's X509_V_ERR_…
_VERIFY |= dict.fromkeys((2, 18, 19, 20, 21), "unknown_ca")
_NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of TLS; empty paths: the system's authorities, no certificate of ours."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""  # verified and sent instead of the host that is connected to
    verify: str = "full"  # ca: any name; none: anybody at all


class Secured(ssl.SSLObject):
    """What encrypts one connection, with both its ends, for those who go on with it elsewhere."""

    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO


class _Context(ssl.SSLContext):
    """One that resumes the session that it had last with a server of that name."""

    sslobject_class = Secured

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *arguments: Any, **named: Any
    ) -> Secured:
        made = super().wrap_bio(incoming, outgoing, *arguments, **named)
        assert isinstance(made, Secured)  # noqa: S101  (it is made of that class)
        made.incoming, made.outgoing = incoming, outgoing
        kept = vars(self).setdefault("kept", {})
        if (session := kept.get(made.server_hostname)) is not None:
            made.session = session
        return made

    def keep(self, made: ssl.SSLObject) -> None:
        """Keep the session of *made*; one of TLS 1.3 is there once the server has sent something."""
        if made.session is not None:
            vars(self).setdefault("kept", {})[made.server_hostname] = made.session


class Tls:
    """The way to encrypt; files are read again when they changed, for the connections that come then."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._context: _Context | None = None
        self._seen: tuple[object, ...] = ()
        self._condition = Condition(log, "certificates")

    def context(self) -> ssl.SSLContext:
        """Return the context for a new connection.

        A certificate that was swapped and its key that was not yet do not fit; the last pair that did
        stays in use until they do.

        Raises:
            OSError: there never was one; the text names the file or what is wrong with it.
        """
        seen = tuple(map(_identity, self._files()))
        if self._context is not None and seen == self._seen:
            return self._context
        try:
            self._context, self._seen = self._made(), seen
            self._condition.ok()
        except OSError as error:
            if self._context is None:
                raise
            self._condition.fail(f"cannot be read again, the ones before stay in use: {error}")
        return self._context

    def name(self, host: str) -> str:
        """Return the name that the server at *host* has to prove."""
        return self._wanted.server_name or host

    def greeted(self, made: ssl.SSLObject) -> None:
        """The server of a connection has answered for the first time: the next one may resume its session."""
        if self._context is not None and made.context is self._context:
            self._context.keep(made)

    def _files(self) -> list[str]:
        wanted = self._wanted
        return [path for path in (wanted.ca_file, wanted.cert_file, wanted.key_file) if path]

    def _made(self) -> _Context:
        wanted = self._wanted
        for path in self._files():
            _readable(path)  # OpenSSL's own errors do not name it
        context = _Context(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = wanted.verify == "full"
        context.verify_mode = ssl.CERT_NONE if wanted.verify == "none" else ssl.CERT_REQUIRED
        if wanted.ca_file:
            context.load_verify_locations(wanted.ca_file)
        else:
            context.load_default_certs()
        if wanted.cert_file:
            # no password, so that a key that has one is an error and not a question on a terminal
            context.load_cert_chain(wanted.cert_file, wanted.key_file or None, password="")
        return context


def cause(error: BaseException | None) -> str:
    """Return in one word why a handshake failed, from *error* or its causes; nothing if none did.

    A reset counts, since the bytes that say why may be lost with it.
    """
    found, left = error, 10  # a chain that bites its tail ends too
    while found is not None and left and not isinstance(found, ssl.SSLError | ConnectionResetError):
        found, left = found.__cause__ or found.__context__, left - 1
    if not isinstance(found, ssl.SSLError):
        return "closed" if isinstance(found, ConnectionResetError) else ""
    if isinstance(found, ssl.SSLCertVerificationError):
        return _VERIFY.get(found.verify_code, "certificate")
    reason = found.reason or ""
    if reason in _NOT_TLS:
        return "not_tls"
    return "refused" if "ALERT" in reason and "PROTOCOL_VERSION" not in reason else "protocol"


def _identity(path: str) -> object:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _readable(path: str) -> None:
    try:
        check_readable(path)
    except OSError as error:
        raise OSError(error.errno, f"{path}: {error.strerror}") from None
