"""The functions of body templates: those of Go's templates and of Sprig that bodies are made with."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

from podmates_metrics.json_exporter.core.gotext import as_json

LONGEST = 1 << 20  # characters of a value


class Failed(Exception):
    """A template cannot be filled with the query at hand."""


def show(value: Any) -> str:
    """Return *value* as Go prints it into a template."""
    if isinstance(value, list):
        return "[" + " ".join(show(item) for item in value) + "]"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{show(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<no value>" if value is None else str(value)


def _items(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TypeError("want a list")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("want text")
    return value


def _default(otherwise: Any, value: Any = None) -> Any:
    return value or otherwise


def _join(between: Any, values: Any) -> str:
    items = values if isinstance(values, list) else [values]
    return _text(between).join([show(item) for item in items])


def _quote(*values: Any) -> str:
    texts = [show(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for value in values]
    return " ".join([f'"{text}"' for text in texts])


def _index(values: Any, number: Any) -> Any:
    if type(number) is not int or not 0 <= number < len(_items(values)):
        raise IndexError("out of range")
    return values[number]


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    return len(_items(value))


def _replace(old: Any, new: Any, text: Any) -> str:
    pieces = _text(text).split(_text(old)) if old else [_text(text)]
    if len(text) + len(pieces) * len(_text(new)) > LONGEST:
        raise ValueError("too long")
    return _text(new).join(pieces)


def _duration(seconds: Any) -> str:
    """Return seconds as Go writes a duration; 0 for what is no number."""
    try:
        left = int(seconds) if type(seconds) in (int, str) else 0
    except ValueError:
        left = 0
    if not -(2**33) < left < 2**33:
        raise ValueError("too long")
    sign, left = ("-", -left) if left < 0 else ("", left)
    hours, minutes = left // 3600, left // 60 % 60
    text = f"{hours}h" if hours else ""
    return f"{sign}{text}{f'{minutes}m' if text or minutes else ''}{left % 60}s"


def _first(values: Any) -> Any:
    return _items(values)[0] if values or values is None else None


def _last(values: Any) -> Any:
    return _items(values)[-1] if values or values is None else None


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "first": _first,
    "last": _last,
    "index": _index,
    "len": _length,
    "join": _join,
    "default": _default,
    "upper": lambda text: _text(text).upper(),
    "lower": lambda text: _text(text).lower(),
    "trim": lambda text: _text(text).strip(),
    "replace": _replace,
    "quote": _quote,
    "toJson": as_json,
    "b64enc": lambda text: base64.b64encode(_text(text).encode()).decode(),
    "duration": _duration,
}
