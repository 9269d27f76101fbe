"""Every benchmark, one after the other: ``make bench``. Each is a module here that has a ``main``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.parts.commandline import chosen, parser

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def main(argv: Sequence[str] = ()) -> int:
    reader = parser("bench", f"{__doc__}\nOf each alone: python -m bench.NAME --help")
    status = 0
    for name in chosen(reader, NAMES, argv).chosen:
        module = importlib.import_module(f"bench.{name}")
        print(f"== {name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        status |= module.main()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
