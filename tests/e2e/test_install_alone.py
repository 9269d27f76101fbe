"""Each service installs by itself, with what it needs and nothing of the others."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from podmates_common.version import VERSION
from tests.support.processes import Finished, run

ROOT = Path(__file__).parents[2]
MEMBERS = {"gitsync": "sidecars/gitsync", "redis": "ambassadors/redis", "metrics": "adapters/metrics"}
LEFT_OUT = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "*.so", "*.c")
# Where the machine says how it reaches its package registry; a test changes nothing about that.
REACH = ("PIP_", "SSL_", "HTTP", "http", "HOME", "NO_PROXY", "no_proxy")


def normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def pinned(short: str) -> set[str]:
    lines = (ROOT / "requirements" / f"{short}.txt").read_text().splitlines()
    return {normal(line.split("==")[0]) for line in lines if "==" in line and not line.startswith((" ", "#"))}


@pytest.mark.parametrize("short", MEMBERS)
def test_a_service_installs_with_only_its_own_dependencies(short: str, tmp_path: Path) -> None:
    reach = {name: value for name, value in os.environ.items() if name.startswith(REACH)}

    def python(*words: str) -> Finished:
        done = run([tmp_path / "venv" / "bin" / "python", *words], env=reach, timeout=600)
        assert done.status == 0, done
        return done

    for member in ("common", MEMBERS[short]):  # the back end writes beside the sources that it builds
        shutil.copytree(ROOT / member, tmp_path / member, ignore=LEFT_OUT)
    assert run([sys.executable, "-m", "venv", tmp_path / "venv"], timeout=600).status == 0
    sources = [str(tmp_path / member) for member in ("common", MEMBERS[short])]
    limits = ("-c", str(_without_hashes(short, tmp_path)))
    python("-m", "pip", "install", "-q", "--no-compile", *limits, *sources)

    listed = json.loads(python("-m", "pip", "list", "--format", "json").stdout)
    names = {normal(entry["name"]) for entry in listed} - {"pip", "setuptools"}
    assert names <= pinned(short) | {"podmates-common", f"podmates-{short}"}
    version = run([tmp_path / "venv" / "bin" / f"podmates-{short}", "--version"])
    assert (version.status, VERSION in version.stdout) == (0, True), version


def _without_hashes(short: str, folder: Path) -> Path:
    """Return the pins as constraints: a folder to install has no hash, so pip must not ask for any."""
    lines = (ROOT / "requirements" / f"{short}.txt").read_text().splitlines()
    pins = [line.rstrip("\\ ") for line in lines if "==" in line and not line.startswith((" ", "#"))]
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins) + "\n")
    return constraints
