"""Path templates of Kubernetes as native paths and templates, as far as these go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from podmates_metrics.json_exporter.core import grammar
from podmates_metrics.json_exporter.core.nodes import Action, Literal, Member, Members, Node, Slice, Text
from podmates_metrics.json_exporter.core.paths import Template
from podmates_metrics.rules.paths import ANY
from podmates_metrics.tree import Place


class Ref(NamedTuple):
    """What stands in one pair of braces: names of members, positions, `ANY`."""

    steps: tuple[object, ...]


Parts = tuple[str | Ref, ...]  # of a template, in order


def read(template: Template, place: Place, *, several: bool = False) -> Parts:
    """Return the parts of *template*; *several*: its paths may have wildcards.

    Raises:
        Fault: it cannot be read, or has what native paths have not.
    """
    shown = repr(template.text[:80])
    if template.fault:
        raise place.fault(f"{shown} cannot be read: {template.fault}; json_exporter makes nothing of it")
    made: list[str | Ref] = []
    for part in grammar.parse(template.text):
        if isinstance(part, Text):
            if "}" in part.text:
                raise place.fault(f"{shown}: the native form has no way to write a brace")
            made.append(part.text)
            continue
        steps = part.steps if isinstance(part, Action) else ()
        if len(steps) == 1 and isinstance(steps[0], Literal | Text):
            only = steps[0]
            made.append(only.text if isinstance(only, Text) else _literal(only))
            continue
        found = tuple(_step(step, shown, place) for step in steps)
        if ANY in found and not several:
            raise place.fault(f"{shown}: a wildcard, where json_exporter takes only one value")
        made.append(Ref(found))
    return tuple(made)


def _literal(node: Literal) -> str:
    return str(node.value).lower() if isinstance(node.value, bool) else f"{node.value:g}"


def _step(step: Node, shown: str, place: Place) -> object:
    if isinstance(step, Member):
        return step.name
    if isinstance(step, Members):
        return ANY
    if isinstance(step, Slice):
        if step.single and step.start is not None:
            return step.start
        if (step.start, step.end, step.step) in ((None, None, None), (0, None, None)):
            return ANY
    raise place.fault(f"{shown}: native paths have no {_CALLED.get(type(step).__name__, 'such step')}")


_CALLED = {
    "Descent": "`..`",
    "Slice": "slices",
    "Union": "unions",
    "Filter": "filters",
    "Word": "`range`, and no names without a dot",
    "Action": "paths within paths",
    "Text": "texts in braces beside steps",
    "Literal": "numbers in braces beside steps",
}


def anchored(refs: Sequence[Ref], place: Place) -> tuple[object, ...]:
    """Return the first steps that all of *refs* have, where what is left would be no name; mostly none.

    Raises:
        Fault: they part before a step that a native template cannot write.
    """
    needed = max((_last_odd(ref.steps) + 1 for ref in refs), default=0)
    if not needed:
        return ()
    common = refs[0].steps[:needed]
    if any(ref.steps[:needed] != common for ref in refs):
        raise place.fault(
            "a position or an odd name in a path that not all paths of the metric begin with: native"
            " templates have names of members only"
        )
    return common


def _last_odd(steps: tuple[object, ...]) -> int:
    return max((position for position, step in enumerate(steps) if not _plain(step)), default=-1)


def _plain(step: object) -> bool:
    """Tell whether a step can stand in a native template."""
    return isinstance(step, str) and bool(step) and not set(step) & set(".{}^@")


def written(parts: Parts, skipped: int, place: Place) -> str:
    """Return a native template for a record *skipped* steps further on than where *parts* begin."""
    out = []
    for part in parts:
        if isinstance(part, str):
            out.append(part)
        else:
            names = [str(step) for step in part.steps[skipped:]]
            out.append("{" + (".".join(names) or "value") + "}")
    return "".join(out)


def native_path(steps: Sequence[object], place: Place) -> str:
    """Return *steps* as a native path."""
    out = ""
    for step in steps:
        if step is ANY:
            out += "[*]"
        elif isinstance(step, int):
            out += f"[{step}]"
        elif not step or any(letter in ".[]*'\"@^{}$" or letter.isspace() for letter in str(step)):
            if "'" in str(step):
                raise place.fault(f"{step!r}: native paths have no way to write this name")
            out += f"['{step}']"
        else:
            out += f".{step}" if out else str(step)
    return out or "$"
