"""One StatsD line to samples, or the reasons why not; all four tag styles of statsd_exporter.

Nothing here counts or stores: what was wrong is a value from a closed set (`Reason`), so it can become a
label and cannot explode.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from podmates_metrics.golang import parse_float
from podmates_metrics.statsd.dogstatsd import Notice, notice
from podmates_metrics.statsd.names import escape

OBSERVERS = {"ms", "h", "d"}
PACKED = OBSERVERS | {"c", "g"}
# What stands before the colon of DogStatsD's fields: container, external data, cardinality.
_CONTAINER = frozenset({"c"})
_FIELDS = frozenset({"c", "e", "card"})
KINDS = {"c": "counter", "g": "gauge", "ms": "observer", "h": "observer", "d": "observer"}
MAX_WEIGHT = 1_000_000_000  # what a sampling rate can multiply a sample by
_UNDERSCORE = ord("_")
_MAX_PARTS = 6  # value, type and at most four fields


class Reason(Enum):
    """Values of the `reason` label of statsd_exporter_sample_errors_total."""

    LINE = "malformed_line"
    MIXED = "mixed_tagging_styles"
    PARTS = "not_enough_parts_after_colon"
    PACKED = "invalid_extended_aggregate_type"
    COMPONENT = "malformed_component"
    VALUE = "malformed_value"
    FACTOR = "invalid_sample_factor"
    CONTAINER = "malformed_container_id"
    ILLEGAL = "illegal_event"


@dataclass(frozen=True, slots=True)
class Styles:
    """What is looked for: the tag styles, and more of DogStatsD."""

    dogstatsd: bool = True
    influxdb: bool = True
    librato: bool = True
    signalfx: bool = True
    containers: bool = True  # a container's id becomes a label
    extended: bool = False  # sets, events, service checks, tags without a value, packed counters and gauges


@dataclass(slots=True)
class Event:
    """One observation. *weight* is carried, never expanded: @1e-9 must not cost a billion events."""

    name: str  # after tag removal, before escaping
    kind: str  # counter, gauge, observer, set
    text: str  # the value as sent
    value: float  # seconds for ms; divided by the rates for a counter
    divisor: float  # what *value* was divided by; 1.0 in most lines, 0.0 if by several numbers in turn
    weight: int = 1  # observers: how many observations it stands for
    relative: bool = False  # gauge: the value carried a sign
    letter: str = ""  # the type as sent: c, g, ms, h, d, s
    lines: float = 1.0  # counters: how many lines it stands for, by its sampling rates
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Parsed:
    """What a line held, and how often which fault."""

    events: list[Event] = field(default_factory=list)
    samples: int = 0
    tagged: int = 0  # samples that carried labels
    tag_errors: int = 0
    errors: list[Reason] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # letters of the fields that we do not know
    once: bool = False  # with another text in its place, the value would not mean the same


def parse(line: bytes, styles: Styles) -> Parsed:
    """Return what *line* says; an empty line says nothing, which is no error."""
    parsed = Parsed()
    if not line:
        return parsed
    if styles.extended and line[0] == _UNDERSCORE and _noticed(line, styles, parsed):
        return parsed
    try:
        raw, colon, rest = line.decode("utf-8").partition(":")
    except UnicodeDecodeError:
        raw, colon, rest = "", "", ""
    if not raw or not colon:
        parsed.errors.append(Reason.LINE)
        return parsed
    reader = _Reader(styles, parsed)
    reader.name = reader.cut(raw)
    tagged = "|#" in rest
    if tagged and reader.labels:
        parsed.errors.append(Reason.MIXED)
        return parsed
    for sample in _samples(rest, tagged, parsed, extended=styles.extended):
        reader.sample(sample)
    return parsed


def _noticed(line: bytes, styles: Styles, parsed: Parsed) -> bool:
    """Take *line* if it is an event or a service check, and tell whether it is."""
    try:
        found = notice(line)
    except ValueError:
        parsed.errors.append(Reason.LINE)
        return True
    if found is not None:
        _Reader(styles, parsed).note(found)
    return found is not None


def _samples(rest: str, tagged: bool, parsed: Parsed, *, extended: bool) -> list[str]:
    """Cut what follows the name into samples of the form ``value|type|field…``."""
    values, bar, tail = rest.partition("|")
    if not bar:
        parsed.errors.append(Reason.PARTS)
        return []
    if ":" in values:
        if tail.split("|")[0] not in (PACKED if extended else OBSERVERS):
            parsed.errors.append(Reason.PACKED)
            return []
        return [f"{value}|{tail}" for value in values.split(":")]
    return [rest] if tagged or ":" not in rest else _split(rest, _FIELDS if extended else _CONTAINER)


def _split(rest: str, fields: frozenset[str]) -> list[str]:
    """Split at every ``:`` but those of *fields*: ``1|c|c:abc`` is one sample, ``1|c:2|c`` two."""
    samples, start = [], 0
    position = rest.find(":")
    while position >= 0:
        sofar = rest[start:position]
        if sofar.rpartition("|")[2] in fields and sofar.count("|") >= 2:
            bar = rest.find("|", position)
            position = len(rest) if bar < 0 else bar
        else:
            samples.append(sofar)
            start = position = position + 1
        position = rest.find(":", position)
    return [*samples, rest[start:]]


class _Reader:
    """Reads the parts of one line into a `Parsed`; the labels are shared by all samples of the line."""

    __slots__ = ("_parsed", "_styles", "labels", "name")

    def __init__(self, styles: Styles, parsed: Parsed) -> None:
        self.name = ""
        self.labels: dict[str, str] = {}
        self._styles, self._parsed = styles, parsed

    def cut(self, raw: str) -> str:
        """Return the name in *raw*; the tags in it become labels."""
        if self._styles.signalfx and ("[" in raw or "]" in raw):
            start, end = raw.find("["), raw.find("]")
            if start < 0 or end < start:  # half a pair, or a pair turned round (which ends the original)
                self._parsed.tag_errors += 1
                return raw
            self._tags(raw[start + 1 : end], "=")
            return raw[:start] + raw[end + 1 :]
        styles = (("#", self._styles.librato), (",", self._styles.influxdb))
        marks = [mark for mark, on in styles if on and mark in raw]
        if not marks:
            return raw
        cut = min(raw.index(mark) for mark in marks)
        self._tags(raw[cut + 1 :], "=")
        return raw[:cut]

    def _tags(self, text: str, separator: str) -> None:
        parts = text.split(",")
        if not parts[-1]:
            parts.pop()  # one trailing comma, or nothing at all
        for part in parts:
            key, found, value = (part.removeprefix("#") if separator == ":" else part).partition(separator)
            if key and found and value:
                self.labels[escape(key)] = value
            elif key and not found and separator == ":" and self._styles.extended:
                self.labels[escape(key)] = "true"
            else:
                self._parsed.tag_errors += 1

    def sample(self, sample: str) -> None:
        """Read one ``value|type|field…``."""
        parsed = self._parsed
        parsed.samples += 1
        value, *parts = sample.split("|")
        if not 1 <= len(parts) < _MAX_PARTS:
            parsed.errors.append(Reason.COMPONENT)
            return
        letter, *fields = parts
        member = letter == "s" and self._styles.extended and value != ""
        kind = "set" if member else KINDS.get(letter, "")
        try:
            number = 0.0 if member else parse_float(value)
            event = Event(self.name, kind, value, number, 1.0, letter=letter)
        except ValueError:
            parsed.errors.append(Reason.VALUE)
            return
        faults = [] if all(fields) else [Reason.COMPONENT]
        for text in () if faults else fields:
            fault = self._field(text, event)
            if fault:
                faults.append(fault)
                break
        parsed.tagged += bool(self.labels) and not faults
        if not faults and not event.kind:
            faults.append(Reason.ILLEGAL)
        parsed.errors += faults
        if not faults:
            self._finish(event, letter)

    def _finish(self, event: Event, letter: str) -> None:
        if letter == "ms":
            event.value, event.divisor = event.value / 1000, 1000.0
        event.relative = event.kind == "gauge" and event.text[0] in "+-"
        event.labels = dict(self.labels)
        self._parsed.once |= event.kind == "set"
        self._parsed.events.append(event)

    def note(self, found: Notice) -> None:
        """Take an event or a service check."""
        self._tags(found.tags, ":")
        labels = self.labels | found.labels
        self._parsed.samples += 1
        self._parsed.tagged += 1
        self._parsed.once = True
        event = Event(found.name, found.kind, "", found.value, 1.0, letter=found.kind[0], labels=labels)
        self._parsed.events.append(event)

    def _field(self, text: str, event: Event) -> Reason | None:
        """Take one field into *event* and the labels; return the reason if it spoils the sample."""
        match text[0]:
            case "@":
                self._rate(text[1:], event)
            case "#":
                if self._styles.dogstatsd:
                    self._tags(text[1:], ":")
            case "c" if text.startswith("c:") and len(text) > 2:
                if self._styles.containers:
                    self.labels["container_id"] = text[2:]
            case "T":
                pass  # a time stamp: Prometheus wants the present
            case "e" | "c" if text.startswith(("e:", "card:")):
                self._parsed.ignored.append(text.partition(":")[0])
            case "c":
                return Reason.CONTAINER
            case _:
                return Reason.FACTOR
        return None

    def _rate(self, text: str, event: Event) -> None:
        """Apply a sampling rate; one that is no number is counted and taken as 1, zero is taken as 1."""
        try:
            rate = parse_float(text)
        except ValueError:
            self._parsed.errors.append(Reason.FACTOR)
            rate = 1.0
        rate = rate or 1.0
        if event.kind == "counter":
            event.value = event.value / rate
            event.lines /= rate
            event.divisor = rate if event.divisor == 1.0 else 0.0
        elif event.kind == "observer":
            repeats = 1 / rate
            event.weight = int(min(repeats, MAX_WEIGHT)) if repeats > 0 else 0
