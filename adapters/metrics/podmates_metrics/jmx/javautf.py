"""Java's "modified UTF-8": NUL in two bytes, supplementary characters as two surrogates."""

from __future__ import annotations


def decode(data: bytes) -> str:
    """Return the text; half of a surrogate pair becomes U+FFFD. Raises UnicodeDecodeError."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        # 0xC0 is never part of another character, so this cannot hit the middle of one.
        units = data.replace(b"\xc0\x80", b"\x00").decode("utf-8", "surrogatepass")
        return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def encode(text: str) -> bytes:
    """Return *text* as Java writes it."""
    if text.isascii() and "\0" not in text:
        return text.encode()
    units = text.encode("utf-16-be", "surrogatepass")
    return b"".join(_unit(int.from_bytes(units[at : at + 2])) for at in range(0, len(units), 2))


def _unit(code: int) -> bytes:
    if 1 <= code <= 0x7F:
        return bytes((code,))
    if code <= 0x7FF:
        return bytes((0xC0 | code >> 6, 0x80 | code & 0x3F))
    return bytes((0xE0 | code >> 12, 0x80 | code >> 6 & 0x3F, 0x80 | code & 0x3F))
