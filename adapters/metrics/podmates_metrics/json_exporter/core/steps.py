"""The parts of a path template as closures from values to values, as Kubernetes' package evaluates them.

Numbers of a document are `float`, those of a template may be `int`: the dialect compares only like with like.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from podmates_metrics.json_exporter.core.nodes import (
    Action,
    Descent,
    Filter,
    Literal,
    Member,
    Members,
    Node,
    Slice,
    Text,
    Union,
    Word,
)

MOST_VISITED = 2_000_000  # values that one template may come to in one document


class PathError(Exception):
    """The template gives nothing for this document. *found* is what it had come to."""

    def __init__(self, reason: str, found: list[Any] | None = None) -> None:
        super().__init__(reason)
        self.found = found or []


class Run:
    """One use of a template: what it may still visit, and where it is in its loops."""

    __slots__ = ("begin", "end", "inside", "last_end", "left", "lenient")

    def __init__(self, *, lenient: bool) -> None:
        self.lenient = lenient
        self.left = MOST_VISITED
        self.begin = self.inside = self.end = 0
        self.last_end = -1

    def spend(self, count: int) -> None:
        """Count what was visited."""
        self.left -= count + 1
        if self.left < 0:
            raise PathError(f"more than {MOST_VISITED} values")


Step = Callable[[list[Any], Run], list[Any]]


def compiled(node: Node) -> Step:
    """Return what *node* does to the values that came so far."""
    match node:
        case Text(text):
            return lambda values, run: [text]
        case Literal(value):
            return lambda values, run: [value] * len(values)
        case Action(steps):
            return _chain([compiled(step) for step in steps])
        case Member(name):
            return _member(name)
        case Members():
            return _members
        case Descent():
            return _descent
        case Slice():
            return _slice(node)
        case Union(choices):
            return _union([compiled(choice) for choice in choices])
        case Filter(left, sign, right):
            return _filter(compiled(left), sign, compiled(right) if right else None)
        case Word(name):
            return _word(name)


def _chain(steps: Sequence[Step]) -> Step:
    def follow(values: list[Any], run: Run) -> list[Any]:
        for step in steps:
            values = step(values, run)
        return values

    return follow


def _member(name: str) -> Step:
    def step(values: list[Any], run: Run) -> list[Any]:
        found = [value[name] for value in values if type(value) is dict and name in value]
        if not found and values and not run.lenient:
            raise PathError(f"{name} is not found")
        run.spend(len(values))
        return found

    return step


def _inside(value: Any) -> list[Any]:
    """Return what *value* holds; of a text that is its bytes."""
    if type(value) is dict:
        return list(value.values())
    if type(value) is list:
        return value
    return list(value.encode("utf-8", "replace")) if type(value) is str else []


def _members(values: list[Any], run: Run) -> list[Any]:
    found: list[Any] = []
    for value in values:
        found += _inside(value)
        run.spend(len(found))
    return found


def _descent(values: list[Any], run: Run) -> list[Any]:
    found: list[Any] = []
    waiting = list(reversed(values))
    while waiting:
        value = waiting.pop()
        inside = _inside(value)
        if inside:
            run.spend(len(inside))
            found.append(value)
            if type(value) is not str:
                waiting.extend(reversed(inside))
    return found


def _slice(node: Slice) -> Step:
    def bounds(length: int, values: list[Any]) -> tuple[int, int]:
        start, end = node.start or 0, length if node.end is None else node.end
        start += length if start < 0 else 0
        end += length if end < 0 or (end == 0 and node.single) else 0
        if start != end:
            for index, limit in ((start, length - 1), (end - 1, length - 1)):
                if not -1 <= index <= limit or start < 0:
                    raise PathError(f"array index out of bounds: index {index}, length {length}", values)
            if start > end:
                raise PathError(f"starting index {start} is greater than ending index {end}", values)
        return start, end

    def step(values: list[Any], run: Run) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if value is None:
                continue
            if type(value) is not list:
                raise PathError(f"{_kind(value)} is not array or slice", values)
            start, end = bounds(len(value), values)
            if start == end:
                return found
            if node.step is not None and node.step <= 0:
                raise PathError("step must be > 0", values)
            part = value[start : end : node.step]
            run.spend(len(part))
            found += part
        return found

    return step


def _union(choices: Sequence[Step]) -> Step:
    def step(values: list[Any], run: Run) -> list[Any]:
        found: list[Any] = []
        for choice in choices:
            try:
                found += choice(values, run)
            except PathError as error:
                error.found = values
                raise
            run.spend(len(found))
        return found

    return step


def _filter(left: Step, sign: str, right: Step | None) -> Step:
    def exists(item: Any, run: Run) -> bool:
        try:
            return bool(left([item], run))
        except PathError as error:
            return bool(error.found)

    def holds(item: Any, run: Run) -> bool:
        sides = []
        for side in (left, right or left):
            found = side([item], run)
            if not found:
                return False
            if len(found) > 1:
                raise PathError("can only compare one element at a time")
            sides.append(found[0])
        return compare(sign, *sides)

    passes = exists if right is None else holds

    def step(values: list[Any], run: Run) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if type(value) is not list:
                raise PathError(f"{_kind(value)} is not array or slice and cannot be filtered", values)
            run.spend(len(value))
            try:
                found += [item for item in value if passes(item, run)]
            except PathError as error:
                error.found = values
                raise
        return found

    return step


def _word(name: str) -> Step:
    def step(values: list[Any], run: Run) -> list[Any]:
        if name == "range":
            run.begin += 1
            return values
        if name != "end":
            raise PathError(f"unrecognized identifier {name}", values)
        if not run.inside:
            raise PathError("not in range, nothing to end")
        run.end += 1
        return []

    return step


_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare(sign: str, left: Any, right: Any) -> bool:
    """Return whether *left* and *right*, of one kind, are so.

    Raises:
        PathError: they are of two kinds, or cannot be compared at all.
    """
    check = _SIGNS.get(sign)
    if check is None:
        raise PathError(f"unrecognized filter operator {sign}")
    kinds = (type(left), type(right))
    if not all(kind in (bool, int, float, str) for kind in kinds):
        raise PathError("invalid type for comparison")
    if kinds[0] is not kinds[1]:
        raise PathError("incompatible types for comparison")
    if kinds[0] is bool and sign not in ("==", "!="):
        raise PathError("invalid type for comparison")
    return check(left, right)


def _kind(value: Any) -> str:
    names = {dict: "object", str: "text", float: "number", int: "number", bool: "truth value"}
    return names.get(type(value), "null")
