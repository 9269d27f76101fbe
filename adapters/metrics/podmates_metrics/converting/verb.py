"""The verb ``convert``: a foreign file in, its native form out."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence

from podmates_metrics import kingpin
from podmates_metrics.documents import load, parse
from podmates_metrics.native.file import decode, shape
from podmates_metrics.tree import Fault, Tree

GOOD, UNUSABLE = 0, 2  # exit statuses
KINDS = ("statsd_exporter", "jmx_exporter", "json_exporter")
USAGE = """\
usage: podmates-metrics convert [--kind=KIND] [--target=[MODULE=]ADDRESS] FILE

Prints a file of statsd_exporter, jmx_exporter or json_exporter as a native rule file that makes the same
series. What the native form cannot say is refused, with its place in the file: --config.file, and files: in a
native file, take every file as it is. What the other passes over is told in comments.

  --kind=KIND                whose file it is: statsd_exporter, jmx_exporter or json_exporter; without it the
                             file's keys tell
  --target=[MODULE=]ADDRESS  of a file of jmx_exporter that names no JVM: HOST:PORT or a URL of JMX; of a file
                             of json_exporter: the page of a module, whose name may be left out where there
                             is only one. May be repeated

Exit status: 0, or 2 when the file or the command line cannot be used.
"""
_NAMED = re.compile(r"([^=/:?\[]+)=(.+)", re.DOTALL)


_FLAGS = [kingpin.Flag("kind", "--kind"), kingpin.Flag("targets", "--target", repeatable=True)]


def main(words: Sequence[str], program: str) -> int:
    """Return the exit status of ``convert`` with *words* after it."""
    try:
        told = kingpin.parse(_FLAGS, words, positional=True)
        if told.asked:
            print(USAGE, end="")
            return GOOD
        if len(told.positional) != 1:
            raise kingpin.Usage("want one file")
        kind = told.values.get("kind", [""])[0]
        if kind and kind not in KINDS:
            raise kingpin.Usage(f"flag --kind: {kind} is none of {', '.join(KINDS)}")
        targets = _targets(told.values.get("targets", []))
        print(converted(told.positional[0], kind, targets), end="")
    except kingpin.Usage as error:
        print(f"{program}: convert: {error}, try --help", file=sys.stderr)
        return UNUSABLE
    except Fault as error:
        print(f"{program}: {error}", file=sys.stderr)
        return UNUSABLE
    return GOOD


def _targets(texts: Sequence[str]) -> dict[str, str]:
    """Return addresses by the module that they are for; an empty name: none is said."""
    made: dict[str, str] = {}
    for text in texts:
        found = _NAMED.fullmatch(text)
        name, address = (found[1], found[2]) if found else ("", text)
        if name in made or not address:
            raise kingpin.Usage(
                f"flag --target: two for {name or 'one file'}" if address else "flag --target: empty"
            )
        made[name] = address
    return made


def converted(path: str, kind: str = "", targets: Mapping[str, str] | None = None) -> str:
    """Return the native form of the file at *path*; it loads.

    Args:
        path: the file.
        kind: whose it is, one of `KINDS`; empty: its keys tell.
        targets: what it is for, where it does not say so itself.

    Raises:
        Fault: it cannot be read or converted; with file, line and key path.
    """
    tree = load(path)
    try:
        text = _form(kind or ("statsd_exporter" if tree is None else shape(tree)), tree, targets or {})
        native = parse(text)
        if native is not None:
            try:
                decode(native)
            except Fault as error:
                raise Fault(f"the native form would be wrong: {error}") from None
    except Fault as error:
        raise Fault(f"{path}: {error}") from None
    return text


def _form(kind: str, tree: Tree | None, targets: Mapping[str, str]) -> str:
    if kind == "jmx_exporter":
        from podmates_metrics.converting.jmx import convert as convert_jmx

        return convert_jmx(tree, targets)
    if kind == "json_exporter":
        from podmates_metrics.converting.modules import convert as convert_modules

        return convert_modules(tree, targets)
    if kind != "statsd_exporter":
        raise Fault(f"a file of {kind}; want one of {', '.join(KINDS)}, or say which by --kind")
    if targets:
        raise Fault("--target: StatsD lines come by themselves; there is no target in such a file")
    from podmates_metrics.converting.statsd import convert

    return convert(tree)
