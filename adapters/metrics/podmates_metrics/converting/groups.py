"""Names for the groups of a regular expression: native rules know captures by name only."""

from __future__ import annotations

import re

_NAMED = re.compile(r"\?P?<([A-Za-z_]\w*)>", re.ASCII)


def named(pattern: str, prefix: str) -> tuple[str, dict[str, str]]:
    """Return *pattern* with a name for every group, and the name of each group by its number.

    Raises:
        ValueError: a name that is to be given is taken.
    """
    out, names, position, number = [], {}, 0, 0
    while position < len(pattern):
        size = _atom(pattern, position)
        part = pattern[position : position + size]
        if part == "(" and (found := _NAMED.match(pattern, position + 1)):
            number += 1
            names[str(number)] = found[1]
        elif part == "(" and pattern[position + 1 : position + 2] != "?":
            number += 1
            names[str(number)] = f"{prefix}{number}"
            part = f"(?P<{prefix}{number}>"
        out.append(part)
        position += size
    if len(set(names.values())) < len(names):
        raise ValueError(f"a group is called like one that {prefix} and its number would name")
    return "".join(out), names


def _atom(pattern: str, position: int) -> int:
    """Return the length of what stands at *position*: a quoted text, an escape, a class, or one character."""
    if pattern.startswith("\\Q", position):
        end = pattern.find("\\E", position + 2)
        return (end + 2 if end >= 0 else len(pattern)) - position
    if pattern[position] == "\\":
        return 2
    return _class(pattern, position) if pattern[position] == "[" else 1


def _class(pattern: str, start: int) -> int:
    position = start + 1
    if pattern[position : position + 1] == "^":
        position += 1
    first = position
    while position < len(pattern) and (pattern[position] != "]" or position == first):
        if pattern.startswith("[:", position) and (end := pattern.find(":]", position)) >= 0:
            position = end + 2
        else:
            position += 2 if pattern[position] == "\\" else 1
    return position + 1 - start
