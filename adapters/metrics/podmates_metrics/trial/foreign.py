"""Foreign files of a native one tried: each by the code that would run it."""

from __future__ import annotations

from collections.abc import Callable

from podmates_metrics.exposition.text import given
from podmates_metrics.jmx_exporter.configuration import decode as decode_jmx
from podmates_metrics.json_exporter.core import documents
from podmates_metrics.json_exporter.core.extract import Conflict, extract
from podmates_metrics.json_exporter.core.modules import decode as decode_modules
from podmates_metrics.json_exporter.core.page import text
from podmates_metrics.native.file import Native, shape
from podmates_metrics.statsd import mapping
from podmates_metrics.tree import Fault, Tree
from podmates_metrics.trial.beans import foreign_beans
from podmates_metrics.trial.lines import mapped

Load = Callable[[str], Tree | None]  # a file by the path that the native one has; raises Fault
Page = tuple[str, list[str], list[str]]  # the page, notes, what was wrong
Try = Callable[[bytes, Callable[[], None]], Page]  # of a sample; the second is called for every record


def tries(native: Native, load: Load | None) -> dict[str, Try]:
    """Return what can be tried by the foreign files of *native*: a source, a module, ``statsd``, ``jmx``.

    Raises:
        Fault: a file is wrong, or there is nobody to load it.
    """
    made: dict[str, Try] = {}
    for named in native.files:
        if load is None:
            raise named.place.fault("files are not read here; podmates-metrics try reads them")
        tree = load(named.path)
        try:
            made |= _tries(native, named.source, shape(tree), tree)
        except Fault as error:
            raise Fault(f"{named.path}: {error}") from None
    return made


def _tries(native: Native, source: str, kind: str, tree: Tree | None) -> dict[str, Try]:
    if kind == "statsd_exporter":
        name = source or (native.statsd.name if native.statsd else "statsd")
        rules = mapping.decode(tree)
        return {name: lambda sample, check: mapped(rules, sample, check)}
    if kind == "jmx_exporter":
        return {source or "jmx": _beans(tree)}
    if kind == "json_exporter":
        return {name: _document(tree, name) for name in decode_modules(tree).by_name}
    raise Fault(f"a {kind} file; files wants those of statsd_exporter, jmx_exporter and json_exporter")


def _beans(tree: Tree | None) -> Try:
    configuration = decode_jmx(tree, {})

    def tried(sample: bytes, check: Callable[[], None]) -> Page:
        families, problems = foreign_beans(configuration, sample, check)
        return "".join(given(family) for family in sorted(families, key=lambda one: one.name)), [], problems

    return tried


def _document(tree: Tree | None, name: str) -> Try:
    module = decode_modules(tree).by_name[name]

    def tried(sample: bytes, check: Callable[[], None]) -> Page:
        check()
        try:
            found = extract(module.metrics, documents.parse(sample))
        except (Conflict, documents.NotJson) as error:
            return "", [], [str(error)]
        return (
            text(found.families),
            [],
            [f"{what} of {name}: {why}" for (name, what), why in found.problems.items()],
        )

    return tried
