"""A native file as text: values on one line, texts quoted as in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from podmates_metrics.golang import format_float

Keys = Mapping[str, object]  # in the order to be written
AS_IT_IS = "load the file as it is, by --config.file or files:"  # what else can be done about a refusal
_TYPES = {"counter", "gauge", "untyped", "histogram", "summary"}
_WORDS = _TYPES | {"drop", "continue", "none"}  # values that everybody knows without quotes
_KEY = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)\Z)[A-Za-z_][A-Za-z0-9_-]*", re.IGNORECASE)
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")  # that YAML takes for an end of line, or does not take


def document(notes: Iterable[str], head: Keys, rules: Sequence[Keys]) -> str:
    """Return the file: *notes* as comments, the top level's other keys, then the rules."""
    comments = [f"# {_printable(note)}" for note in notes]
    lines = [f"{_key(key)}: {flow(value)}" for key, value in head.items()]
    return "\n".join([*comments, *lines, "rules:" if rules else "rules: []", *map(_listed, rules)]) + "\n"


def _printable(note: str) -> str:
    """Return a note on one line, without what YAML allows nowhere, not even in a comment."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(note.split()))


def _listed(keys: Keys) -> str:
    return "- " + "\n  ".join(f"{key}: {flow(value)}" for key, value in keys.items())


def flow(value: object) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return format_float(value) if isinstance(value, float) else str(value)
    text = str(value)
    return text if text in _WORDS else _quoted(text)


def _key(key: str) -> str:
    return key if _KEY.fullmatch(key) else _quoted(key)


def _quoted(text: str) -> str:
    made = json.dumps(text, ensure_ascii=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", made)
