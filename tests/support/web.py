"""Asking an HTTP server on loopback, as a probe or a scraper does."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import NamedTuple


class Answer(NamedTuple):
    """What an HTTP path said."""

    status: int
    body: str


def get(url: str) -> Answer:
    """Ask a loopback address, no proxy; an error status is an answer too."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=60) as response:
            return Answer(response.status, response.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode())
