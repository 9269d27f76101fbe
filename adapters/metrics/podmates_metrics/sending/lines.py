"""StatsD lines of what a person names, and datagrams of lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from podmates_metrics.statsd.line import Styles, parse

TYPES = ("counter", "gauge", "timer", "histogram", "distribution", "set")
_SAMPLED = ("counter", "timer", "histogram", "distribution")
_LETTERS = {"histogram": "h", "distribution": "d"}
_EVERYTHING = Styles(extended=True)


class Wrong(ValueError):
    """It cannot be said in StatsD; the text says why."""


class Said(NamedTuple):
    """What is to be sent, in a person's words."""

    type: str  # one of `TYPES`
    name: str
    values: Sequence[str]
    rate: str = ""  # a number above 0 and up to 1; empty: not sampled
    tags: Sequence[str] = ()  # key:value, or a key alone
    relative: bool = False  # the gauge is moved


def lines(said: Said) -> list[str]:
    """Return the lines that say it, a value each; a gauge below zero takes two.

    Raises:
        Wrong: the grammar has no such line.
    """
    if said.rate and said.type not in _SAMPLED:
        raise Wrong(f"a {said.type} is not sampled: --rate is for {', '.join(_SAMPLED)}")
    if said.relative and said.type != "gauge":
        raise Wrong(f"--relative moves a gauge, this is a {said.type}")
    if said.rate and not 0 < _number(said.rate) <= 1:
        raise Wrong(f"--rate={said.rate}: want a number above 0, at most 1")
    values = said.values or (["1"] if said.type == "counter" else [])
    if not values:
        raise Wrong(f"a {said.type} wants a value")
    end = (f"|@{said.rate}" if said.rate else "") + (f"|#{','.join(said.tags)}" if said.tags else "")
    made = [line + end for value in values for line in _plain(said, value)]
    for line in made:
        _check(line, said)
    return made


def _plain(said: Said, value: str) -> list[str]:
    """Return the lines of a value as the package statsd makes them."""
    from podmates_metrics.sending.client import Client  # late: it brings the package

    client = Client()
    if said.type == "counter":
        if _number(value) < 0:
            raise Wrong(f"{value}: a counter does not go down")
        client.incr(said.name, value)
    elif said.type == "gauge":
        client.gauge(said.name, _number(value), delta=said.relative)
    elif said.type == "timer":
        client.timing(said.name, _number(value))
    elif said.type == "set":
        client.set(said.name, value)
    else:
        client.observe(said.name, value, _LETTERS[said.type])
    return client.lines


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise Wrong(f"{text}: want a number") from None


def _check(line: str, said: Said) -> None:
    """Refuse a line that does not mean what was said, because a sign of the grammar is in a part of it."""
    parsed = parse(line.encode("utf-8", "surrogateescape"), _EVERYTHING)
    names = [event.name for event in parsed.events]
    tags = parsed.events[0].labels if parsed.events else {}
    if (
        parsed.errors
        or parsed.tag_errors
        or names != [said.name]
        or len(tags) != len(said.tags)
        or "\n" in line
    ):
        reason = f" ({parsed.errors[0].value})" if parsed.errors else ""
        raise Wrong(
            f"{line!r} would not mean that{reason}: a part has a sign in it that divides StatsD lines"
        )


def packets(lines: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield datagrams of up to *size* bytes with as many lines as fit; a longer line has one of its own."""
    held = b""
    for line in lines:
        if held and len(held) + 1 + len(line) > size:
            yield held
            held = b""
        held = held + b"\n" + line if held else line
    if held:
        yield held
