"""What servers say in text, read the same way wherever it is asked for. No I/O."""

from __future__ import annotations


def text(value: object) -> str:
    """Return a reply as text, whatever bytes it has."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def fields(info: str) -> dict[str, str]:
    """Return the fields of INFO, lines of ``name:value``; the last one of a name counts."""
    pairs = (line.partition(":") for line in info.splitlines())
    return {name: value for name, colon, value in pairs if colon}
