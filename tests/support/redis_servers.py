"""Redis servers, pairs, sentinels and clusters for a test: real processes on loopback.

Works with redis-server from 6.2 and with the embedded Valkey of the wheel (see `programs.redis_server`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Sequence
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
SLOTS = 16384

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

    It keeps its port and its folder over `kill` and `start`.
    """

    def __init__(self, *options: str, password: str = "", port: int = 0) -> None:
        self.port = port or free_port()
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

    def start(self) -> None:
        """Start it (again), and wait until it answers."""
        argv = [*redis_server(), "--port", str(self.port), "--dir", self._folder.name, *self._options]
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

    def calls(self, command: str) -> int:
        """Return how often *command* (lower case) was executed since the start or ``CONFIG RESETSTAT``."""
        return int(self.info("commandstats").get(f"cmdstat_{command}", {}).get("calls", 0))

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
        self, replicas: int = 1, *, forwarded: bool = False, options: Sequence[str] = (), password: str = ""
    ) -> None:
        self._stack = contextlib.ExitStack()
        self.links: list[Forwarder] = []
        try:
            self.master = self._stack.enter_context(Server(*options, password=password))
            self.replicas = [
                self._stack.enter_context(Server(*options, password=password)) for _ in range(replicas)
            ]
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


class Sentinels(Context):
    """Sentinels that watch the master of *pair* under *name* and fail over to a replica by themselves.

    They call the master down after *down_after* milliseconds of silence.
    """

    def __init__(self, pair: Pair, count: int = 1, *, name: str = "mymaster", down_after: int = 500) -> None:
        self.name = name
        self.quorum = count // 2 + 1
        self._folder = tempfile.TemporaryDirectory(prefix="sentinel-")
        self._stack = contextlib.ExitStack()
        self._stack.callback(self._folder.cleanup)
        self.ports = [free_port() for _ in range(count)]
        try:
            for port in self.ports:
                self._start(port, pair, down_after)
            until(lambda: all(map(self._knows_all, self.ports)), what="the sentinels to know each other")
        except BaseException:
            self._stack.close()
            raise
        self._replicas = len(pair.replicas)

    def _start(self, port: int, pair: Pair, down_after: int) -> None:
        file = Path(self._folder.name) / f"{port}.conf"  # a sentinel rewrites its file
        lines = [
            f"port {port}",
            f"bind {HOST}",
            f"dir {self._folder.name}",
            f"sentinel monitor {self.name} {HOST} {pair.master.port} {self.quorum}",
            f"sentinel down-after-milliseconds {self.name} {down_after}",
            f"sentinel failover-timeout {self.name} 5000",
        ]
        if pair.master.password:
            lines.append(f"sentinel auth-pass {self.name} {pair.master.password}")
        file.write_text("\n".join(lines) + "\n")
        self._stack.enter_context(Process([*redis_server(), file, "--sentinel"]))
        self._wanted = len(pair.replicas), len(self.ports) - 1

    def _knows_all(self, port: int) -> bool:
        with contextlib.suppress(redis.RedisError, OSError):
            state = self._ask(port, "MASTER", self.name)
            facts = dict(zip(state[::2], state[1::2], strict=True))
            known = int(facts[b"num-slaves"]), int(facts[b"num-other-sentinels"])
            return known == self._wanted and facts[b"flags"] == b"master"
        return False

    def _ask(self, port: int, *words: str) -> Any:
        return raw(port, "SENTINEL", *words)

    @property
    def addresses(self) -> str:
        """All of them as ``--sentinels`` takes them."""
        return ",".join(f"{HOST}:{port}" for port in self.ports)

    def master(self) -> tuple[str, int]:
        """Return the address of the master that the first sentinel names."""
        host, port = self._ask(self.ports[0], "GET-MASTER-ADDR-BY-NAME", self.name)
        return host.decode(), int(port)

    def failover(self) -> None:
        """Ask for a planned failover; returns at once."""
        self._ask(self.ports[0], "FAILOVER", self.name)

    def close(self) -> None:
        self._stack.close()


class Cluster(Context):
    """A Redis Cluster of *masters* with one replica each, all slots served when the constructor returns."""

    def __init__(self, masters: int = 3) -> None:
        self._stack = contextlib.ExitStack()
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
        try:
            self.servers = [self._stack.enter_context(Server(*options)) for _ in range(2 * masters)]
            self.masters, self.replicas = self.servers[:masters], self.servers[masters:]
            self._form()
        except BaseException:
            self._stack.close()
            raise

    @property
    def addresses(self) -> str:
        return ",".join(server.address for server in self.servers)

    def _form(self) -> None:
        share = -(-SLOTS // len(self.masters))
        for index, server in enumerate(self.servers):
            server.client().execute_command("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
            if index < len(self.masters):
                slots = range(index * share, min(SLOTS, (index + 1) * share))
                server.client().execute_command("CLUSTER", "ADDSLOTS", *slots)
            self.servers[0].client().execute_command("CLUSTER", "MEET", HOST, server.port)
        until(lambda: all(map(self._complete, self.servers)), what="all nodes to know each other")
        for master, replica in zip(self.masters, self.replicas, strict=True):
            name = master.client().execute_command("CLUSTER", "MYID")
            until(
                lambda name=name, replica=replica: replica.client().execute_command(
                    "CLUSTER", "REPLICATE", name
                ),  # type: ignore[misc]
                what="a replica to accept its master",
                ignoring=(redis.ResponseError,),
            )
        for replica in self.replicas:
            replica.wait_link()
        until(lambda: all(map(self._serves, self.servers)), what="the cluster to serve all slots")

    def _complete(self, server: Server) -> bool:
        return self._state(server)["cluster_known_nodes"] == str(len(self.servers))

    def _serves(self, server: Server) -> bool:
        return self._state(server)["cluster_state"] == "ok"

    @staticmethod
    def _state(server: Server) -> dict[str, str]:
        text = raw(server.port, "CLUSTER", "INFO").decode()
        return dict(line.split(":", 1) for line in text.split() if ":" in line)

    def close(self) -> None:
        self._stack.close()
