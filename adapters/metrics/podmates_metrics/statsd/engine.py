"""From raw lines to series: the hot path, and behind it grammar, mapping and store, with every count kept.

An event that cannot be used costs one count, never the process and never a scrape.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from podmates_metrics.sources.base import Exemplar
from podmates_metrics.statsd.hot import Cell, Tally
from podmates_metrics.statsd.line import Event, Parsed, Styles, parse
from podmates_metrics.statsd.mapper import Decision, Mapper
from podmates_metrics.statsd.mapping import Rule
from podmates_metrics.statsd.store import Refusal, Series, Store

OVERFLOW = "__overflow__"
MAX_CONFLICTS = 1000  # names that the conflict counter tells apart
MAX_CONFLICT_NAME = 256  # characters; a longer one is summed up with the rest
MAX_REMEMBERED = 512  # bytes of a line that may take the fast path
Totals = dict[str, dict[tuple[str, ...], float]]  # metric name → label values → value


class _Counted(NamedTuple):
    counts: Counter[str]
    events: Counter[str]
    mapped: Counter[str]
    made: Counter[str]
    over: Counter[str]
    quick: int  # lines that the hot path took


class Engine:
    """All that StatsD lines do.

    Args:
        twin: the module of the hot path, `hot` or the compiled `_plane`.
        mapper: the mapping in force.
        styles: which tag styles are looked for.
        store: where the series are.
        remembered: lines that the hot path remembers at most.
    """

    def __init__(
        self, twin: Any, mapper: Mapper, styles: Styles, *, store: Store, remembered: int = 1 << 18
    ) -> None:
        self.store = store
        self.mapper = mapper
        self.reloads: Counter[str] = Counter()
        self._styles = styles
        self.twin = twin
        self._intake = twin.Intake(self._slow, remembered)
        self._tallies: dict[tuple[str, bool, str, str], Tally] = {}
        self._counts: Counter[str] = Counter()  # samples, tags, tag_errors
        self._events: Counter[str] = Counter()  # by kind
        self._mapped: Counter[str] = Counter()  # map, drop, unmapped
        self._made: Counter[str] = Counter()  # events that made a series, by rule
        self._reasons: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._ignored: Counter[str] = Counter()
        self._conflicts: Counter[tuple[str, str]] = Counter()
        self._gone = 0  # series that expired since the hot path forgot
        self._wall: float | None = None  # what the time of day is ahead of the clock

    def feed(self, data: bytes, now: float) -> None:
        """Take lines separated by newlines; *now* is a clock that never goes back, in seconds."""
        self._intake.feed(data, now)

    def receiver(self, fd: int, *, most: int = 4 << 20) -> Any:
        """Return what receives datagrams from *fd* in a thread and feeds them here; None: the twin cannot.

        Some *most* bytes of lines that are not known wait there for `feed`.
        """
        make = getattr(self.twin, "Receiver", None)
        return make(self._intake, fd, most=most) if make else None

    def use(self, mapper: Mapper) -> None:
        """Put another mapping in force; living series stay what they are."""
        self._intake.clear()
        counted = self._counted()  # what the hot path counted was by the rules until now
        self._tallies.clear()
        self._counts, self._events, self._mapped = counted.counts, counted.events, counted.mapped
        mapper.gets, mapper.hits = self.mapper.gets + counted.quick, self.mapper.hits + counted.quick
        mapper.overflow = self.mapper.overflow + counted.over
        self._made = mapper.go_on(self.mapper, counted.made)
        self.mapper = mapper

    def sweep(self, now: float, wall: float | None = None) -> None:
        """Do what time brings; to be called about every second. *wall* is the time of day, for exemplars."""
        self._wall = None if wall is None else wall - now
        self._gone += self.store.sweep(now)
        if self._gone * 2 > len(self._intake):
            self._intake.clear()
            self._gone = 0

    def _slow(self, line: bytes, now: float) -> None:
        parsed = parse(line, self._styles)
        self._counts["samples"] += parsed.samples
        self._counts["tags"] += parsed.tagged
        self._counts["tag_errors"] += parsed.tag_errors
        for reason in parsed.errors:
            self._reasons[reason.value] += 1
        for letter in parsed.ignored:
            self._ignored[letter] += 1
        for event in parsed.events:
            if event.weight > 0:
                decisions = self.mapper.judge(event)
                for decision in decisions:
                    series = self._apply(event, decision, now)
                    alone = len(decisions) == 1 and len(line) <= MAX_REMEMBERED and _replayable(parsed)
                    if series is not None and alone and not decision.once:
                        self._bind(line, event, series, decision.rule)

    def _apply(self, event: Event, decision: Decision, now: float) -> Series | None:
        """Do what the mapping decided; return the series, or None if the event made none."""
        event, kind = decision.event or event, decision.kind or event.kind
        rule, shape, value = decision.rule, self.mapper.mapping.shape, event.value
        labels = event.labels
        if rule is None:
            self._mapped["unmapped"] += event.weight
        elif rule.drop:
            self._mapped["drop"] += event.weight
            return None
        else:
            self._mapped["map"] += event.weight
            shape = rule.shape
            ours = dict(decision.labels)
            labels = ours | labels if rule.honor_labels else labels | ours
            value /= rule.divide
            if rule.scale is not None:
                value *= rule.scale
        if kind == "counter" and value < 0:
            self._errors["illegal_negative_counter"] += 1
            return None
        place = self.mapper.placed(decision, kind, labels, self.store)
        if place is None:
            return None
        series = self.store.series(decision.name, kind, place, shape, now=now)
        if isinstance(series, Refusal):
            self._refuse(series, event, decision.name)
            return None
        if series.members is not None:
            series.join(event.text)
        else:
            series.cell.update(value, event.weight, event.relative)
        series.cell.seen = now
        if decision.exemplar:
            series.tell(Exemplar(decision.exemplar, value, None if self._wall is None else now + self._wall))
        self._events[event.kind] += event.weight
        self._made[self.mapper.label(rule)] += event.weight
        return series

    def _refuse(self, refusal: Refusal, event: Event, name: str) -> None:
        if refusal is not Refusal.CONFLICT:
            self._errors[refusal.value] += event.weight
            return
        key = (event.kind, name)
        full = key not in self._conflicts and len(self._conflicts) >= MAX_CONFLICTS
        if full or len(name) > MAX_CONFLICT_NAME:
            key = (event.kind, OVERFLOW)
        self._conflicts[key] += event.weight

    def _bind(self, line: bytes, event: Event, series: Series, rule: Rule | None) -> None:
        """Let the hot path take this line from now on."""
        family = series.family
        beyond = family.name if series.labels in family.beyond else ""
        key = (event.kind, bool(event.labels), self.mapper.label(rule), beyond)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = self.twin.Tally()
        scale = 1.0 if rule is None or rule.scale is None else rule.scale
        divisor = event.divisor if rule is None else event.divisor * rule.divide
        cell: Cell = series.cell
        self._intake.bind(line, cell, (divisor, scale, event.weight), tally)

    def _counted(self) -> _Counted:
        """Return what the slow path and the hot path have counted together."""
        counts, events, mapped = Counter(self._counts), Counter(self._events), Counter(self._mapped)
        made, over, quick = Counter(self._made), Counter[str](), 0
        for (kind, tagged, ruled, beyond), tally in self._tallies.items():
            observations = tally.count + tally.extra
            counts["samples"] += tally.count
            counts["tags"] += tally.count if tagged else 0
            events[kind] += observations
            made[ruled] += observations
            over[beyond] += tally.count if beyond else 0
            mapped["map" if ruled else "unmapped"] += observations
            quick += tally.count
        return _Counted(counts, events, mapped, made, +over, quick)

    def totals(self) -> Totals:
        """Return the values of the self metrics that this part keeps."""
        counts, events, mapped, made, over, quick = self._counted()
        own = "statsd_exporter_"
        totals: Totals = {
            f"{own}lines_total": {(): self._intake.lines},
            f"{own}samples_total": {(): counts["samples"]},
            f"{own}tags_total": {(): counts["tags"]},
            f"{own}tag_errors_total": {(): counts["tag_errors"]},
            f"{own}events_unmapped_total": {(): mapped.pop("unmapped", 0)},
            f"{own}events_total": _labelled(events),
            f"{own}events_actions_total": _labelled(mapped),
            f"{own}events_error_total": _labelled(self._errors),
            f"{own}sample_errors_total": _labelled(self._reasons),
            f"{own}events_conflict_total": {(kind, name): n for (kind, name), n in self._conflicts.items()},
            f"{own}config_reloads_total": _labelled(self.reloads),
            f"{own}loaded_mappings": {(): len(self.mapper.mapping.rules)},
            f"{own}metrics_total": _labelled(Counter(self.store.made)),
            "podmates_statsd_ignored_fields_total": _labelled(self._ignored),
            "podmates_statsd_series": {(): self.store.count},
            "podmates_statsd_remembered_lines": {(): len(self._intake)},
        }
        if self.mapper.size:
            cache = "statsd_metric_mapper_cache_"
            totals[f"{cache}length"] = {(): len(self.mapper)}
            totals[f"{cache}gets_total"] = {(): self.mapper.gets + quick}
            totals[f"{cache}hits_total"] = {(): self.mapper.hits + quick}
        return totals | self.mapper.totals(made, counts["samples"], self.store, beyond=over)


def _replayable(parsed: Parsed) -> bool:
    """Tell whether the line means the same with another value, and its value stands alone."""
    faults = parsed.errors or parsed.tag_errors or parsed.ignored or parsed.once
    return parsed.samples == 1 and not faults and parsed.events[0].divisor != 0.0


def _labelled(counts: Counter[str]) -> dict[tuple[str, ...], float]:
    return {(label,): value for label, value in counts.items() if value}
