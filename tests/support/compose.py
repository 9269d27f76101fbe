"""A published compose file, started as a user would, with free ports and stand-ins for foreign images."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.support.engine import FOREIGN, STANDIN, Page, built, fetch
from tests.support.ports import free_port

_OURS = {
    "GITSYNC_IMAGE": "gitsync",
    "REDIS_AMBASSADOR_IMAGE": "redis-ambassador",
    "METRICS_ADAPTER_IMAGE": "metrics-adapter",
    "EXAMPLE_APP_IMAGE": "example-app",
    "EXAMPLE_JVM_IMAGE": "example-jvm",
}


class Compose:
    """The services of a file, up; use it as a context manager, which removes them and their volumes."""

    def __init__(self, path: Path) -> None:
        self._path, self._project = path, f"podmates-{secrets.token_hex(4)}"
        text = path.read_text()
        named = set(re.findall(r"\$\{(\w+)", text))
        foreign = {variable: standin for variable, standin in FOREIGN.values() if STANDIN}
        images = {**_OURS, **foreign}
        self.ports = {name: free_port() for name in named if name.endswith("_PORT")}
        self._environ = {
            **{name: built(images[name]) for name in named if name in images},
            **{name: str(port) for name, port in self.ports.items()},
        }
        try:
            self.run("up", "-d", timeout=300)
        except BaseException:
            self.close()
            raise

    def run(self, *arguments: str, timeout: float = 120) -> str:
        """Return what a compose command prints.

        Raises:
            AssertionError: it failed; with what it and the services said.
        """
        done = self._attempt(*arguments, timeout=timeout)
        if done.returncode != 0:
            logs = self._attempt("logs", "--no-color").stdout.decode(errors="replace")
            raise AssertionError(
                f"compose {arguments}: {done.stderr.decode(errors='replace')}\n{logs[-5000:]}"
            )
        return done.stdout.decode(errors="replace")

    def get(self, port: str, path: str = "/") -> Page:
        """Get a page from the published port that the file calls *port*, as ``HTTP_PORT``."""
        return fetch(f"http://127.0.0.1:{self.ports[port]}{path}")

    def _attempt(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[bytes]:
        command = [*_program(), "-p", self._project, "-f", str(self._path), *arguments]
        environ = {**os.environ, **self._environ}
        return subprocess.run(command, env=environ, capture_output=True, timeout=timeout, check=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._attempt("down", "--volumes", "--remove-orphans", "--timeout", "3", timeout=180)


def _program() -> list[str]:
    """Return how compose is started: version 2 as a plugin of docker, else Debian's."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    reason = "compose is not installed: it comes with the package docker-compose"
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
