"""How far logs were read, in a file that lasts over a restart."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from podmates_common.files import read_small
from podmates_metrics.tailing.following import MARK, Key, Place

_MAX_OFFSET = (1 << 63) - 1  # of any file
_VERSION = 1


def load(path: str) -> tuple[dict[Key, Place] | None, str]:
    """Return what was saved, None if nothing was, and what is wrong with the file."""
    try:
        return _decode(read_small(path)), ""
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"{path}: {error.strerror}"
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None, f"{path}: not a state of ours; begun at the end"


def _decode(data: bytes) -> dict[Key, Place]:
    document = json.loads(data)
    if document["version"] != _VERSION:
        raise ValueError
    found = {}
    for file in document["files"]:
        key = Key(int(file["device"]), int(file["inode"]))
        place = Place(int(file["offset"]), int(file["size"]), str(file["digest"]))
        if not 0 <= place.offset <= _MAX_OFFSET or not 0 <= place.size <= MARK:
            raise ValueError
        found[key] = place
    return found


def save(path: str, files: Mapping[Key, Place]) -> str:
    """Write how far *files* were read, in one step; return what is wrong, empty if nothing is."""
    rows = [key._asdict() | place._asdict() for key, place in files.items()]
    beside = f"{path}.tmp"
    try:
        Path(beside).write_text(json.dumps({"version": _VERSION, "files": rows}))
        os.replace(beside, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(beside)
        return f"{path}: {error.strerror}"
    return ""
