"""Every benchmark, one after the other: ``make bench``. Each is a module here that has a ``main``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main() -> int:
    status = 0
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        module = importlib.import_module(f"bench.{path.stem}")
        print(f"== {path.stem}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        status |= module.main()
    return status


if __name__ == "__main__":
    sys.exit(main())
