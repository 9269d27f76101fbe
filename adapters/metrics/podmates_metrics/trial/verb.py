"""The verb ``try``: a rule file and a sample in, a page out, and an exit status for a test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from podmates_common.files import TooLarge, read_small, why_unread
from podmates_metrics import kingpin
from podmates_metrics.documents import load
from podmates_metrics.presets.load import preset
from podmates_metrics.tree import Fault, Tree
from podmates_metrics.trial.run import NoTrial, Trial, run

GOOD, DIFFERENT, UNUSABLE = range(3)  # exit statuses
MAX_SAMPLE = 16 << 20  # bytes
USAGE = """\
usage: podmates-metrics try RULES [--from=SOURCE] [--input=FILE] [--expect=FILE]

Gives a sample of what a source says to the rules of a native file, and prints the page that they make of it;
after it, as comments, which rule took which records. Nothing is opened, nobody is asked. RULES may also be a
mapping file of statsd_exporter; the sample is StatsD lines then.

  --from=SOURCE  whose words the sample is; may be left out where the file has one source
  --input=FILE   the sample; without it: standard input
  --expect=FILE  the series that there are to be, as the page has them; comments and order do not matter

Exit status: 0 all is well; 1 a rule took a record that it could not use, nothing came of the sample, or the
series are not those expected; 2 the file, the sample or the command line cannot be used.
"""


_FLAGS = [
    kingpin.Flag("source", "--from"),
    kingpin.Flag("input", "--input"),
    kingpin.Flag("expect", "--expect"),
]


def main(words: Sequence[str], program: str) -> int:
    """Return the exit status of ``try`` with *words* after it."""
    try:
        told = kingpin.parse(_FLAGS, words, positional=True)
        if told.asked:
            print(USAGE, end="")
            return GOOD
        if len(told.positional) != 1:
            raise kingpin.Usage("want one rule file")
        values = {name: texts[0] for name, texts in told.values.items()}
        return _try(told.positional[0], values)
    except kingpin.Usage as error:
        print(f"{program}: try: {error}, try --help", file=sys.stderr)
    except (Fault, NoTrial) as error:
        print(f"{program}: {error}", file=sys.stderr)
    return UNUSABLE


def _try(path: str, values: dict[str, str]) -> int:
    tree = load(path)
    sample = _read(values["input"]) if "input" in values else _limited(sys.stdin.buffer.read(MAX_SAMPLE + 1))
    wanted = _read(values["expect"]).decode(errors="replace") if "expect" in values else None
    try:
        trial = run(tree, sample, values.get("source", ""), preset, load=beside(path))
    except Fault as error:
        raise Fault(f"{path}: {error}") from None
    print(trial.text, end="")
    same = wanted is None or _compare(trial, wanted)
    return GOOD if trial.good and same else DIFFERENT


def beside(path: str) -> Callable[[str], Tree | None]:
    """Return what loads the files that the one at *path* names: relative to its folder."""
    return lambda name: load(str(Path(path).parent / name))


def _compare(trial: Trial, wanted: str) -> bool:
    """Tell whether the series are those of *wanted*; say which are not."""
    there = set(trial.series)
    expected = {line.strip() for line in wanted.split("\n") if line.strip() and not line.startswith("#")}
    for line in sorted(expected - there):
        print(f"expected and not there: {line}", file=sys.stderr)
    for line in sorted(there - expected):
        print(f"there and not expected: {line}", file=sys.stderr)
    return there == expected


def _read(path: str) -> bytes:
    try:
        return read_small(path, MAX_SAMPLE)
    except (OSError, TooLarge) as error:
        raise NoTrial(f"{path}: {why_unread(error)}") from None


def _limited(data: bytes) -> bytes:
    if len(data) > MAX_SAMPLE:
        raise NoTrial(f"the sample is larger than {MAX_SAMPLE} bytes")
    return data
