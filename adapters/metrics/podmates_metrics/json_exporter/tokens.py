"""Tokens of OAuth 2.0 by client credentials, kept until shortly before their end."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import time
from typing import Any
from urllib.parse import quote_plus, urlencode

import aiohttp
from yarl import URL

from podmates_metrics.background import aside
from podmates_metrics.json_exporter import tls
from podmates_metrics.json_exporter.core.oauth import OAuth2
from podmates_metrics.json_exporter.proxies import through
from podmates_metrics.json_exporter.requests import Unsendable, reveal
from podmates_metrics.json_exporter.sessions import read, session

_MARGIN = 10.0  # seconds before its end at which a token is fetched anew
_LARGEST = 1 << 20  # bytes of an answer
_TYPES = {"": "Bearer", "bearer": "Bearer", "mac": "MAC", "basic": "Basic"}


class Tokens:
    """The tokens of all modules, by what they are asked for with."""

    def __init__(self) -> None:
        self._kept: dict[OAuth2, tuple[str, float]] = {}
        self._locks: dict[OAuth2, asyncio.Lock] = {}

    async def header(self, oauth: OAuth2) -> str:
        """Return the value of Authorization.

        Raises:
            Unsendable: there is no token to be had.
            aiohttp.ClientError: its server cannot be reached.
        """
        async with self._locks.setdefault(oauth, asyncio.Lock()):
            value, end = self._kept.get(oauth, ("", 0.0))
            if not value or time.monotonic() >= end:
                value, lifetime = await _fetched(oauth)
                self._kept[oauth] = (value, time.monotonic() + lifetime - _MARGIN)
            return value

    def forget(self, oauth: OAuth2) -> None:
        """Fetch a new token next time: the target did not take the one that is kept."""
        self._kept.pop(oauth, None)


async def _fetched(oauth: OAuth2) -> tuple[str, float]:
    """Return a new token and its seconds; first with the secret in a header, else in the form, as Go does."""
    secret = reveal(oauth.secret)
    form = {"grant_type": "client_credentials"}
    if oauth.scopes:
        form["scope"] = " ".join(oauth.scopes)
    form |= {name: reveal(value) for name, value in oauth.parameters}
    pair = f"{quote_plus(oauth.client_id)}:{quote_plus(secret)}"
    basic = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    status, body = await _ask(oauth, form, basic)
    if not 200 <= status < 300:
        form |= {"client_id": oauth.client_id, "client_secret": secret}
        status, body = await _ask(oauth, form, {})
    if not 200 <= status < 300:
        raise Unsendable(f"oauth2: the token's server answers with status {status}")
    return _token(body)


async def _ask(oauth: OAuth2, form: dict[str, str], headers: dict[str, str]) -> tuple[int, bytes]:
    context = await aside(lambda: tls.context(oauth.tls), "tls")
    name = oauth.tls.server_name if oauth.tls else ""
    headers = headers | {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    async with session(context) as asking:
        answer = await asking.request(
            "POST",
            oauth.token_url,
            data=urlencode(form).encode(),
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(),
            server_hostname=name or None,
            **through(oauth.proxy, URL(oauth.token_url)),
        )
        async with answer:
            return answer.status, await read(answer, _LARGEST)


def _token(body: bytes) -> tuple[str, float]:
    try:
        told: Any = json.loads(body)
        token, kind, seconds = told["access_token"], told.get("token_type", ""), told.get("expires_in", 0)
        lifetime = float(seconds or 0) or math.inf
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise Unsendable("oauth2: the token's server answers without a token") from None
    if not isinstance(token, str) or not token.isprintable() or not isinstance(kind, str):
        raise Unsendable("oauth2: the token's server answers without a token")
    return f"{_TYPES.get(kind.lower(), kind)} {token}", lifetime
