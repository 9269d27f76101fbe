"""Asking an HTTP server on loopback, as a probe or a scraper does."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from typing import NamedTuple


class Answer(NamedTuple):
    """What an HTTP path said."""

    status: int
    body: str


def get(url: str, secure: ssl.SSLContext | None = None) -> Answer:
    """Ask a loopback address, no proxy, by TLS as *secure* says; an error status is an answer too."""
    handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=secure)
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(url, timeout=60) as response:
            return Answer(response.status, response.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode())
