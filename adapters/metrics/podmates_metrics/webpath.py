"""Where on the web port the metrics may be."""

from __future__ import annotations

import re

_TAKEN = ("/livez", "/readyz", "/startupz", "/version", "/probe")


def path(value: str) -> str:
    """Return the path part of a URL: one that the adapter has no other page at.

    Raises:
        ValueError: it is none; the text says what is wanted.
    """
    if not value.startswith("/"):
        raise ValueError("want a path that begins with /")
    if re.search(r"[\s{}?#%]", value):
        raise ValueError("want a path of a URL, without blanks and {}?#%")
    if value in _TAKEN or value.startswith("/-/"):
        raise ValueError("the adapter has a page there already")
    return value
