"""The entries below ``sources:`` of a native file: what is asked, where and how. Strict."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from podmates_metrics.native.jvms import Jvm, decode_jvm
from podmates_metrics.native.logs import Log, decode_log
from podmates_metrics.native.presets import Presets, expanded
from podmates_metrics.native.pulls import DECODERS, Pull, decode_pull
from podmates_metrics.tree import Keys, Tree

_KINDS = (*DECODERS, "log", "jmx", "statsd")
_WANT = "want one of " + ", ".join(_KINDS)
SOURCE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")  # a name of one


@dataclass(frozen=True, slots=True)
class Statsd:
    """StatsD listeners in place of the default ones; an empty address is off."""

    udp: str = ""
    tcp: str = ""
    name: str = ""


Entry = Pull | Log | Statsd | Jvm


def decode_source(name: str, sources: Keys, presets: Presets) -> tuple[Entry, Sequence[Tree]]:
    """Return the source called *name*, and the rules of its preset, which are for a source `NAME`.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    entry = sources.table_at(name, "source")
    place = sources.place(name)
    if not SOURCE.fullmatch(name):
        raise place.fault("want a name of letters, digits, _ and -")
    kinds = [key for key in entry.table.entries if key != "unmapped"] if entry else []
    if entry is None or len(kinds) != 1:
        raise place.fault(_WANT)
    kind = kinds[0]
    if kind not in _KINDS:
        raise entry.place(kind).fault(f"source kind {kind}: unknown; {_WANT}")
    inner = entry.table_at(kind, f"source.{kind}")
    if inner is None:
        raise entry.place(kind).fault("want a table of keys and values")
    rules: Sequence[Tree] = ()
    if kind in DECODERS or kind == "log":
        inner, rules = expanded(inner, kind, presets)
    made: Entry
    if kind in DECODERS:
        made = decode_pull(name, kind, inner)
    elif kind == "log":
        made = decode_log(name, inner)
    elif kind == "jmx":
        made = decode_jvm(name, inner)
    else:
        made = Statsd(inner.text("udp"), inner.text("tcp"), name)
    inner.finish()
    return made, rules
