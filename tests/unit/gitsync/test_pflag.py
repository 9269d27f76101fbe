"""The command line is read as pflag reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from podmates_gitsync.flags.pflag import FlagError, parse
from podmates_gitsync.govalues import boolean, duration, integer, text


class Row(NamedTuple):
    name: str
    flag: str
    parse: Callable[[str], Any]
    shorthand: str = ""
    switch: bool = False


ROWS = [
    Row("repo", "--repo", text),
    Row("depth", "--depth", integer),
    Row("period", "--period", duration),
    Row("one_time", "--one-time", boolean, switch=True),
    Row("verbose", "--verbose", integer, "-v"),
    Row("help", "--help", boolean, "-h", switch=True),
    Row("question", "--__?", boolean, "-?", switch=True),
]
ACCEPTED: dict[str, tuple[list[str], dict[str, list[str]], list[str]]] = {
    "equals": (["--repo=x"], {"repo": ["x"]}, []),
    "next word": (["--repo", "x"], {"repo": ["x"]}, []),
    "a flag as the next word": (["--repo", "--depth"], {"repo": ["--depth"]}, []),
    "empty value": (["--repo="], {"repo": [""]}, []),
    "value with equals": (["--repo=a=b"], {"repo": ["a=b"]}, []),
    "negative number": (["--depth", "-1"], {"depth": ["-1"]}, []),
    "bare switch": (["--one-time", "false"], {"one_time": ["true"]}, ["false"]),
    "switch with a value": (["--one-time=F"], {"one_time": ["F"]}, []),
    "shorthand, next word": (["-v", "6"], {"verbose": ["6"]}, []),
    "shorthand, equals": (["-v=6"], {"verbose": ["6"]}, []),
    "shorthand, attached": (["-v6"], {"verbose": ["6"]}, []),
    "shorthands run together": (["-hv6"], {"help": ["true"], "verbose": ["6"]}, []),
    "question mark": (["-?"], {"question": ["true"]}, []),
    "given twice": (["--repo=a", "--repo=b"], {"repo": ["a", "b"]}, []),
    "positional in between": (["a", "--repo=x", "b", "-"], {"repo": ["x"]}, ["a", "b", "-"]),
    "end of flags": (["--", "--repo=x"], {}, ["--repo=x"]),
}
REFUSED = {
    ("--repos=x",): "unknown flag: --repos",
    ("--rep=x",): "unknown flag: --rep",  # no abbreviations
    ("-logtostderr",): "unknown shorthand flag: 'l' in -logtostderr",
    ("-version",): 'invalid argument "ersion" for "-v, --verbose" flag: strconv.ParseInt',
    ("--repo",): "flag needs an argument: --repo",
    ("-v",): "flag needs an argument: 'v' in -v",
    ("---repo",): "bad flag syntax: ---repo",
    ("--=x",): "bad flag syntax: --=x",
    ("--period", "1"): 'invalid argument "1" for "--period" flag: time: missing unit in duration "1"',
    ("--one-time=yes",): 'invalid argument "yes" for "--one-time" flag: strconv.ParseBool',
    ("--depth=x", "--period=y"): 'invalid argument "x" for "--depth"',  # the first one only
}


@pytest.mark.parametrize(("argv", "values", "positional"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_command_line_is_taken_apart(
    argv: list[str], values: dict[str, list[str]], positional: list[str]
) -> None:
    assert parse(ROWS, argv) == (values, positional)


@pytest.mark.parametrize(("argv", "reason"), REFUSED.items(), ids=lambda part: " ".join(part)[:30])
def test_the_first_fault_is_reported(argv: tuple[str, ...], reason: str) -> None:
    with pytest.raises(FlagError) as caught:
        parse(ROWS, argv)

    assert str(caught.value).startswith(reason)
