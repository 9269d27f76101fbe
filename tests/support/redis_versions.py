"""The servers that the ambassador is tried with, by name: Redis and Valkey of several ages."""

from __future__ import annotations

import contextlib
import functools
import re
import shutil
import subprocess
from collections.abc import Iterator

from tests.support.ambassador import Ambassador
from tests.support.programs import embedded_server, lack
from tests.support.redis_servers import Context, Pair, Server
from tools import servers

VERSIONS = ("redis-6.2", "redis-7.0", "redis-8.0", "valkey-8.1", "valkey-9.1")


@functools.cache
def program(version: str) -> list[str]:
    """Return how a server of *version* is started; skip the test where there is none."""
    if version == "valkey-9.1":
        return [str(embedded_server())]
    if version != "redis-7.0":
        path = servers.folder() / version
        return [str(path)] if path.exists() else lack(f"{version} is not here: make servers")
    found = shutil.which("redis-server")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True) if found else None
    if found and said and re.search(r" v=7\.0\.", said.stdout):
        return [found]
    return lack("there is no redis-server 7.0: it comes with the package redis-server of Debian 12")


class Bench(Context):
    """A plain server of *version*, and an ambassador before a master and a replica of the same."""

    def __init__(self, version: str, *flags: str) -> None:
        self.version = version
        with contextlib.ExitStack() as stack:
            self.plain = stack.enter_context(Server(program=program(version)))
            self.pair = stack.enter_context(Pair(program=program(version)))
            self.ambassador = stack.enter_context(Ambassador("--servers", self.pair.addresses, *flags))
            self._stack = stack.pop_all()

    def close(self) -> None:
        self._stack.close()


def bench(version: str, *flags: str) -> Iterator[Bench]:
    """Be the body of a fixture."""
    with Bench(version, *flags) as made:
        yield made
