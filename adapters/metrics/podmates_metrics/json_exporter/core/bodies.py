"""What is sent to a target: text, or a template of Go over the query of the probe.

Of Go's templates there are pipelines of values and the functions in `FUNCTIONS`; anything else is refused
when the file is read. A template that Go cannot read, or that fails over a query, is sent as it stands in the
file, as json_exporter does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from podmates_metrics.json_exporter.core.bodyfunctions import FUNCTIONS, Failed, show
from podmates_metrics.json_exporter.core.gofunctions import KNOWN
from podmates_metrics.json_exporter.core.gotext import unquote

_ACTION = re.compile(
    r"\{\{(?P<left>-(?=\s))?(?P<inside>(?:[^}\"`]|\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`|\}(?!\}))*)\}\}", re.DOTALL
)
LONGEST = 1 << 16  # characters of a template
_COMMENT = re.compile(r"\s*/\*.*\*/\s*", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:[^\"\\\n]|\\.)*\")|(?P<raw>`[^`]*`)|(?P<number>[+-]?\d{1,18}(?![\w.]))"
    r"|(?P<field>\.(?:[^\W\d]\w*)?)|(?P<word>[^\W\d]\w*)|(?P<sign>[|()]))"
)
_DEEPEST = 20  # parentheses within parentheses
_OTHERS = frozenset("$:=,'.0123456789+-")  # begin what Go's templates have besides
_WORDS = {"true": True, "false": False}
Query = Mapping[str, Sequence[str]]


class Refused(Exception):
    """The template uses what is not offered; the text says what."""


class _Broken(Exception):
    """Go cannot read the template either."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str  # empty: the whole query


@dataclass(frozen=True, slots=True)
class _Call:
    function: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """What to send.

    *parts* are texts and expressions; none for text without a template, or with one that cannot be read:
    *fault* says why.
    """

    content: str
    parts: tuple[Any, ...] = ()
    fault: str = ""

    def render(self, query: Query) -> str:
        """Return the text for *query*.

        Raises:
            Failed: the template cannot be filled; `content` is sent as it is.
        """
        if not self.parts:
            return self.content
        return "".join([part if isinstance(part, str) else show(_value(part, query)) for part in self.parts])


def parse(content: str, *, templated: bool) -> Body:
    """Return what *content* makes; a template that cannot be read is text, as the original sends it.

    Raises:
        Refused: it uses what is not offered.
    """
    if not templated:
        return Body(content)
    if len(content) > LONGEST:
        raise Refused(f"a template of more than {LONGEST} characters")
    try:
        return Body(content, tuple(_parts(content)))
    except _Broken as error:
        return Body(content, fault=str(error))


def _parts(content: str) -> list[Any]:
    parts: list[Any] = []
    texts: list[str] = []
    at, trim = 0, False
    for action in _ACTION.finditer(content):
        inside = action["inside"]
        text = content[at : action.start()]
        text = text.lstrip() if trim else text
        parts.append(text.rstrip() if action["left"] else text)
        texts.append(text)
        trim = bool(re.search(r"\s-$", inside))
        inside = inside[:-1] if trim else inside
        if not _COMMENT.fullmatch(inside):
            parts.append(_Parser(inside).whole())
        at = action.end()
    rest = content[at:]
    if any("{{" in text for text in (*texts, rest)):
        raise _Broken("{{ without its }}")
    return [*parts, rest.lstrip() if trim else rest]


class _Parser:
    """One action."""

    def __init__(self, text: str) -> None:
        self._text, self._tokens = text, list[tuple[str, str]]()
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if not found:
                rest = text[at:].strip()
                if rest[0] in _OTHERS:
                    raise Refused(f"{{{{{text}}}}}: {rest[:20]!r} is not offered in a template")
                raise _Broken(f"{{{{{text}}}}}: unexpected {rest[:20]!r}")
            self._tokens.append((found.lastgroup or "", found[found.lastgroup or ""]))
            at = found.end()

    def whole(self) -> Any:
        """Return the expression."""
        expression = self._pipeline(0)
        if self._tokens:
            raise self._wrong()
        return expression

    def _wrong(self) -> _Broken:
        return _Broken(f"{{{{{self._text}}}}}: cannot be read")

    def _pipeline(self, depth: int) -> Any:
        value = self._command(depth, [])
        while self._tokens and self._tokens[0] == ("sign", "|"):
            self._tokens.pop(0)
            value = self._command(depth, [value])
        return value

    def _command(self, depth: int, piped: list[Any]) -> Any:
        if not self._tokens or depth > _DEEPEST:
            raise self._wrong()
        kind, text = self._tokens[0]
        if kind == "word" and text not in _WORDS:
            self._tokens.pop(0)
            if text not in KNOWN:
                raise _Broken(f"{{{{{self._text}}}}}: there is no function {text}")
            if text not in FUNCTIONS:
                raise Refused(
                    f"{{{{{self._text}}}}}: {text} is not offered; there are {', '.join(FUNCTIONS)}"
                )
            arguments = []
            while self._tokens and self._tokens[0] not in (("sign", "|"), ("sign", ")")):
                arguments.append(self._operand(depth))
            return _Call(text, (*arguments, *piped))
        if piped:
            raise self._wrong()
        return self._operand(depth)

    def _operand(self, depth: int) -> Any:
        kind, text = self._tokens.pop(0)
        if kind == "sign" and text == "(":
            value = self._pipeline(depth + 1)
            if not self._tokens or self._tokens.pop(0) != ("sign", ")"):
                raise self._wrong()
            return value
        if kind == "string":
            try:
                return unquote(text)
            except ValueError:
                raise self._wrong() from None
        if kind == "raw":
            return text[1:-1]
        if kind == "number":
            return int(text)
        if kind == "field":
            return _Field(text[1:])
        if kind == "word" and text in _WORDS:
            return _WORDS[text]
        raise self._wrong()


def _value(expression: Any, query: Query) -> Any:
    if isinstance(expression, _Field):
        if not expression.name:
            return dict(query)
        return list(query[expression.name]) if expression.name in query else None
    if isinstance(expression, _Call):
        arguments = [_value(argument, query) for argument in expression.arguments]
        try:
            return FUNCTIONS[expression.function](*arguments)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise Failed(f"{expression.function}: {error}") from None
    return expression
