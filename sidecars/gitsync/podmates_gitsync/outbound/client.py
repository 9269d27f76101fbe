"""HTTP requests that we make: to webhooks, askpass servers, GitHub. Import this late, it brings `ssl`.

Bounded in everything: one deadline for all of it, name look-up and a slow drip included, so many
redirects, so many bytes. No error shows more of a URL than scheme, host and port: user information, path
and query may be secret.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from podmates_common.files import check_readable
from podmates_gitsync import threads
from podmates_gitsync.outbound.message import (
    FOLLOWED,
    TOKEN,
    Request,
    Target,
    basic,
    headers_of,
    redirected,
    target_of,
)
from podmates_gitsync.outbound.proxies import Proxy, ProxyError, choose

LIMIT = 1 << 20  # bytes of an answer's body
_REDIRECTS = 10


class OutboundError(OSError):
    """There is no answer: not reached, not trusted, not understood, or not in time."""


class Answer(NamedTuple):
    """What the last server said; header names are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    truncated: bool = False  # the body was longer than the limit, what is beyond it was not read


def request(
    method: str,
    url: str,
    *,
    timeout: float,
    environ: Mapping[str, str],
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    follow: bool = False,
    limit: int = LIMIT,
) -> Answer:
    """Send a request and return the answer, whatever its status.

    Args:
        method: as it goes out.
        url: http or https; user information in it becomes basic authentication.
        timeout: seconds for everything together.
        environ: the process's, for the proxy variables, SSL_CERT_FILE and SSL_CERT_DIR.
        headers: (name, value); Authorization does not go to another host by a redirect.
        body: sent with its length.
        follow: go where redirects point, ten times at most; 301 to 303 turn the request into a GET.
        limit: bytes of the body to read, see `Answer.truncated`.

    Raises:
        OutboundError: there is no answer.
    """
    if not TOKEN.fullmatch(method):
        raise OutboundError("not a method of HTTP")
    try:
        sent = Request(method, target_of(url), headers, body)
    except ValueError as error:
        raise OutboundError(str(error)) from None
    exchange = _Exchange(environ, timeout, limit)
    # In a thread, because looking up a name has no deadline of its own; it is cut off, not waited for.
    try:
        threads.start(exchange.run, sent, follow, name="outbound").join(timeout)
    except OSError as error:
        raise OutboundError(f"{method} {sent.target.origin}: {_reason(error)}") from None
    answer = exchange.finish()
    if answer is None:
        raise OutboundError(f"{method} {sent.target.origin}: timed out after {timeout:g}s")
    return answer


class _Exchange:
    """One request and what it leads to, run in one thread and cut off by another."""

    def __init__(self, environ: Mapping[str, str], timeout: float, limit: int) -> None:
        self._environ, self._limit = environ, limit
        self._deadline = time.monotonic() + timeout
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._over = False
        self._result: Answer | OutboundError | None = None

    def run(self, sent: Request, follow: bool) -> None:
        """Leave an answer or an error for `finish`."""
        result: Answer | OutboundError
        try:
            result = self._follow(sent) if follow else self._ask(sent)
        except OutboundError as error:
            result = error
        with self._lock:
            self._result = result

    def finish(self) -> Answer | None:
        """Return the answer, or None when there is none by now; what is still going on is cut off.

        Raises:
            OutboundError
        """
        with self._lock:
            self._over = True
            self._cut()
            result = self._result
        if isinstance(result, OutboundError):
            raise result
        return result

    def _cut(self) -> None:
        if self._line is not None:
            with contextlib.suppress(OSError):  # past TLS, which would wait for the other side
                socket.socket.shutdown(self._line, socket.SHUT_RDWR)

    def _hold(self, line: socket.socket) -> None:
        """Make *line* what is cut off."""
        line.settimeout(self._left())
        with self._lock:
            self._line = line
            if self._over:
                self._cut()

    def _left(self) -> float:
        return max(0.001, self._deadline - time.monotonic())

    def _follow(self, sent: Request) -> Answer:
        for _ in range(_REDIRECTS + 1):
            answer = self._ask(sent)
            place = answer.headers.get("location")
            if answer.status not in FOLLOWED or not place:
                return answer
            try:
                sent = redirected(sent, answer.status, place)
            except ValueError as error:
                raise OutboundError(
                    f"{sent.method} {sent.target.origin}: redirected to what is {error}"
                ) from None
        raise OutboundError(f"{sent.method} {sent.target.origin}: more than {_REDIRECTS} redirects")

    def _ask(self, sent: Request) -> Answer:
        try:
            return self._converse(sent)
        except OutboundError:
            raise
        except Exception as error:
            raise OutboundError(f"{sent.method} {sent.target.origin}: {_reason(error)}") from None

    def _converse(self, sent: Request) -> Answer:
        target = sent.target
        proxy = choose(target.scheme, target.host, target.port, self._environ)
        with contextlib.closing(self._connect(target, proxy)) as line:
            connection = http.client.HTTPConnection(target.host, target.port)
            connection.sock = line
            forwarded = proxy is not None and target.scheme == "http"
            path = target.origin + target.path if forwarded else target.path
            connection.request(
                sent.method, path, sent.body or None, headers_of(sent, proxy if forwarded else None)
            )
            with connection.getresponse() as response:
                body = response.read(self._limit + 1)
                fields = {name.lower(): value for name, value in response.getheaders()}
                cut = len(body) > self._limit
                if response.length and not cut:  # a read with a limit does not say so by itself
                    raise http.client.IncompleteRead(b"")
                return Answer(response.status, body[: self._limit], fields, cut)

    def _connect(self, target: Target, proxy: Proxy | None) -> socket.socket:
        host, port = (proxy.host, proxy.port) if proxy else (target.host, target.port)
        line = socket.create_connection((host, port), timeout=self._left())
        try:
            self._hold(line)
            if target.scheme == "http":
                return line
            if proxy is not None:
                _open_tunnel(line, target, proxy)
            line = _context(self._environ).wrap_socket(
                line, server_hostname=target.host, do_handshake_on_connect=False
            )
            self._hold(line)
            line.do_handshake()
        except BaseException:
            line.close()
            raise
        return line


def _open_tunnel(line: socket.socket, target: Target, proxy: Proxy) -> None:
    """Ask *proxy* to connect us with *target*."""
    words = [f"CONNECT {target.place} HTTP/1.1", f"Host: {target.place}"]
    if proxy.user_information:
        words.append(f"Proxy-Authorization: {basic(proxy.user_information)}")
    line.sendall("\r\n".join([*words, "", ""]).encode())
    with http.client.HTTPResponse(line, method="CONNECT") as response:
        response.begin()
        if response.status != 200:
            raise ConnectionError(f"the proxy answered {response.status}")


def _context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return a context that trusts what SSL_CERT_FILE and SSL_CERT_DIR name, else the machine's defaults."""
    usual = ssl.get_default_verify_paths()
    file, folder = environ.get("SSL_CERT_FILE") or "", environ.get("SSL_CERT_DIR") or ""
    if not file and os.path.isfile(usual.openssl_cafile):
        file = usual.openssl_cafile
    if not folder and os.path.isdir(usual.openssl_capath):
        folder = usual.openssl_capath
    try:
        if file:
            check_readable(file)
        context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    except OSError as error:
        raise OSError(f"cannot read the certificates in {file} or {folder}: {error.strerror}") from None
    # From 3.13 on Python refuses certificates of private authorities that git and every browser accept.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _reason(error: Exception) -> str:
    """Return what went wrong; not the text of an exception that may quote a header or the URL."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, http.client.HTTPException):
        return f"malformed answer or request ({type(error).__name__})"
    if isinstance(error, ProxyError):
        return str(error)
    return f"malformed request ({type(error).__name__})"
