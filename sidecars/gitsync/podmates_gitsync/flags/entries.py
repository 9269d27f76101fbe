"""``--credential``: users and passwords for further hosts, as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from podmates_gitsync.flags.pflag import Unspeakable

_NAMES = {"url": "url", "username": "username", "password": "password", "password-file": "password_file"}
_USER_INFORMATION = re.compile(r"(://)[^/?#]*@")


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One of them, as it was written; empty for what was not."""

    url: str = ""
    username: str = ""
    password: str = ""
    password_file: str = ""

    def __str__(self) -> str:
        """Return it as JSON without what is secret."""
        values = {name: getattr(self, key) for name, key in _NAMES.items() if getattr(self, key)}
        values["url"] = _USER_INFORMATION.sub(r"\1REDACTED@", self.url)
        if self.password:
            values["password"] = "REDACTED"  # noqa: S105
        return json.dumps(values)

    __repr__ = __str__

    def fault(self) -> str | None:
        """Return what is missing, or said twice; None when it is sound."""
        if not self.url:
            return "required flag: --credential must have a url"
        if not self.username:
            return "required flag: --credential must have a username"
        if not self.password and not self.password_file:
            return "required flag: --credential must have a password or a password-file"
        if self.password and self.password_file:
            return "invalid flag: --credential may have only one of password and password-file"
        return None


@dataclass(frozen=True, slots=True)
class Entries:
    """What one use of the flag says."""

    entries: tuple[Entry, ...]

    def __str__(self) -> str:
        """Return it as JSON without what is secret."""
        texts = [str(entry) for entry in self.entries]
        return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def entries(text: str) -> Entries:
    """Return what an object, or a list of objects, says; names in any case, as Go takes them.

    Raises:
        Unspeakable: it is neither, or has a field that is not known or no text.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Unspeakable("not JSON") from None
    if isinstance(value, dict):
        return Entries((_entry(value),))
    if isinstance(value, list):
        return Entries(tuple(_entry(part) for part in value))
    raise Unspeakable("neither an object nor a list of objects")


def _entry(value: Any) -> Entry:
    if not isinstance(value, dict):
        raise Unspeakable("a list of something else than objects")
    known: dict[str, str] = {}
    for name, text in value.items():
        key = _NAMES.get(name.lower())
        if key is None:
            raise Unspeakable("a field that is none of " + ", ".join(_NAMES))
        if not isinstance(text, str | None):
            raise Unspeakable(f"{name.lower()} is no text")
        if not _sayable(text or ""):
            raise Unspeakable(f"{name.lower()} has a character that no program can be told")
        known[key] = text or ""
    return Entry(**known)


def _sayable(text: str) -> bool:
    """Return whether *text* has neither a NUL nor half of a pair; JSON alone can write those."""
    try:
        return b"\0" not in text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
