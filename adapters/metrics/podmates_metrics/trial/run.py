"""Rules tried on a sample: what would be on the page, and which rule took what. Nothing is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from podmates_metrics.exposition.text import Dialect, given, head
from podmates_metrics.formats.base import Format, FormatProblem
from podmates_metrics.formats.reading import feed
from podmates_metrics.native.file import Native, decode, shape
from podmates_metrics.native.presets import Presets, no_presets
from podmates_metrics.rules.apply import Applied
from podmates_metrics.rules.judging import Ruleset, for_source
from podmates_metrics.sources.base import Family
from podmates_metrics.statsd import mapping
from podmates_metrics.tree import Fault, Tree
from podmates_metrics.trial.beans import beans
from podmates_metrics.trial.events import events
from podmates_metrics.trial.foreign import Load, tries
from podmates_metrics.trial.lines import lines, mapped
from podmates_metrics.trial.witness import Witness, unlimited

_QUOTED = Dialect(head, quoted=True)  # names as they are


class NoTrial(Exception):
    """The sample cannot be tried; the text says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it: the *page* in the text format, *notes* about rules, and whether all was *good*."""

    page: str
    notes: tuple[str, ...]
    good: bool

    @property
    def text(self) -> str:
        """The page, and the notes as comments after it: still a page."""
        return self.page + "".join(f"# {note}\n" for note in self.notes)

    @property
    def series(self) -> list[str]:
        """The lines with a value."""
        return [line for line in self.page.split("\n") if line and not line.startswith("#")]


def run(
    tree: Tree | None,
    sample: bytes,
    source: str = "",
    presets: Presets = no_presets,
    *,
    check: Callable[[], None] = unlimited,
    load: Load | None = None,
) -> Trial:
    """Give *sample* to the rules of a native file, as if *source* had said it; or to a statsd_exporter file.

    Args:
        tree: the file.
        sample: what the source would say: a document, lines.
        source: one of the file's sources; empty: the only one.
        presets: what the file's sources may name.
        check: called for every record; what it raises ends the trial.
        load: gives the files at ``files``; None: they are refused.

    Raises:
        Fault: the file is wrong.
        NoTrial: there is no such source, or the sample cannot be read.
    """
    kind = shape(tree)
    if kind == "statsd_exporter":
        page, notes, problems = mapped(mapping.decode(tree), sample, check)
        return Trial(page, (*notes, *problems), bool(page) and not problems)
    if kind != "native" or tree is None:
        raise Fault(f"a file of {kind}; only native rules and statsd_exporter's can be tried")
    native = decode(tree, presets)
    others = tries(native, load)
    name = _chosen(native, source, others)
    if name in others:
        page, notes, problems = others[name](sample, check)
        return Trial(page, (*notes, *problems), bool(page) and not problems)
    return _tried(native, name, sample, Witness(check))


def _tried(native: Native, name: str, sample: bytes, witness: Witness) -> Trial:
    """Give *sample* to the native rules, as if the source called *name* had said it."""
    policy, problems = native.policy, list[str]()
    if native.statsd and name == native.statsd.name:
        page, problems = lines(policy.ruleset(native.rules, name, expose=True), sample, witness)
    elif jvm := next((jvm for jvm in native.jvms if jvm.target.label == name), None):
        families, problems = beans(policy.ruleset(native.rules, name, expose=True), sample, witness, jvm.seen)
        page = _text(families)
    elif log := next((log for log in native.logs if log.name == name), None):
        families, problems = events(policy.ruleset(native.rules, name), sample, log.format, witness)
        page = _text(families)
    else:
        format = next(pull.format for pull in native.pulls if pull.name == name)
        page = _text(_page(policy.ruleset(native.rules, name), sample, format, witness))
    good = witness.good and bool(page) and not problems
    return Trial(page, (*witness.lines(for_source(native.rules, name)), *problems), good)


def _text(families: list[Family]) -> str:
    return "".join(given(family, _QUOTED) for family in sorted(families, key=lambda family: family.name))


def _chosen(native: Native, source: str, others: Iterable[str]) -> str:
    names = [pull.name for pull in native.pulls] + [target.label for target in native.jmx]
    names += [log.name for log in native.logs]
    names += [native.statsd.name] if native.statsd else []
    names += [name for name in others if name not in names]
    if source and source not in names:
        raise NoTrial(
            f"there is no source {source} that can be tried; want one of {', '.join(names) or 'none'}"
        )
    if not source and len(names) != 1:
        raise NoTrial(f"which source does the sample come from? One of {', '.join(names) or 'none'}")
    return source or names[0]


def _page(rules: Ruleset, sample: bytes, format: Format, witness: Witness) -> list[Family]:
    applied = Applied(rules)
    applied.witness = witness
    try:
        feed(sample, format, applied)
    except FormatProblem as error:
        raise NoTrial(f"the sample: {error}") from None
    return list(applied.families.values())
