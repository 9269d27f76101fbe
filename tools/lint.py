"""Formatting, lint rules, types, Dockerfiles, workflows: ``make lint``. All faults are shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def commands() -> list[list[str]]:
    """Return the checks, each a command that prints its findings and fails on any."""
    dockerfiles = sorted(str(p) for p in ROOT.glob("images/**/*Dockerfile*") if p.is_file())
    checks = [
        ["ruff", "format", "--check", "."],
        ["ruff", "check", "."],
        ["mypy"],
        ["hadolint", "--ignore", "DL3008", *dockerfiles],
        ["zizmor", "--offline", "--quiet", ".github/workflows"],
    ]
    return [[str(BIN / name), *rest] for name, *rest in checks]


def main() -> int:
    failed = [c[0] for c in commands() if subprocess.run(c, cwd=ROOT, check=False).returncode]
    for name in failed:
        print(f"lint: {Path(name).name} found faults", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
