"""The command lines of all benchmarks, made alike: help is what the module says of itself."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence


def parser(module: str, about: str | None) -> ArgumentParser:
    """Return a parser for ``python -m MODULE`` whose help begins with *about*, the module's docstring."""
    return ArgumentParser(
        prog=f"python -m {module}", description=about, formatter_class=RawDescriptionHelpFormatter
    )


def at_least(least: int) -> Callable[[str], int]:
    """Return what reads a whole number that is not smaller than *least*, for `type` of an argument."""

    def number(word: str) -> int:
        value = int(word)
        if value < least:
            raise ValueError(word)
        return value

    return number


def chosen(reader: ArgumentParser, names: Sequence[str], argv: Sequence[str]) -> Namespace:
    """Return what *reader* makes of *argv* with words of *names* in it: as `chosen`, all if there is none."""
    reader.add_argument("chosen", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all without any")
    told = reader.parse_args(argv)
    if strange := [name for name in told.chosen if name not in names]:
        reader.error(f"there is no {', '.join(strange)}")
    told.chosen = told.chosen or list(names)
    return told
