"""The architecture, as a rule that fails: cores compute, shells do I/O, services are strangers."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repo.cores import GITSYNC, REDIS
from tests.support.syntax import tree

ROOT = Path(__file__).parents[2]
# What a core may use of the standard library: nothing that reads, waits, or asks the clock.
PURE = frozenset(
    {
        "__future__",
        "array",
        "base64",
        "binascii",
        "bisect",
        "collections",
        "csv",
        "dataclasses",
        "enum",
        "functools",
        "hashlib",
    }
    | {"hmac", "itertools", "json", "math", "operator", "re", "struct", "typing", "unicodedata", "weakref"}
    | {"re2"}  # a function of pattern and text
)
FOLDERS = {
    "podmates_common": "common",
    "podmates_gitsync": "sidecars/gitsync",
    "podmates_metrics": "adapters/metrics",
    "podmates_redis": "ambassadors/redis",
}
SERVICES = sorted(set(FOLDERS) - {"podmates_common"})
# Modules that decide and do not act. A new one is listed here, or it is a shell.
CORES: dict[str, set[str]] = {
    "podmates_gitsync": GITSYNC,
    "podmates_metrics": {
        "podmates_metrics.changes",
        "podmates_metrics.converting.groups",
        "podmates_metrics.converting.jmx",
        "podmates_metrics.converting.modules",
        "podmates_metrics.converting.statsd",
        "podmates_metrics.converting.templates",
        "podmates_metrics.converting.units",
        "podmates_metrics.converting.writing",
        "podmates_metrics.detecting.fingerprints",
        "podmates_metrics.golang",
        "podmates_metrics.jmx.catalogue",
        "podmates_metrics.jmx.decoder",
        "podmates_metrics.jmx.descriptors",
        "podmates_metrics.jmx.grammar",
        "podmates_metrics.jmx.javatext",
        "podmates_metrics.jmx.javautf",
        "podmates_metrics.jmx.javavalues",
        "podmates_metrics.jmx.javawriter",
        "podmates_metrics.jmx.jrmp",
        "podmates_metrics.jmx.messages",
        "podmates_metrics.jmx.naming",
        "podmates_metrics.jmx.objectname",
        "podmates_metrics.jmx.querytext",
        "podmates_metrics.jmx.references",
        "podmates_metrics.jmx.report",
        "podmates_metrics.jmx.scrape",
        "podmates_metrics.jmx.standard",
        "podmates_metrics.jmx.target",
        "podmates_metrics.jmx.view",
        "podmates_metrics.jmx.walk",
        "podmates_metrics.jmx_exporter.charsets",
        "podmates_metrics.jmx_exporter.choosing",
        "podmates_metrics.jmx_exporter.commandline",
        "podmates_metrics.jmx_exporter.configuration",
        "podmates_metrics.jmx_exporter.customizers",
        "podmates_metrics.jmx_exporter.encryption",
        "podmates_metrics.jmx_exporter.engine",
        "podmates_metrics.jmx_exporter.httpserver",
        "podmates_metrics.jmx_exporter.javaclasses",
        "podmates_metrics.jmx_exporter.javareader",
        "podmates_metrics.jmx_exporter.javaregex",
        "podmates_metrics.jmx_exporter.login",
        "podmates_metrics.jmx_exporter.objectpattern",
        "podmates_metrics.jmx_exporter.patterns",
        "podmates_metrics.jmx_exporter.rules",
        "podmates_metrics.jmx_exporter.selection",
        "podmates_metrics.jmx_exporter.shape",
        "podmates_metrics.jmx_exporter.suites",
        "podmates_metrics.jmx_exporter.telemetry",
        "podmates_metrics.jmx_exporter.view",
        "podmates_metrics.keystores.der",
        "podmates_metrics.keystores.entries",
        "podmates_metrics.keystores.jks",
        "podmates_metrics.keystores.passwords",
        "podmates_metrics.keystores.pkcs12",
        "podmates_metrics.keystores.rc2",
        "podmates_metrics.keystores.store",
        "podmates_metrics.kingpin",
        "podmates_metrics.metrics",
        "podmates_metrics.native.entries",
        "podmates_metrics.native.file",
        "podmates_metrics.native.foreign",
        "podmates_metrics.native.jvms",
        "podmates_metrics.native.logs",
        "podmates_metrics.tailing.following",
        "podmates_metrics.tailing.lines",
        "podmates_metrics.native.policy",
        "podmates_metrics.native.presets",
        "podmates_metrics.native.rulekeys",
        "podmates_metrics.native.formats",
        "podmates_metrics.native.pulls",
        "podmates_metrics.native.rules",
        "podmates_metrics.records",
        "podmates_metrics.otlp.config",
        "podmates_metrics.otlp.payload",
        "podmates_metrics.regexes",
        "podmates_metrics.rules.apply",
        "podmates_metrics.rules.beans",
        "podmates_metrics.rules.finished",
        "podmates_metrics.rules.index",
        "podmates_metrics.rules.judging",
        "podmates_metrics.rules.keeping",
        "podmates_metrics.rules.ledger",
        "podmates_metrics.rules.limits",
        "podmates_metrics.rules.making",
        "podmates_metrics.rules.paths",
        "podmates_metrics.rules.patterns",
        "podmates_metrics.rules.units",
        "podmates_metrics.sources.base",
        "podmates_metrics.sources.clashes",
        "podmates_metrics.statsd.affected",
        "podmates_metrics.statsd.covered",
        "podmates_metrics.statsd.dogstatsd",
        "podmates_metrics.statsd.engine",
        "podmates_metrics.statsd.framing",
        "podmates_metrics.statsd.glob",
        "podmates_metrics.statsd.graph",
        "podmates_metrics.statsd.hot",
        "podmates_metrics.statsd.line",
        "podmates_metrics.statsd.looking",
        "podmates_metrics.statsd.mapper",
        "podmates_metrics.statsd.mapping",
        "podmates_metrics.statsd.members",
        "podmates_metrics.statsd.names",
        "podmates_metrics.statsd.pool",
        "podmates_metrics.statsd.ruled",
        "podmates_metrics.statsd.sparse",
        "podmates_metrics.statsd.store",
        "podmates_metrics.statsd.window",
        "podmates_metrics.tree",
        "podmates_metrics.webpath",
        "podmates_metrics.trial.beans",
        "podmates_metrics.trial.events",
        "podmates_metrics.trial.foreign",
        "podmates_metrics.trial.lines",
        "podmates_metrics.trial.run",
        "podmates_metrics.trial.witness",
        "podmates_metrics.webconfig",
    },
    "podmates_redis": REDIS,
}
# All modules of these packages decide and do not act.
PURE_PACKAGES = (
    "podmates_metrics.exposition",
    "podmates_metrics.json_exporter.core",
    "podmates_metrics.formats",
    "podmates_redis.commands",
    "podmates_redis.session",
    "podmates_redis.wire",
)
SETTINGS_MAY_USE = {"podmates_common.parse", "podmates_common.settings", "podmates_common.redact"}
# The only places that may look at the environment: what they read is a setting or on its way to one.
READ_ENVIRONMENT = {"settings", "__main__"}
LONGEST_ENTRY = 60  # lines of a __main__.py


def modules(package: str) -> Iterator[tuple[str, Path]]:
    """Yield (dotted name, path) of every module of *package*."""
    base = ROOT / FOLDERS[package]
    for path in sorted((base / package).rglob("*.py")):
        yield ".".join(path.relative_to(base).with_suffix("").parts), path


def imports(path: Path) -> set[str]:
    """Return the dotted names that a module imports, wherever in the file it does so."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found |= {module} | {
                f"{module}.{alias.name}" for alias in node.names if _is_module(module, alias.name)
            }
    return found


def _is_module(package: str, name: str) -> bool:
    top = package.split(".")[0]
    if top not in FOLDERS:
        return False
    folder = ROOT / FOLDERS[top] / package.replace(".", "/")
    return (folder / f"{name}.py").exists() or (folder / name).is_dir()


ALL_MODULES = {name: path for package in FOLDERS for name, path in modules(package)}
for pure in PURE_PACKAGES:
    inside = {n for n, path in ALL_MODULES.items() if n.startswith(f"{pure}.") and path.name != "__init__.py"}
    CORES[pure.split(".")[0]] |= inside


@pytest.mark.parametrize("package", SERVICES)
def test_every_listed_core_exists(package: str) -> None:
    assert {core for core in CORES[package] if core not in ALL_MODULES} == set()


@pytest.mark.parametrize("package", SERVICES)
def test_cores_use_only_pure_modules_and_other_cores(package: str) -> None:
    cores = CORES[package] | {core.rpartition(".")[0] for core in CORES[package]}
    for core in sorted(CORES[package]):
        strange = {n for n in imports(ALL_MODULES[core]) if n.split(".")[0] not in PURE and n not in cores}

        assert strange - {"collections.abc", "podmates_common.parse"} == set(), core


@pytest.mark.parametrize("package", SERVICES)
def test_settings_use_only_parsers_and_declarations(package: str) -> None:
    found = imports(ALL_MODULES[f"{package}.settings"])
    allowed = SETTINGS_MAY_USE | CORES[package] | {package, "podmates_common"}

    assert {n for n in found if n.split(".")[0] not in PURE} - allowed == set()


@pytest.mark.parametrize("package", SERVICES)
def test_the_entry_point_is_short_and_needs_no_third_party(package: str) -> None:
    path = ALL_MODULES[f"{package}.__main__"]
    allowed = set(sys.stdlib_module_names) | {package, "podmates_common"}

    assert {n for n in imports(path) if n.split(".")[0] not in allowed} == set()
    assert len(path.read_text().splitlines()) <= LONGEST_ENTRY


@pytest.mark.parametrize("name", ALL_MODULES)
def test_a_service_imports_no_other_service_and_nothing_relative(name: str) -> None:
    strangers = set(SERVICES) - {name.split(".")[0]}
    found = imports(ALL_MODULES[name])

    assert {n for n in found if n.startswith(".") or n.split(".")[0] in strangers} == set()


@pytest.mark.parametrize("name", [n for n in ALL_MODULES if n.rpartition(".")[2] not in READ_ENVIRONMENT])
def test_only_settings_read_the_environment(name: str) -> None:
    reads = [
        node.lineno
        for node in ast.walk(tree(ALL_MODULES[name]))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("os", "environ"), ("os", "getenv"), ("os", "environb")}
    ]

    assert reads == []


@pytest.mark.parametrize("name", [n for n, path in ALL_MODULES.items() if path.name == "__init__.py"])
def test_package_files_are_empty(name: str) -> None:
    assert ALL_MODULES[name].read_text() == ""


def test_no_service_imports_in_a_circle() -> None:
    graph = {name: imports(path) & set(ALL_MODULES) for name, path in ALL_MODULES.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join([*trail, name])
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())
