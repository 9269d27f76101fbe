"""A container engine as tests use it: images built once a run, containers and networks that leave with it."""

from __future__ import annotations

import functools
import json
import os
import secrets
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NamedTuple, Self

import pytest

from tests.support.waiting import until
from tools import engine, image

STANDIN = os.environ.get("STANDIN", "1") == "1"
# The strictest that the project promises to run under; never with a writable /tmp.
HARDENED = ("--read-only", "--user=12345:12345", "--cap-drop=ALL", "--security-opt=no-new-privileges")
# Every image of others in the examples: its variable in compose files, and what stands for it.
FOREIGN = {
    "nginxinc/nginx-unprivileged:1.29": ("NGINX_IMAGE", "standin-nginx"),
    "redis:8": ("REDIS_IMAGE", "standin-redis"),
    "prom/prometheus:v3.5.0": ("PROMETHEUS_IMAGE", "standin-prometheus"),
    "git-sync/git-sync:v4.7.1": ("GIT_SYNC_IMAGE", "gitsync"),
}


def need_engine() -> None:
    """Skip the test where no container engine answers; ``REQUIRE_ALL=1`` makes that a failure."""
    if _engine_answers():
        return
    reason = "no container engine answers: it comes with the package docker.io (python -m tools.engine start)"
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@functools.cache
def _engine_answers() -> bool:
    return engine.find()


@functools.cache
def built(name: str) -> str:
    """Return the tag of image *name* of this repository, built from the sources as they are now."""
    return image.build(name, on_standin=STANDIN)


def substitutes() -> dict[str, str]:
    """Return what to run in place of each foreign image; empty with ``STANDIN=0``."""
    return {name: built(standin) for name, (_, standin) in FOREIGN.items()} if STANDIN else {}


def docker(*arguments: str, timeout: float = 120, stdin: bytes | None = None) -> str:
    """Return what a docker command prints.

    Raises:
        AssertionError: it failed; with what it said.
    """
    done = attempt(*arguments, timeout=timeout, stdin=stdin)
    assert done.status == 0, f"docker {' '.join(arguments)}: {done.output}"
    return done.stdout


class Outcome(NamedTuple):
    status: int
    stdout: str
    output: str  # both streams, standard output first


def attempt(*arguments: str, timeout: float = 120, stdin: bytes | None = None) -> Outcome:
    """Run a docker command that may fail."""
    command = ["docker", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=timeout, input=stdin, check=False)
    stdout, stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    return Outcome(done.returncode, stdout.strip(), (stdout + stderr).strip())


class Ended(NamedTuple):
    status: int
    seconds: float  # from the signal to the end


class Network:
    """A network of its own for a test; containers find each other by name on it."""

    def __init__(self) -> None:
        self.name = f"podmates-test-{secrets.token_hex(4)}"
        docker("network", "create", self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        attempt("network", "rm", self.name)


class Container:
    """A running container; use it as a context manager, which removes it.

    Args:
        image: a tag.
        flags: of ``docker run``.
        command: after the image.
    """

    def __init__(
        self, image: str, *flags: str, command: Iterable[str] = (), env: Mapping[str, str] | None = None
    ) -> None:
        variables = [f"--env={name}={value}" for name, value in (env or {}).items()]
        self.id = docker("run", "--detach", *flags, *variables, image, *command)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def remove(self) -> None:
        attempt("rm", "--force", "--volumes", self.id)

    @property
    def state(self) -> dict[str, Any]:
        (described,) = json.loads(docker("inspect", self.id))
        return dict(described)

    @property
    def running(self) -> bool:
        return bool(self.state["State"]["Running"])

    @property
    def address(self) -> str:
        """The address on the first network that it is on."""
        networks = self.state["NetworkSettings"]["Networks"].values()
        return next(str(network["IPAddress"]) for network in networks)

    @property
    def logs(self) -> str:
        return attempt("logs", self.id).output

    def execute(self, *command: str, flags: Iterable[str] = (), stdin: bytes | None = None) -> Outcome:
        """Run *command* in the container; it may fail."""
        standard_input = ("--interactive",) if stdin is not None else ()
        return attempt("exec", *standard_input, *flags, self.id, *command, stdin=stdin)

    def wait_answer(self, *command: str, timeout: float = 60) -> None:
        """Wait until *command* ends with 0 in the container; fails at once if the container ends."""

        def answer() -> bool:
            assert self.running, f"the container ended: {self.logs[-3000:]}"
            return self.execute(*command).status == 0

        try:
            until(answer, timeout, f"{' '.join(command)} to say yes")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs[-3000:]}") from None

    def stop(self, signal: str = "TERM", timeout: float = 30) -> Ended:
        """Send *signal* and return how the container ended."""
        started = datetime.now(UTC)
        docker("kill", f"--signal={signal}", self.id)
        docker("wait", self.id, timeout=timeout)
        state = self.state["State"]
        finished = datetime.fromisoformat(state["FinishedAt"])
        return Ended(int(state["ExitCode"]), (finished - started).total_seconds())


class Page(NamedTuple):
    status: int  # 0: nobody answered
    body: str


def fetch(url: str, timeout: float = 10) -> Page:
    """Get *url* without a proxy, whatever the answer is."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as response:
            return Page(response.status, response.read().decode(errors="replace"))
    except urllib.error.HTTPError as error:
        with error:
            return Page(error.code, error.read().decode(errors="replace"))
    except OSError as error:
        return Page(0, str(error))
