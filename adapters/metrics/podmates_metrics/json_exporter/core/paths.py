"""Path templates, read and compiled once, and what they give for a document.

Linear in what they visit, and bounded: a template that visits or gives too much fails, like any other that
does not fit its document.
"""

from __future__ import annotations

from typing import Any

from podmates_metrics.json_exporter.core import grammar
from podmates_metrics.json_exporter.core.gotext import show, unquote
from podmates_metrics.json_exporter.core.nodes import Action, Member, Node
from podmates_metrics.json_exporter.core.steps import PathError, Run, Step, compiled

LONGEST_TEXT = 1 << 20  # characters that a template may give
_RANGES = 20  # loops within loops


class _Nothing:
    """A document that is null: not even a value."""


_NOTHING = _Nothing()


class Template:
    """A template that may be used again and again.

    One that cannot be read is made all the same and fails when it is used, as the original has it; *fault*
    says why.
    """

    def __init__(self, text: str) -> None:
        self.text, self.fault = text, ""
        self._steps: list[Step] = []
        self._names: list[str] = []  # what most templates are: {.a.b} and nothing else
        try:
            parts = grammar.parse(text)
        except grammar.Syntax as error:
            self.fault = str(error)
        else:
            self._steps = [compiled(part) for part in parts]
            self._names = _names(parts)

    def show(self, document: Any, *, lenient: bool = False) -> str:
        """Return the rendered text; values of one action are joined by blanks.

        Args:
            document: parsed JSON whose numbers are `float`.
            lenient: a missing member is no failure.

        Raises:
            PathError: it does not fit the document.
        """
        out: list[str] = []
        left = LONGEST_TEXT
        value = _at(document, self._names) if self._names else _NOTHING
        for values in self._groups(document, lenient=lenient) if value is _NOTHING else [[value]]:
            for number, value in enumerate(values):
                text = f" {_text(value)}" if number else _text(value)
                left -= len(text)
                if left < 0:
                    raise PathError(f"more than {LONGEST_TEXT} characters")
                out.append(text)
        text = "".join(out)
        try:
            return unquote(text) if text[:1] in ("'", '"') else text
        except ValueError:
            return text

    def find(self, document: Any, *, lenient: bool = False) -> list[Any]:
        """Return the values that it leads to.

        Raises:
            PathError: it does not fit the document, or is not a single action.
        """
        groups = self._groups(document, lenient=lenient)
        if len(groups) != 1 or any(value is _NOTHING for value in groups[0]):
            raise PathError("not a single list of matches")
        return [float(value) if type(value) is int else value for value in groups[0]]

    def _groups(self, document: Any, *, lenient: bool) -> list[list[Any]]:
        if self.fault:
            raise PathError(self.fault)
        return self._from(0, document, Run(lenient=lenient))

    def _from(self, start: int, document: Any, run: Run) -> list[list[Any]]:
        """Return what each part from *start* on gives, up to the end of a loop."""
        current = [_NOTHING if document is None else document]
        groups: list[list[Any]] = []
        at = start
        while at < len(self._steps):
            values = self._steps[at](current, run)
            if 0 < run.end <= run.inside:
                run.end -= 1
                run.last_end = at
                break
            if run.begin:
                groups += self._loop(at, values, run)
                if run.last_end > at:
                    at = run.last_end
            else:
                groups.append(values)
            at += 1
        return groups

    def _loop(self, at: int, values: list[Any], run: Run) -> list[list[Any]]:
        run.begin -= 1
        run.inside += 1
        if run.inside > _RANGES:
            raise PathError("too many loops")
        groups: list[list[Any]] = []
        for value in values:
            groups += self._from(at + 1, value, run)
        if not values:  # the body is passed through all the same, to find its end
            self._from(at + 1, None, run)
        run.inside -= 1
        return groups


def _names(parts: tuple[Node, ...]) -> list[str]:
    """Return the members that lead to the only value; none when there is more to the template."""
    steps = parts[0].steps if len(parts) == 1 and isinstance(parts[0], Action) else ()
    names = [step.name for step in steps if isinstance(step, Member)]
    return names if len(names) == len(steps) else []


def _at(value: Any, names: list[str]) -> Any:
    """Return what *names* lead to, one after the other; nothing when one is missing."""
    for name in names:
        if type(value) is not dict or name not in value:
            return _NOTHING
        value = value[name]
    return value


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    try:
        return "<no value>" if value is _NOTHING else show(value)
    except RecursionError:
        raise PathError("nested too deep to print") from None
