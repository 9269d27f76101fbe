"""Numbers as a server reads them in a client's words: in one way of writing each. No I/O."""

from __future__ import annotations

import re

_CANONICAL = re.compile(rb"(?:0|-?[1-9][0-9]{0,18})\Z")


def canonical(text: bytes | bytearray) -> int | None:
    """Return the integer in *text*; None for any other way of writing it, or over 19 digits."""
    return int(text) if _CANONICAL.match(text) else None


def number(text: bytes | bytearray) -> int | None:
    """Return the 64-bit integer in *text*, or None."""
    value = canonical(text)
    return value if value is not None and -(2**63) <= value < 2**63 else None
