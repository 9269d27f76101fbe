"""What a path template consists of, as `grammar` reads it and `paths` compiles it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """Text as it stands: outside of braces, or quoted within."""

    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or truth value; a whole number is an `int`, as no number of a document is."""

    value: bool | int | float


@dataclass(frozen=True, slots=True)
class Member:
    """``.name`` of every object."""

    name: str


@dataclass(frozen=True, slots=True)
class Members:
    """``.*``: all that is in an object, list or text."""


@dataclass(frozen=True, slots=True)
class Descent:
    """``..``: everything that holds something, at any depth."""


@dataclass(frozen=True, slots=True)
class Slice:
    """``[start:end:step]`` of every list; None is what was left out. ``[n]`` is *single*."""

    start: int | None
    end: int | None
    step: int | None
    single: bool = False


@dataclass(frozen=True, slots=True)
class Union:
    """``[a,b]``: what each choice gives, one after the other."""

    choices: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """``[?(left operator right)]``: the items of every list that it holds for; no operator: *left* exists."""

    left: Action
    operator: str
    right: Action | None


@dataclass(frozen=True, slots=True)
class Word:
    """A name without a dot: ``range`` and ``end`` mean something, any other fails when it is come to."""

    name: str


@dataclass(frozen=True, slots=True)
class Action:
    """What stands in one pair of braces: steps from the current value."""

    steps: tuple[Node, ...]


Node = Text | Literal | Member | Members | Descent | Slice | Union | Filter | Word | Action
