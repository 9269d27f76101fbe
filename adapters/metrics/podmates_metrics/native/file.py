"""The native rule file: sources, and rules from records to series. Strict: every unknown key is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from podmates_metrics.jmx.target import Target
from podmates_metrics.jmx_exporter.shape import looks_like_one
from podmates_metrics.native.entries import Statsd, decode_source
from podmates_metrics.native.foreign import Foreign, decode_files
from podmates_metrics.native.jvms import Jvm
from podmates_metrics.native.logs import Log
from podmates_metrics.native.policy import Policy, decode_policy
from podmates_metrics.native.presets import NAME, Presets, no_presets
from podmates_metrics.native.pulls import Pull
from podmates_metrics.native.rules import NativeRule, Origin, decode_rules
from podmates_metrics.otlp.config import Push, decode_push
from podmates_metrics.tree import Fault, Place, Table, Tree, keys, one_of

_NAMES = one_of({"escaped": False, "utf8": True}, "{} is neither escaped nor utf8")


@dataclass(frozen=True, slots=True)
class Native:
    pulls: tuple[Pull, ...] = ()
    jvms: tuple[Jvm, ...] = ()
    statsd: Statsd | None = None
    rules: tuple[NativeRule, ...] = ()
    logs: tuple[Log, ...] = ()
    policy: Policy = field(default_factory=Policy)
    push: Push | None = None
    files: tuple[Foreign, ...] = ()

    @property
    def jmx(self) -> tuple[Target, ...]:
        """The JVMs to read."""
        return tuple(jvm.target for jvm in self.jvms)


def decode(tree: Tree, presets: Presets = no_presets) -> Native:
    """Return the sources and rules of a native file; *presets* gives the files that its sources name.

    The rules of a preset come after the file's own, and count on from there.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    top = keys(tree, Place("", 1), "file")
    pulls: list[Pull] = []
    logs: list[Log] = []
    jmx: list[Jvm] = []
    statsd: Statsd | None = None
    known: dict[str, Origin] = {}
    lent: dict[str, Sequence[Tree]] = {}  # rules of presets by source
    sources = top.table_at("sources", "sources")
    for name in sources.table.entries if sources else ():
        assert sources is not None  # noqa: S101
        found, lent[name] = decode_source(name, sources, presets)
        if isinstance(found, Pull):
            pulls.append(found)
            known[name] = Origin(found.kind, found.fields)
        elif isinstance(found, Log):
            logs.append(found)
            known[name] = Origin("log", found.fields)
        elif isinstance(found, Statsd):
            if statsd:
                raise sources.place(name).fault("there is a statsd source already")
            statsd = found
            known[name] = Origin("statsd")
        else:
            jmx.append(found)
            known[name] = Origin("jmx", finished=found.seen.finish is not None)
    utf8 = top.scalar("names", _NAMES, False)
    rules = decode_rules(top.list_at("rules"), known, utf8=utf8)
    for name, items in lent.items():
        own = decode_rules(items, {NAME: known[name]})
        rules += [replace(rule, source=name, index=len(rules) + rule.index) for rule in own]
    policy = decode_policy(top)
    push = decode_push(top)
    files = decode_files(top, known, rules)
    top.finish()
    return Native(tuple(pulls), tuple(jmx), statsd, tuple(rules), tuple(logs), policy, push, files)


def shape(tree: Tree | None) -> str:
    """Tell whose file it is by its top-level keys: native, statsd_exporter, jmx_exporter, json_exporter.

    Raises:
        Fault: it is none of them.
    """
    if not isinstance(tree, Table):
        raise Fault("line 1: want a table of keys and values")
    entries = tree.entries
    if "sources" in entries:
        return "native"
    if "mappings" in entries:
        return "statsd_exporter"
    if "modules" in entries:
        return "json_exporter"
    if looks_like_one(entries):
        return "jmx_exporter"
    if set(entries) <= {"defaults"} and entries:
        return "statsd_exporter"
    return "native"
