"""Everything that the configuration files say, read and checked before anything is opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from podmates_metrics.native.entries import Http, Statsd
from podmates_metrics.native.file import decode, shape
from podmates_metrics.native.policy import Policy
from podmates_metrics.native.rules import NativeRule
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.settings import Settings, listener
from podmates_metrics.statsd import mapping
from podmates_metrics.tree import Fault, Tree

if TYPE_CHECKING:
    from podmates_metrics.jmx.target import Target
    from podmates_metrics.json_exporter.core.modules import Module


@dataclass(slots=True)
class Files:
    """The files' content, put together."""

    mapping: mapping.Mapping = field(default_factory=mapping.Mapping)
    shapes: set[str] = field(default_factory=set)  # of the files read
    mapping_path: str = ""  # what a reload reads again; empty: there is none
    http: list[Http] = field(default_factory=list)
    rules: list[NativeRule] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    statsd: Statsd | None = None
    policy: Policy | None = None
    modules: dict[str, Module] = field(default_factory=dict)  # json_exporter's
    notes: list[str] = field(default_factory=list)  # what in the files has no effect

    def ruleset(self, name: str) -> Ruleset:
        """Return the native rules for source *name*."""
        return (self.policy or Policy()).ruleset(self.rules, name)


def read(settings: Settings) -> Files:
    """Return what the files named by *settings* say.

    Raises:
        Fault: the first thing that is wrong, with file, line and key path.
    """
    files = Files()
    if settings.statsd_mapping_config:
        files.mapping_path = settings.statsd_mapping_config
        files.shapes.add("statsd_exporter")
        files.mapping = read_mapping(files.mapping_path)
    for path in [file for named in settings.config_file for file in _expand(named)]:
        _add(path, files)
    for text in settings.jmx_target:
        files.targets.append(_target(text, "flag --jmx.target"))
    names = [target.label for target in files.targets] + [page.name for page in files.http]
    for name in names:
        if names.count(name) > 1:
            raise Fault(f"two sources are called {name}")
    for where in (files.statsd.udp, files.statsd.tcp) if files.statsd else ():
        try:
            listener(where)
        except ValueError as error:
            raise Fault(f"statsd source: {where!r}: {error}") from None
    return files


def read_mapping(path: str) -> mapping.Mapping:
    """Return the rules of a statsd_exporter file.

    Raises:
        Fault: it cannot be read, or is wrong.
    """
    tree = _load(path)
    try:
        return mapping.decode(tree)
    except Fault as error:
        raise Fault(f"{path}: {error}") from None


def _load(path: str) -> Tree | None:
    from podmates_metrics.documents import load  # late: without a file there is no need for YAML

    return load(path)


def _expand(named: str) -> list[str]:
    """Return the files of a directory, or the file itself."""
    path = Path(named)
    if not path.is_dir():
        return [named]
    found = sorted(str(file) for file in path.iterdir() if file.suffix in (".yaml", ".yml", ".json"))
    return [file for file in found if not Path(file).name.startswith(".")]


def _add(path: str, files: Files) -> None:
    tree = _load(path)
    try:
        kind = shape(tree)
        files.shapes.add(kind)
        if kind == "statsd_exporter":
            if files.mapping_path:
                raise Fault(f"there is a mapping file already: {files.mapping_path}")
            files.mapping, files.mapping_path = mapping.decode(tree), path
        elif kind == "native" and tree is not None:
            native = decode(tree)
            if native.statsd and files.statsd:
                raise Fault("there is a statsd source already")
            if native.policy and files.policy:
                raise Fault("limits and defaults stand in another file already")
            files.statsd = native.statsd or files.statsd
            files.policy = native.policy or files.policy
            files.http += native.http
            files.rules += native.rules
            files.targets += native.jmx
        elif kind == "json_exporter":
            _add_modules(path, tree, files)
        else:
            raise Fault(f"a file of {kind}, which is not offered yet")
    except Fault as error:
        raise Fault(f"{path}: {error}") from None


def _add_modules(path: str, tree: Tree | None, files: Files) -> None:
    from podmates_metrics.json_exporter.core.modules import decode as decode_modules

    told = decode_modules(tree)
    for name in told.by_name:
        if name in files.modules:
            raise Fault(f"there is a module {name} already")
    files.modules |= told.by_name
    files.notes += [f"{path}: {note}" for note in told.notes]


def _target(text: str, place: str) -> Target:
    from podmates_metrics.jmx.target import parse_target

    try:
        return parse_target(text)
    except ValueError as error:
        raise Fault(f"{place}: {text!r}: {error}") from None
