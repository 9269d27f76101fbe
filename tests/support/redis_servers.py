"""Redis servers and pairs for a test: real processes on loopback (`redis_groups` has sentinels and clusters).

Works with redis-server from 6.2 and with Valkey; which one is `programs.redis_server`'s choice unless a test
names a version of `redis_versions`.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis

from tests.support.forwarder import Forwarder
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import redis_server
from tests.support.waiting import until

HOST = "127.0.0.1"

# Nothing on disk; the first synchronisation at once (5 s otherwise); a lost link is noticed and retried soon.
_OPTIONS = (
    *("--save", "", "--appendonly", "no", "--bind", HOST, "--daemonize", "no", "--loglevel", "notice"),
    *("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"),
)


def raw(port: int, *words: str) -> Any:
    """Return the reply of one command on a connection of its own, in RESP2 and not reshaped by redis-py."""
    client: Any = redis.Redis(HOST, port, protocol=2, socket_timeout=30)
    with contextlib.closing(client):
        client.response_callbacks.clear()
        return client.execute_command(*words)


class Context:
    """What `with` needs from a class with a `close`."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Server(Context):
    """One Redis server, up when the constructor returns; *options* are its command line.

    It keeps its port and its folder over `kill` and `start`. *program* is how the server is started.
    """

    def __init__(
        self, *options: str, password: str = "", port: int = 0, program: Sequence[str] | None = None
    ) -> None:
        self.port, self.tls_port = port or free_port(), 0
        self._program = program or redis_server()
        self.password = password
        self._folder = tempfile.TemporaryDirectory(prefix="redis-")
        secret = ("--requirepass", password, "--masterauth", password) if password else ()
        self._options = [*_OPTIONS, *secret, *options]
        self._clients: list[Any] = []
        self.process: Process | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def folder(self) -> Path:
        return Path(self._folder.name)

    def start(self, *more: str) -> None:
        """Start it (again), with *more* options than before, and wait until it answers."""
        argv = [*self._program, "--port", str(self.port), "--dir", self._folder.name, *self._options, *more]
        self.process = Process(argv)
        try:
            until(self._answers, 30, f"a server on {self.address}")
        except AssertionError:
            output = self.process.output
            self.process.close()
            raise AssertionError(f"{' '.join(argv)} did not start:\n{output}") from None

    def _answers(self) -> bool:
        assert self.process and self.process.returncode is None, "it ended"
        with contextlib.suppress(redis.RedisError, OSError):
            return bool(self.client().ping())
        return False

    def client(self, *, protocol: int = 2, database: int = 0) -> Any:
        """Return a redis-py client of its own with bytes as replies; it is closed with the server.

        Any: redis-py types every reply as a union over its synchronous and asynchronous forms.
        """
        client = redis.Redis(
            host=HOST,
            port=self.port,
            db=database,
            password=self.password or None,
            protocol=protocol,
            socket_timeout=30,
        )
        self._clients.append(client)
        return client

    def info(self, section: str) -> dict[str, Any]:
        with contextlib.closing(
            redis.Redis(HOST, self.port, password=self.password or None, protocol=2)
        ) as client:
            return dict(client.info(section))

    def set(self, options: Mapping[str, str]) -> None:
        """Set *options* now, and whenever it is started again."""
        for name, value in options.items():
            self.client().config_set(name, value)
            self._options += [f"--{name}", value]

    def calls(self, *commands: str) -> int:
        """Return how often *commands* (lower case) were executed since the start or ``CONFIG RESETSTAT``."""
        stats = self.info("commandstats")
        return sum(int(stats.get(f"cmdstat_{command}", {}).get("calls", 0)) for command in commands)

    def kill(self) -> None:
        """kill -9, as the kernel does it to a process that takes too much memory."""
        if self.process:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process.close()

    def pause(self) -> None:
        """Stop it in its tracks: connections stay open, nothing is answered, as in a long stall."""
        assert self.process
        self.process.send(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process
        self.process.send(signal.SIGCONT)

    @contextlib.contextmanager
    def stalled(self) -> Iterator[None]:
        """Have it answer nothing meanwhile, see `pause`."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def close(self) -> None:
        for client in self._clients:
            client.close()
        if self.process:
            self.process.close()
        self._folder.cleanup()

    def follow(self, host: str, port: int) -> None:
        """Become a replica of that address and wait until the link is up."""
        self.client().replicaof(host, port)
        self.wait_link()

    def promote(self) -> None:
        """Become a master."""
        self.client().replicaof("NO", "ONE")

    def hand_over(self, replica: Server) -> None:
        """Ask for ``FAILOVER TO`` *replica*; returns as soon as it is under way.

        A replica whose own link is up counts as online here only when it has acknowledged something.
        """
        place = replica.port, "online"
        until(
            lambda: place in [(each["port"], each["state"]) for each in self._replicas()],
            what=f"{self.address} to have {replica.address} online",
        )
        self.client().execute_command("FAILOVER", "TO", HOST, replica.port, "TIMEOUT", 30_000)

    def _replicas(self) -> list[dict[str, Any]]:
        return [each for name, each in self.info("replication").items() if re.fullmatch(r"slave\d+", name)]

    def wait_link(self, status: str = "up") -> None:
        """Wait until the link to its master is *status* (``up`` or ``down``)."""
        until(
            lambda: self.info("replication").get("master_link_status") == status,
            what=f"the link of {self.address} to be {status}",
        )


class Pair(Context):
    """A master and its replicas, linked and in step.

    With *forwarded* each replica follows through `links[i]`, whose `delay`, `cut` and `freeze` then
    make that replica stale.
    """

    def __init__(
        self,
        replicas: int = 1,
        *,
        forwarded: bool = False,
        options: Sequence[str] = (),
        password: str = "",
        program: Sequence[str] | None = None,
    ) -> None:
        def server() -> Server:
            return self._stack.enter_context(Server(*options, password=password, program=program))

        self._stack = contextlib.ExitStack()
        self.links: list[Forwarder] = []
        try:
            self.master = server()
            self.replicas = [server() for _ in range(replicas)]
            for replica in self.replicas:
                port = self.master.port
                if forwarded:
                    self.links.append(self._stack.enter_context(Forwarder((HOST, port))))
                    port = self.links[-1].port
                replica.follow(HOST, port)
        except BaseException:
            self._stack.close()
            raise

    @property
    def replica(self) -> Server:
        return self.replicas[0]

    @property
    def servers(self) -> list[Server]:
        return [self.master, *self.replicas]

    @property
    def addresses(self) -> str:
        """All of them as ``--servers`` takes them."""
        return ",".join(server.address for server in self.servers)

    def settle(self) -> None:
        """Wait until every replica holds all that the master holds at this moment."""
        wanted = self.master.info("replication")["master_repl_offset"]
        for replica in self.replicas:
            until(
                lambda replica=replica: replica.info("replication")["slave_repl_offset"] >= wanted,  # type: ignore[misc]
                what=f"{replica.address} to reach offset {wanted}",
            )

    def close(self) -> None:
        self._stack.close()
