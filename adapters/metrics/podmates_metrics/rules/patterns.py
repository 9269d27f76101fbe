"""Patterns that match a text field and capture parts of it, and templates that put captures together.

``{x}`` captures (a segment of a dotted field, elsewhere the run up to the next literal), ``*`` is any text
within a segment, ``**`` any text, ``?`` one character; a pattern that begins with ``~`` is a regular
expression, anchored, whose named groups are captures.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from podmates_metrics.regexes import Regex, compiled

Capture = dict[str, str]
_PART = re.compile(r"\{(?P<name>[^{}]*)\}|(?P<rest>\*\*)|(?P<star>\*)|(?P<one>\?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_SUBJECT = 4096  # characters; nothing longer matches


class Pattern:
    """A compiled pattern.

    Attributes:
        names: of its captures.
        expression: the regular expression that it is, to match the whole text.
        segments: what a text must begin with to match: the parts between dots (one part, if not *dotted*);
            None is a part with a wildcard in it.
        open: anything may follow the segments.

    Raises:
        ValueError: it cannot be used; the text says why.
    """

    def __init__(self, text: str, *, dotted: bool) -> None:
        self.text, self.dotted = text, dotted
        self.segments: list[str | None] = []
        self.open = text.startswith("~")
        if self.open:
            self.expression = text[1:]
            self._regex: Regex | re.Pattern[str] = compiled(self.expression)
        else:
            glob = self.expression = "(?s)" + _glob(text, "[^.]" if dotted else ".")
            # Python's engine goes back and forth between wildcards; RE2 does not, but costs memory to load.
            self._regex = re.compile(glob) if _simple(text, dotted) else compiled(glob)
            for part in text.split(".") if dotted else [text]:
                if dotted and "**" in part:
                    self.open = True
                    break
                self.segments.append(None if _PART.search(part) else part)
        self.names = frozenset(self._regex.groupindex)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and (self.text, self.dotted) == (other.text, other.dotted)

    def __hash__(self) -> int:
        return hash((self.text, self.dotted))

    def match(self, text: str) -> Capture | None:
        """Return what the whole of *text* gives to the names, or None if it does not match."""
        found = self._regex.fullmatch(text) if len(text) <= MAX_SUBJECT else None
        return None if found is None else {name: part or "" for name, part in found.groupdict().items()}


def _simple(text: str, dotted: bool) -> bool:
    """Tell whether there is nothing to try twice: one wildcard of any length, or one in each segment."""
    parts = text.removesuffix("**").split(".") if dotted else [text]
    wild = [[found[0] for found in _PART.finditer(part) if found[0] != "?"] for part in parts]
    return all(len(found) <= 1 for found in wild) and not (dotted and ["**"] in wild)


def _glob(text: str, unit: str) -> str:
    out, position, names = [], 0, set()
    for part in _PART.finditer(text):
        out.append(re.escape(text[position : part.start()]))
        position = part.end()
        if part["name"] is not None:
            if not _NAME.fullmatch(part["name"]) or part["name"] in names:
                raise ValueError(f"{{{part['name']}}}: want a new name of letters, digits and _")
            names.add(part["name"])
            out.append(f"(?P<{part['name']}>{unit}+?)")
        elif part["rest"]:
            out.append(".*")
        else:
            out.append(f"{unit}*" if part["star"] else unit)
    return "".join([*out, re.escape(text[position:])])


class Template:
    """Text with ``{x}`` in it. *names* are what it refers to, as written.

    Raises:
        ValueError: a brace is left open.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = re.split(r"\{([^{}]*)\}", text)
        self.names = self._parts[1::2]
        if any("{" in part or "}" in part for part in self._parts[::2]):
            raise ValueError(f"{text!r}: a brace without its partner")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def fill(self, look: Callable[[str], str | None]) -> str | None:
        """Return the text with *look*'s answers, each cut to `MAX_SUBJECT`; None when a name has none."""
        if len(self._parts) == 1:
            return self.text
        out = list(self._parts)
        for position in range(1, len(out), 2):
            found = look(out[position])
            if found is None:
                return None
            out[position] = found[:MAX_SUBJECT]
        return "".join(out)
