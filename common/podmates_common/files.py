"""Small files that others write: read whole, and never without an end."""

from __future__ import annotations

from pathlib import Path

LARGEST = 1 << 20  # bytes; settings, rules or a secret that are larger are somebody's mistake


class TooLarge(ValueError):
    """There is more in a file than was to be read; the text says how much that is."""


def read_small(path: Path | str, most: int = LARGEST) -> bytes:
    """Return what is in the file at *path*.

    Raises:
        OSError: it cannot be read.
        TooLarge: it holds more than *most* bytes, of which no more than that were read.
    """
    with Path(path).open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise TooLarge(f"larger than {most} bytes")
    return data
