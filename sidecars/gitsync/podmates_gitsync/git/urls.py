"""URLs with user information: taken apart before anything is put on a command line."""

from __future__ import annotations

import re
from typing import NamedTuple

_HTTP = re.compile(r"(https?://)([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_MISTYPED = re.compile(r"https?:(?!//)[^@]*:[^@]*@", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)")


class Bare(NamedTuple):
    """A URL without user information, and what was taken out; None for what was not there."""

    url: str
    user: str | None = None
    password: str | None = None


def bare(url: str) -> Bare:
    """Return an http(s) URL taken apart; other URLs as they are. User and password are percent-decoded."""
    match = _HTTP.fullmatch(url)
    if match is None or "@" not in match[2]:
        return Bare(url)
    information, _, host = match[2].rpartition("@")
    user, colon, password = information.partition(":")
    return Bare(f"{match[1]}{host}{match[3]}", _decoded(user), _decoded(password) if colon else None)


def has_password(url: str) -> bool:
    """Return whether a URL that is not http(s) carries a password, which git would get as an argument.

    One that lacks a slash is none: it would be taken for a path, and shown everywhere.
    """
    if _MISTYPED.match(url):
        return True
    match = _SCHEME.match(url)
    if match is None or match[1].lower() in {"http", "https"}:
        return False
    return ":" in match[2].rpartition("@")[0]


def description(url: str) -> dict[str, str]:
    """Return the protocol and host of *url* as git describes them to its credential helpers.

    For a URL that is written in an unusual way it may be another description than git's.
    """
    match = _SCHEME.match(url)
    if match is None:
        return {"protocol": "", "host": ""}
    return {"protocol": match[1], "host": _decoded(match[2].rpartition("@")[2])}


def _decoded(text: str) -> str:
    """Return *text* percent-decoded; a stray percent sign stays."""
    raw = re.sub(
        rb"%([0-9A-Fa-f]{2})",
        lambda found: bytes([int(found[1], 16)]),
        text.encode("utf-8", "surrogateescape"),
    )
    return raw.decode("utf-8", "surrogateescape")
