"""Pin every requirement with its hashes: ``make lock``.

One file per service, so that an image installs only what its service needs; one for the build
back end; one for development, which is all of them and the tools. uv resolves for every platform
and Python at once; it lives in an environment of its own, because only this program needs it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVICES = {"gitsync": "sidecars/gitsync", "redis": "ambassadors/redis", "metrics": "adapters/metrics"}
FLAGS = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header"]


def dependencies(member: str) -> list[str]:
    """Return what *member* needs from outside this repository."""
    project = tomllib.loads((ROOT / member / "pyproject.toml").read_text())["project"]
    return [need for need in project["dependencies"] if not need.startswith("podmates-")]


def compile_file(uv: Path, needs: list[str], target: Path) -> None:
    """Write *target*, keeping the pins that it already has where they still fit."""
    with tempfile.NamedTemporaryFile("w", suffix=".in") as source:
        source.write("\n".join(needs))
        source.flush()
        command: list[str | Path] = [
            uv,
            "pip",
            "compile",
            *FLAGS,
            "--no-annotate",
            "-q",
            source.name,
            "-o",
            target,
        ]
        subprocess.run([*command, *sys.argv[1:]], check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        subprocess.run([f"{folder}/bin/pip", "install", "-q", "uv"], check=True)
        uv = Path(folder, "bin", "uv")
        everything: list[str] = []
        for name, member in SERVICES.items():
            needs = dependencies("common") + dependencies(member)
            everything += needs
            compile_file(uv, needs, ROOT / "requirements" / f"{name}.txt")
        for name, more in {"build": [], "dev": everything, "clients": []}.items():
            needs = (ROOT / "requirements" / f"{name}.in").read_text().splitlines() + more
            compile_file(uv, needs, ROOT / "requirements" / f"{name}.txt")


if __name__ == "__main__":
    main()
