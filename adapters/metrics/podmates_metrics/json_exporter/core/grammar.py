"""The path templates of Kubernetes, as json_exporter has them: text with ``{.steps[*].into}`` a document.

The dialect is that of k8s.io/client-go/util/jsonpath, with what is odd in it: a union is cut at every comma,
``['a.b']`` is two steps, a regular expression decides what in a filter is the operator.
"""

from __future__ import annotations

import re

from podmates_metrics.golang import parse_float
from podmates_metrics.json_exporter.core.gotext import unquote
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

LONGEST = 4096  # characters of a template
_DEEPEST = 20  # templates within templates: a filter in a filter
_QUOTED = re.compile(r"'([^']*)'")
_SLICE = re.compile(r"(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?")
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)")
_ENDS = frozenset(" \t\r\n.,[]$@{}")  # a name ends before these


class Syntax(Exception):
    """The template cannot be read; the text says why."""


def parse(text: str) -> tuple[Node, ...]:
    """Return the parts of a template: `Text` and `Action`.

    Raises:
        Syntax: the first thing that is wrong.
    """
    if len(text) > LONGEST:
        raise Syntax(f"longer than {LONGEST} characters")
    return _Reader(text, 0).template()


class _Reader:
    def __init__(self, text: str, depth: int) -> None:
        if depth > _DEEPEST:
            raise Syntax("nested too deep")
        self._text, self._depth = text, depth
        self._at = 0

    def template(self) -> tuple[Node, ...]:
        parts: list[Node] = []
        while True:
            brace = self._text.find("{", self._at)
            end = len(self._text) if brace < 0 else brace
            if end > self._at:
                parts.append(Text(self._text[self._at : end]))
            if brace < 0:
                return tuple(parts)
            self._at = brace + 1
            parts.append(self.action())

    def action(self) -> Action:
        """Read up to and with the closing brace."""
        steps: list[Node] = []
        while not self._text.startswith("}", self._at):
            if self._text.startswith("[?(", self._at):
                steps.append(self._filter())
            elif self._text.startswith("..", self._at):
                self._descent(steps)
            else:
                self._step(steps)
        self._at += 1
        return Action(tuple(steps))

    def _step(self, steps: list[Node]) -> None:
        char = self._text[self._at : self._at + 1]
        if not char or char in "\r\n":
            raise Syntax("unclosed action")
        if char in " @$":  # the current value is where a path begins anyhow
            self._at += 1
        elif char == "[":
            steps += self._brackets()
        elif char in "\"'":
            steps.append(self._quote(char))
        elif char == ".":
            self._at += 1
            steps.append(self._member())
        elif char in "+-" or char.isdecimal():
            steps.append(self._number())
        elif _begins_name(char):
            word = self._name()
            steps.append(Literal(word == "true") if word in ("true", "false") else Word(word))
        else:
            raise Syntax(f"unrecognized character in action: {char!r}")

    def _name(self) -> str:
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in _ENDS:
            self._at += 1
        return self._text[start : self._at]

    def _member(self) -> Node:
        """Read the name after a dot; a backslash takes the next character in."""
        start = self._at
        while self._at < len(self._text) and (char := self._text[self._at]) not in _ENDS:
            self._at += 2 if char == "\\" else 1
        name = self._text[start : self._at]
        return Members() if name == "*" else Member(name.replace("\\", ""))

    def _descent(self, steps: list[Node]) -> None:
        if steps and isinstance(steps[-1], Descent):
            raise Syntax("invalid multiple recursive descent")
        self._at += 2
        steps.append(Descent())
        following = self._text[self._at : self._at + 1]
        if _begins_name(following):
            steps.append(self._member())

    def _number(self) -> Node:
        start = self._at
        self._at += self._text[start] in "+-"
        while (char := self._text[self._at : self._at + 1]) == "." or char.isdecimal():
            self._at += 1
        text = self._text[start : self._at]
        if re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            return Literal(int(text))
        try:
            return Literal(parse_float(text))
        except ValueError:
            raise Syntax(f"cannot parse number {text}") from None

    def _quote(self, quote: str) -> Node:
        end = self._at
        while True:
            end += 1
            if end >= len(self._text) or self._text[end] == "\n":
                raise Syntax("unterminated quoted string")
            if self._text[end] == quote and self._text[end - 1] != "\\":
                break
        text = self._text[self._at : end + 1]
        self._at = end + 1
        try:
            return Text(unquote(text))
        except ValueError:
            raise Syntax(f"unquote string {text} error invalid syntax") from None

    def _inner(self, text: str) -> Action:
        """Return the first action of *text* in braces."""
        inner = _Reader(text + "}", self._depth + 1)
        return inner.action()

    def _brackets(self) -> tuple[Node, ...]:
        end = self._text.find("]", self._at)
        if end < 0 or "\n" in self._text[self._at : end]:
            raise Syntax("unterminated array")
        text = self._text[self._at + 1 : end]
        self._at = end + 1
        choices = text.split(",")
        if len(choices) > 1:
            return (Union(tuple(self._inner(f"[{choice.strip(' ')}]") for choice in choices)),)
        if quoted := _QUOTED.fullmatch(text):
            return self._inner(f".{quoted[1]}").steps
        return (_slice(":" if text == "*" else text),)

    def _filter(self) -> Node:
        start = self._at + 3
        inside = self._filter_end(start)
        if not self._text.startswith("]", self._at):
            raise Syntax("unclosed array expect ]")
        self._at += 1
        compared = _COMPARISON.fullmatch(inside)
        if not compared:
            return Filter(self._inner(inside), "", None)
        return Filter(self._inner(compared[1]), compared[2], self._inner(compared[3]))

    def _filter_end(self, start: int) -> str:
        """Return what stands before the closing parenthesis; one pair of quotes may hide others."""
        quote, closed = "", False
        for at in range(start, len(self._text)):
            char = self._text[at]
            if char == "\n":
                break
            if char in "\"'":
                if not quote:
                    quote = char
                elif char == quote and self._text[at - 1] != "\\":
                    closed = True
            elif char == ")" and bool(quote) == closed:
                self._at = at + 1
                return self._text[start:at]
        raise Syntax("unterminated filter")


def _begins_name(char: str) -> bool:
    return char == "_" or char.isalpha() or char.isdecimal()


def _slice(text: str) -> Slice:
    found = _SLICE.fullmatch(text)
    if not found:
        raise Syntax(f"invalid array index {text}")
    start, end, step = (_index(part) for part in found.groups(""))
    single = found[2] is None
    return Slice(start, (start or 0) + 1 if single else end, step, single)


def _index(text: str) -> int | None:
    digits = text.removeprefix(":")
    if not digits:
        return None
    if digits == "-" or len(digits) > 19:
        raise Syntax(f"array index {digits} is not a number")
    return int(digits)
