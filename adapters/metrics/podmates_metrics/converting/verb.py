"""The verb ``convert``: a foreign file in, its native form out."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from podmates_metrics import kingpin
from podmates_metrics.converting.statsd import convert
from podmates_metrics.documents import load, parse
from podmates_metrics.native.file import decode, shape
from podmates_metrics.tree import Fault

GOOD, UNUSABLE = 0, 2  # exit statuses
USAGE = """\
usage: podmates-metrics convert FILE

Prints a mapping file of statsd_exporter as a native rule file that makes the same series. What the native
form cannot say is refused, with its place in the file. Files of jmx_exporter and json_exporter are not
converted: --config.file takes them as they are.

Exit status: 0, or 2 when the file or the command line cannot be used.
"""


def main(words: Sequence[str], program: str) -> int:
    """Return the exit status of ``convert`` with *words* after it."""
    try:
        told = kingpin.parse([], words, positional=True)
        if told.asked:
            print(USAGE, end="")
            return GOOD
        if len(told.positional) != 1:
            raise kingpin.Usage("want one file")
        print(converted(told.positional[0]), end="")
    except kingpin.Usage as error:
        print(f"{program}: convert: {error}, try --help", file=sys.stderr)
        return UNUSABLE
    except Fault as error:
        print(f"{program}: {error}", file=sys.stderr)
        return UNUSABLE
    return GOOD


def converted(path: str) -> str:
    """Return the native form of the file at *path*; it loads.

    Raises:
        Fault: it cannot be read or converted; with file, line and key path.
    """
    tree = load(path)
    try:
        kind = "statsd_exporter" if tree is None else shape(tree)
        if kind != "statsd_exporter":
            raise Fault(f"a file of {kind}; only those of statsd_exporter are converted")
        text = convert(tree)
        native = parse(text)
        if native is not None:
            try:
                decode(native)
            except Fault as error:
                raise Fault(f"the native form would be wrong: {error}") from None
    except Fault as error:
        raise Fault(f"{path}: {error}") from None
    return text
