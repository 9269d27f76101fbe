"""Regular expressions on RE2: those that Go has, in time linear in the text, whatever pattern and text are.

RE2 is loaded with the first expression: without one it costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MAX_LENGTH = 10_000  # characters of a pattern
MAX_MEMORY = 8 << 20  # bytes of a pattern's program and of what it remembers of texts
# What is no syntax (quoted text, escapes, classes) first: a name's bracket counts only where it is one.
_TOKEN = re.compile(
    r"\\Q.*?(?:\\E|$)|\\(?P<escape>.)|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]])*\]|\(\?P?<(?P<name>\w+)>", re.DOTALL
)


class Match:
    """Where an expression matched: the texts of its groups, 0 the whole."""

    __slots__ = ("_groups", "_index")

    def __init__(self, groups: tuple[str | None, ...], index: Mapping[str, int]) -> None:
        self._groups, self._index = groups, index

    def __getitem__(self, group: int | str) -> str | None:
        """Return the text of a group by number or name; None if it took no part."""
        return self._groups[self._index[group] if isinstance(group, str) else group]

    def groups(self) -> tuple[str | None, ...]:
        """Return the texts of the groups from 1 on."""
        return self._groups[1:]

    def groupdict(self) -> dict[str, str | None]:
        """Return the texts of the named groups."""
        return {name: self._groups[number] for name, number in self._index.items()}


class Regex:
    """A compiled expression; *groupindex* is the number of each named group, *groups* how many there are."""

    __slots__ = ("_compiled", "groupindex", "groups", "pattern")

    def __init__(self, pattern: str, compiled: Any) -> None:
        self.pattern = pattern
        self.groups: int = compiled.groups
        self.groupindex = {name.decode(): number for name, number in compiled.groupindex.items()}
        self._compiled = compiled

    def search(self, text: str) -> Match | None:
        """Return the leftmost match anywhere in *text*."""
        return self._found(self._compiled.search, text)

    def fullmatch(self, text: str) -> Match | None:
        """Return the match of all of *text*."""
        return self._found(self._compiled.fullmatch, text)

    def _found(self, look: Any, text: str) -> Match | None:
        # Half a surrogate pair, which JSON can bring, is no character: a question mark stands for it.
        found = look(text.encode("utf-8", "replace"))
        if found is None:
            return None
        texts = (found[0], *found.groups())
        return Match(tuple(None if part is None else part.decode() for part in texts), self.groupindex)


def compiled(pattern: str) -> Regex:
    """Return *pattern* ready for use.

    Raises:
        ValueError: Go would refuse it; the text is RE2's.
    """
    if len(pattern) > MAX_LENGTH:
        raise ValueError("expression too long")
    import re2

    _check(pattern)
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    try:
        return Regex(pattern, re2.compile(pattern.encode(), options))
    except UnicodeEncodeError:
        raise ValueError("invalid UTF-8") from None
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(text or "not a regular expression") from None


def _check(pattern: str) -> None:
    """Refuse what RE2 takes and Go does not: single bytes, and a name given twice."""
    names = set()
    for token in _TOKEN.finditer(pattern):
        if token["escape"] == "C":
            raise ValueError(r"invalid escape sequence: \C")
        if token["name"] in names:
            raise ValueError(f"duplicate capture group name: {token['name']}")
        if token["name"]:
            names.add(token["name"])
