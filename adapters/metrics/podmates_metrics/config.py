"""Everything that the configuration files say, read and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from podmates_common.watching import Watched
from podmates_metrics import changes
from podmates_metrics.native.entries import Statsd
from podmates_metrics.native.file import decode, shape
from podmates_metrics.native.foreign import Foreign
from podmates_metrics.native.jvms import Seen
from podmates_metrics.native.logs import Log
from podmates_metrics.native.policy import Policy
from podmates_metrics.native.pulls import Command, Pull
from podmates_metrics.native.rules import NativeRule
from podmates_metrics.otlp.config import Push
from podmates_metrics.reloading import Unread
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.settings import Settings, listener
from podmates_metrics.statsd import mapping
from podmates_metrics.tree import Fault, Tree

if TYPE_CHECKING:
    from podmates_metrics.jmx.target import Target
    from podmates_metrics.jmx.view import Views
    from podmates_metrics.jmx_exporter.files import JmxFile
    from podmates_metrics.jmx_exporter.httpserver import HttpServer
    from podmates_metrics.json_exporter.core.modules import Module

_SUFFIXES = (".yaml", ".yml", ".json")  # of the files in a directory


@dataclass(slots=True)
class Files:
    """The files' content, put together."""

    mapping: mapping.Mapping = field(default_factory=mapping.Mapping)
    shapes: set[str] = field(default_factory=set)  # of the files read
    mapping_path: str = ""  # what a reload reads again; empty: there is none
    pulls: list[Pull] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    rules: list[NativeRule] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)  # how native files want JVMs seen, by source
    statsd: Statsd | None = None
    policy: Policy = field(default_factory=Policy)
    push: Push | None = None
    modules: dict[str, Module] = field(default_factory=dict)  # json_exporter's
    notes: list[str] = field(default_factory=list)  # what in the files has no effect
    jmx: list[JmxFile] = field(default_factory=list)
    standalone: bool = False  # by the command line of jmx_exporter
    named: changes.Named = field(default_factory=dict)  # what they say, to compare another reading with
    watching: dict[str, Watched] = field(default_factory=dict)  # every file and directory, by path

    @property
    def asked(self) -> list[str]:
        """The names of the sources that a scrape asks."""
        own = [pull.name for pull in self.pulls] + [log.name for log in self.logs]
        return [target.label for target in self.jvms] + own

    def ruleset(self, name: str, *, expose: bool | None = None) -> Ruleset:
        """Return the native rules for source *name*; *expose* as in `Policy.ruleset`."""
        return self.policy.ruleset(self.rules, name, expose=expose)

    def statsd_rules(self) -> Ruleset | None:
        """Return the native rules for StatsD lines; None when a mapping file is for them, or nothing."""
        if self.statsd is None or self.mapping_path:
            return None
        return self.ruleset(self.statsd.name, expose=True)

    def bean_rules(self, name: str) -> Views | None:
        """Return the native rules for the JVM *name*; None when there is nothing that they say."""
        rules, seen = self.ruleset(name, expose=True), self.seen.get(name)
        if seen is None and rules.expose and not rules.plain:
            return None
        from podmates_metrics.rules.finished import views

        return views(rules, name, seen)

    @property
    def jvms(self) -> list[Target]:
        """The JVMs that are read, with and without a file of jmx_exporter."""
        return [*self.targets, *(target for file in self.jmx for target in file.targets)]

    @property
    def http_server(self) -> HttpServer | None:
        """What the standalone jmx_exporter's file says about the web port."""
        return self.jmx[-1].configuration.http if self.standalone else None

    @property
    def standard_jvms(self) -> bool:
        """Whether the usual metrics of a JVM are made."""
        ruled = any(not file.standalone and file.configuration.standard for file in self.jmx)
        own = [self.seen.get(target.label) for target in self.targets]
        return ruled or any(seen is None or seen.standard for seen in own)


def read(settings: Settings, environ: Mapping[str, str], *, jmx_file: str = "") -> Files:
    """Return what the files named by *settings* say; *jmx_file* is one of the standalone jmx_exporter.

    Raises:
        Unread: the first thing that is wrong, with file, line and key path.
    """
    files = Files()
    try:
        _fill(files, settings, environ, jmx_file)
    except Fault as error:
        raise Unread(str(error), files.watching) from None
    return files


def _fill(files: Files, settings: Settings, environ: Mapping[str, str], jmx_file: str) -> None:
    if settings.web_config_file:
        from podmates_metrics.webfile import read as read_web

        read_web(settings.web_config_file)
    if settings.statsd_mapping_config:
        files.mapping_path = settings.statsd_mapping_config
        files.shapes.add("statsd_exporter")
        files.watching[files.mapping_path] = Watched(files.mapping_path)
        tree = _load(files.mapping_path)
        files.mapping = _mapping(files.mapping_path, tree)
        changes.merge(files.named, changes.listed(tree))
    files.watching |= {named: Watched(named) for named in settings.config_file}
    for named in settings.config_file:
        paths = _expand(named)
        if not paths:
            files.notes.append(f"{named}: no file in this folder ends with {', '.join(_SUFFIXES)}")
        for path in paths:
            _add(path, files, environ)
    _add_jvms(settings, files, environ, jmx_file)
    if files.statsd and files.mapping_path and files.ruleset(files.statsd.name).plain:
        raise Fault("StatsD lines have native rules and a mapping file: want one of them")
    for name in files.asked:
        if files.asked.count(name) > 1:
            raise Fault(f"two sources are called {name}")
    for pull in files.pulls:
        if isinstance(pull.via, Command) and not settings.enable_command:
            raise Fault(f"source {pull.name} runs a command: that needs the flag --enable-command")
    if files.statsd:
        _check_listeners(files.statsd, settings, files.notes)
    if files.mapping_path:
        from podmates_metrics.statsd.covered import covered

        files.notes += [f"{files.mapping_path}: {note}" for note in covered(files.mapping)]


def _check_listeners(statsd: Statsd, settings: Settings, notes: list[str]) -> None:
    """Check where a source listens; say which flag it beats."""
    for kind, where in (("udp", statsd.udp), ("tcp", statsd.tcp)):
        name = f"statsd_listen_{kind}"
        try:
            own = listener(where)
        except ValueError as error:
            raise Fault(f"statsd source: {where!r}: {error}") from None
        default = next(field for field in fields(settings) if field.name == name).metadata["default"]
        if getattr(settings, name) not in (own, listener(default)):
            notes.append(f"--statsd.listen-{kind}: the source {statsd.name} says where to listen")


def _add_jvms(settings: Settings, files: Files, environ: Mapping[str, str], jmx_file: str) -> None:
    """Take the JVMs of flags, and the files of jmx_exporter that the command line names as such."""
    if settings.jmx_config:
        _add(settings.jmx_config, files, environ, kind="jmx_exporter")
        if settings.jmx_target:
            files.jmx[-1].targets = ()
    if jmx_file:
        files.standalone = True
        _add(jmx_file, files, environ, kind="jmx_exporter")
    flagged = [_target(text, "flag --jmx.target") for text in settings.jmx_target]
    if files.jmx:
        from podmates_metrics.jmx_exporter.files import assign

        flagged = assign(files.jmx, flagged)
    files.targets += flagged


def _mapping(path: str, tree: Tree | None) -> mapping.Mapping:
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
    try:
        found = sorted(str(file) for file in path.iterdir() if file.suffix in _SUFFIXES)
    except OSError as error:
        raise Fault(f"{named}: {error.strerror}") from None
    return [file for file in found if not Path(file).name.startswith(".")]


def _add(
    path: str, files: Files, environ: Mapping[str, str], *, kind: str = "", named: Foreign | None = None
) -> None:
    """Take the file at *path*, which is one of *kind*; empty: it shows by its keys. *named*: by `files`."""
    from podmates_metrics.presets.load import preset  # late, as `_load`

    files.watching[path] = Watched(path)
    tree = _load(path)
    changes.merge(files.named, changes.listed(tree))
    try:
        kind = kind or shape(tree)
        if named is not None:
            _check_foreign(kind, named)
        files.shapes.add(kind)
        if kind == "statsd_exporter":
            if files.mapping_path:
                raise Fault(f"there is a mapping file already: {files.mapping_path}")
            files.mapping, files.mapping_path = mapping.decode(tree), path
        elif kind == "native" and tree is not None:
            native = decode(tree, preset)
            if native.statsd and files.statsd:
                raise Fault("there is a statsd source already")
            _take_push(files, native.push)
            files.policy = files.policy.and_of(native.policy)
            files.statsd = native.statsd or files.statsd
            files.pulls += native.pulls
            files.logs += native.logs
            files.rules += native.rules
            files.targets += native.jmx
            files.seen |= {jvm.target.label: jvm.seen for jvm in native.jvms if jvm.seen != Seen()}
            for other in native.files:
                _add(str(Path(path).parent / other.path), files, environ, named=other)
        elif kind == "json_exporter":
            _add_modules(path, tree, files)
        elif kind == "jmx_exporter":
            _add_jmx(path, tree, files, environ)
            _give(files, named.source if named else "")
        else:
            raise Fault(f"a file of {kind}, which is not offered yet")
    except Fault as error:
        raise Fault(f"{path}: {error}") from None


def _check_foreign(kind: str, named: Foreign) -> None:
    if kind == "native" or named.wants not in ("", kind):
        wanted = named.wants or "statsd_exporter, jmx_exporter or json_exporter"
        raise Fault(f"a {kind} file; {named.place.path} wants one of {wanted}")


def _give(files: Files, source: str) -> None:
    """Have the JVM of the native source *source* read by the file of jmx_exporter that came last."""
    if not source:
        return
    if source in files.seen:
        raise Fault(f"source {source} says itself what is read and how: the file does that")
    files.jmx[-1].targets = tuple(target for target in files.targets if target.label == source)
    files.targets = [target for target in files.targets if target.label != source]


def _take_push(files: Files, push: Push | None) -> None:
    if push and files.push:
        raise Fault("another file says already where figures are pushed to")
    files.push = push or files.push


def _add_modules(path: str, tree: Tree | None, files: Files) -> None:
    from podmates_metrics.json_exporter.core.modules import decode as decode_modules

    told = decode_modules(tree)
    for name in told.by_name:
        if name in files.modules:
            raise Fault(f"there is a module {name} already")
    files.modules |= told.by_name
    files.notes += [f"{path}: {note}" for note in told.notes]


def _add_jmx(path: str, tree: Tree | None, files: Files, environ: Mapping[str, str]) -> None:
    from podmates_metrics.jmx_exporter.files import decoded

    files.jmx.append(decoded(path, tree, environ, standalone=files.standalone))
    _take_push(files, files.jmx[-1].configuration.push)
    files.notes += [f"{path}: {note}" for note in files.jmx[-1].configuration.notes]


def _target(text: str, place: str) -> Target:
    from podmates_metrics.jmx.target import parse_target

    try:
        return parse_target(text)
    except ValueError as error:
        raise Fault(f"{place}: {text!r}: {error}") from None
