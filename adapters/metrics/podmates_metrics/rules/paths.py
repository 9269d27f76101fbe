"""Paths into a JSON document, as RFC 9535 writes them without filters: ``workers[*].queues.*``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None

_STEP = re.compile(
    r"\.?(?P<name>[^.\[\]*'\"@^{}\s]+)|\.?(?P<star>\*)|\[\*(?P<all>)\]|\[(?P<index>-?\d{1,9})\]"
    r"|\['(?P<quoted>[^']*)'\]"
)
ANY = object()  # every member of an object, every item of a list
MAX_DEPTH = 60
MAX_PATH = 1000  # characters of a number's path
MAX_LEVELS = 200  # of a document that are looked into for numbers


@dataclass(frozen=True, slots=True)
class Node:
    """A place in a document. *parent* is what the wildcard before it chose, or the document."""

    value: Json
    key: str = ""  # of the member that a wildcard chose
    index: int = -1  # of the item that a wildcard chose
    parent: Node | None = None


@dataclass(frozen=True, slots=True)
class Path:
    steps: tuple[object, ...]  # str, int or ANY

    def find(self, document: Json) -> Iterator[Node]:
        """Yield every place that the path leads to; none where a step is missing."""
        return _walk(Node(document), document, self.steps)


def parse(text: str) -> Path:
    """Return the path that *text* writes.

    Raises:
        ValueError: it is none, or uses a part of RFC 9535 that is not offered.
    """
    steps: list[object] = []
    rest = text.removeprefix("$")
    position = 0
    while position < len(rest):
        step = _STEP.match(rest, position)
        if not step or (position == 0 and rest[0] == "." and text[0] != "$"):
            raise ValueError(f"cannot read the path from {rest[position:][:30]!r} on")
        if step["name"] is not None:
            steps.append(step["name"])
        elif step["quoted"] is not None:
            steps.append(step["quoted"])
        else:
            steps.append(int(step["index"]) if step["index"] else ANY)
        position = step.end()
    if len(steps) > MAX_DEPTH:
        raise ValueError(f"more than {MAX_DEPTH} steps")
    return Path(tuple(steps))


def _walk(anchor: Node, value: Json, steps: tuple[object, ...]) -> Iterator[Node]:
    """Follow *steps* from *value*; *anchor* is what the last wildcard chose."""
    for number, step in enumerate(steps):
        if step is ANY:
            for node in _members(value, anchor):
                yield from _walk(node, node.value, steps[number + 1 :])
            return
        try:
            value = _into(value, step)
        except LookupError:
            return
    if value is anchor.value:
        yield anchor
    else:
        yield Node(value, anchor.key, anchor.index, anchor.parent)


def _into(value: Json, step: object) -> Json:
    """Return the member or item of *value* that *step* names; LookupError when there is none."""
    if isinstance(step, str) and isinstance(value, dict):
        return value[step]
    if isinstance(step, int) and isinstance(value, list):
        return value[step]
    raise LookupError(step)


def _members(value: Json, anchor: Node) -> Iterator[Node]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield Node(member, key, -1, anchor)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield Node(item, "", index, anchor)


def look(node: Node, name: str) -> Json:
    """Return what a template's ``{name}`` means at *node*.

    ``@key`` and ``@index`` say which member the last wildcard chose, ``^`` goes to what the wildcard before
    chose; ``a.b`` goes into members. Raises LookupError when there is nothing.
    """
    while name.startswith("^"):
        if node.parent is None:
            raise LookupError(name)
        node, name = node.parent, name[1:].removeprefix(".")
    if name in ("@key", "@index"):
        found: Json = node.key if name == "@key" else str(node.index)
        if found in ("", "-1"):
            raise LookupError(name)
        return found
    value = node.value
    for part in name.split(".") if name else ():
        if isinstance(value, dict) and part in value:
            value = value[part]
        else:
            raise LookupError(name)
    return value


def numbers(document: Json) -> Iterator[tuple[str, float | None]]:
    """Yield every number of a document with its dotted path; an item of a list goes by its index.

    Where a path would be longer than `MAX_PATH`, or deeper than `MAX_LEVELS`, it is cut and None stands for
    all that is there: a long key above many numbers would cost its length for each.
    """
    if isinstance(document, bool | int | float):
        yield "", double(document)
    stack = [("", _entries(document))]
    while stack:
        path, entries = stack[-1]
        for key, value in entries:
            if value is None or isinstance(value, str):
                continue
            here = f"{path}.{key}" if path else key
            if len(here) > MAX_PATH or len(stack) > MAX_LEVELS:
                yield here[:MAX_PATH], None
            elif isinstance(value, bool | int | float):
                yield here, double(value)
            else:
                stack.append((here, _entries(value)))
                break
        else:
            stack.pop()


def _entries(value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        return iter(value.items())
    return ((str(index), item) for index, item in enumerate(value if isinstance(value, list) else ()))


def double(value: float) -> float:
    """Return a number of JSON, which may have any size, as a double."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
