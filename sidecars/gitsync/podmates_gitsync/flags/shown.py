"""Settings as people are shown them: values as Go prints them, and nothing that may be a secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from podmates_gitsync.git.configpairs import HIDDEN, shown_text
from podmates_gitsync.govalues import duration, number, show_duration, show_number


class Declared(Protocol):
    """What is needed of a setting."""

    @property
    def name(self) -> str: ...
    @property
    def parse(self) -> Callable[[str], Any]: ...


def texts(row: Declared, value: Any) -> list[str]:
    """Return *value* of *row* as texts, one for each use of its flag."""
    mask = _MASKS.get(row.name, str)
    parts = value if isinstance(value, tuple) and not hasattr(value, "_fields") else (value,)
    return [mask(_text(row, part)) for part in parts]


def _text(row: Declared, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if row.parse is duration:
        return show_duration(value)
    return show_number(value) if row.parse is number else str(value)


def shown_url(text: str) -> str:
    """Return a URL without its path and query: they may be all that protects what it names."""
    front, mark, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    host, question, query = host.partition("?")
    return f"{front}{mark}{host}{slash or question}{HIDDEN if path or query else ''}"


_MASKS: dict[str, Callable[[str], str]] = {
    "git_config": shown_text,
    "git_config_add": shown_text,
    "askpass_url": shown_url,
    "webhook_url": shown_url,
}
