"""Cases of a StatsD bridge: what was sent and what a page then shows, as observed of statsd_exporter.

`statsd_cases.jsonl` has one case per line. A *wire* case sends packets and looks once, a *steps* case does
one thing after the other. Classes: *core* is what users rely on, *quirk* what may be unintended and is kept
here; *hazard* is what ends the original, where the only promise is that later lines count.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Case = dict[str, Any]
Key = tuple[str, frozenset[tuple[str, str]]]
Page = dict[Key, tuple[str, float]]  # sample name and labels → type of its family, value

_FILE = Path(__file__).with_name("statsd_cases.jsonl")
_OWN = ("statsd_exporter_", "statsd_metric_mapper_", "process_", "podmates_")
_ERRORS = tuple(
    f"statsd_exporter_{name}_total"
    for name in ("sample_errors", "tag_errors", "events_error", "events_conflict")
)
_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_PARTS = {"summary": ("_sum", "_count"), "histogram": ("_sum", "_count", "_bucket")}


def cases() -> list[Case]:
    """Return every case."""
    return [json.loads(line) for line in _FILE.read_text().splitlines()]


def steps(case: Case) -> list[dict[str, Any]]:
    """Return what to do in *case*, one thing at a time."""
    if "steps" in case:
        found: list[dict[str, Any]] = case["steps"]
        return found
    look = {k: v for k, v in case.items() if k.startswith(("expect", "absent", "strict"))}
    return [{"send": case["packets"], "transport": case.get("transport", "udp")}, look]


def read(text: str) -> Page:
    """Return what is on a page; not by prometheus-client's parser, which calls every counter _total."""
    types: dict[str, str] = {}
    page: Page = {}
    for line in text.split("\n"):
        if line.startswith("# TYPE "):
            _, _, name, types[name] = line.split(" ")
        elif line and not line.startswith("#"):
            name, labels, value = _SAMPLE.fullmatch(line).groups()  # type: ignore[union-attr]
            trunk = name if name in types else name.rpartition("_")[0]
            pairs = frozenset((label, _plain(quoted)) for label, quoted in _LABEL.findall(labels or ""))
            assert (name, pairs) not in page, line
            page[name, pairs] = (types[trunk], float(value))
    return page


def _plain(quoted: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], quoted)


def problems(wanted: Mapping[str, Any], page: Page) -> list[str]:
    """Return how *page* differs from what a step wants; nothing if it does not."""
    samples = _wanted(wanted.get("expect", []))
    found = [
        f"{key}: {page.get(key)}, want {value}"
        for key, value in samples.items()
        if not _same(page.get(key), value)
    ]
    shown = {name for name, _ in page}
    found += [f"{name} is there" for name in wanted.get("absent", []) if name in shown]
    found += [
        f"{one} is there"
        for one in wanted.get("absent_series", [])
        if (one["name"], frozenset(one.get("labels", {}).items())) in page
    ]
    if wanted.get("strict"):
        told = {_trunk(key) for key in samples}
        found += [f"{k} is there" for k in page if not k[0].startswith(_OWN) and _trunk(k) not in told]
    return found + _internal(wanted, page)


def _wanted(expected: list[dict[str, Any]]) -> dict[Key, tuple[str, float | None]]:
    samples: dict[Key, tuple[str, float | None]] = {}
    for one in expected:
        name, kind = one["name"], one.get("type", "")
        labels = frozenset((one.get("labels") or {}).items())
        if kind not in _PARTS:
            samples[name, labels] = (kind, _number(one.get("value")))
            continue
        samples[f"{name}_sum", labels] = (kind, _number(one.get("value")))
        samples[f"{name}_count", labels] = (kind, _number(one.get("count")))
        for part, label in (("quantiles", "quantile"), ("buckets", "le")):
            suffix = "_bucket" if label == "le" else ""
            for text, value in (one.get(part) or {}).items():
                samples[name + suffix, labels | {(label, text)}] = (kind, _number(value))
    return samples


def _trunk(key: Key) -> Key:
    """Return what all samples of a series have in common."""
    name, labels = key
    if any(label in ("quantile", "le") for label, _ in labels) or name.endswith(("_sum", "_count")):
        name = name.removesuffix("_sum").removesuffix("_count").removesuffix("_bucket")
    return name, frozenset(pair for pair in labels if pair[0] not in ("quantile", "le"))


def _internal(wanted: Mapping[str, Any], page: Page) -> list[str]:
    shown = {_text(key): value for key, (_, value) in page.items()}
    found = []
    if "expect_errors" in wanted:
        have = {name: n for name, n in shown.items() if n and name.startswith(_ERRORS)}
        want = {name: float(n) for name, n in wanted["expect_errors"].items()}
        found += [f"errors: {have}, want {want}"] if have != want else []
    for name, value in wanted.get("expect_internal", {}).items():
        if shown.get(name, 0.0) != float(value):
            found.append(f"{name}: {shown.get(name)}, want {value}")
    return found


def _text(key: Key) -> str:
    name, labels = key
    inner = ",".join(f'{label}="{value}"' for label, value in sorted(labels))
    return f"{name}{{{inner}}}" if inner else name


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)


def _same(have: tuple[str, float] | None, want: tuple[str, float | None]) -> bool:
    if have is None or (want[0] and have[0] != want[0]):
        return False
    value = want[1]
    if value is None or (math.isnan(value) and math.isnan(have[1])):
        return True
    return have[1] == value or math.isclose(have[1], value, rel_tol=1e-9, abs_tol=1e-9)
