"""Redis sentinels and clusters for a test: real processes on loopback."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis

from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import redis_server
from tests.support.redis_servers import HOST, Context, Pair, Server, raw
from tests.support.waiting import until

SLOTS = 16384


class Sentinels(Context):
    """Sentinels that watch the master of *pair* under *name* and fail over to a replica by themselves.

    They call the master down after *down_after* milliseconds of silence: more than a loaded machine keeps one
    silent that lives, or they fail over by themselves. *options* are more lines of their files.
    """

    def __init__(
        self,
        pair: Pair,
        count: int = 1,
        *,
        name: str = "mymaster",
        down_after: int = 2500,
        options: Sequence[str] = (),
    ) -> None:
        self.name = name
        self._options = options
        self.processes: list[Process] = []
        self.quorum = count // 2 + 1
        self._folder = tempfile.TemporaryDirectory(prefix="sentinel-")
        self._stack = contextlib.ExitStack()
        self._stack.callback(self._folder.cleanup)
        self.ports = [free_port() for _ in range(count)]
        try:
            for port in self.ports:
                self._start(port, pair, down_after)
            until(self.settled, what="the sentinels to know each other")
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
        file.write_text("\n".join([*lines, *self._options]) + "\n")
        self.processes.append(self._stack.enter_context(Process([*redis_server(), file, "--sentinel"])))
        self._wanted = len(pair.replicas), len(self.ports) - 1

    def settled(self) -> bool:
        """Tell whether each knows all others and all servers, and has no failover at work."""
        return all(map(self._knows_all, self.ports))

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
        """Ask for a planned failover; returns when it is under way.

        It is refused as long as no replica has told enough of itself.
        """
        until(self._ordered, 60, "a sentinel to take the order", ignoring=(redis.ResponseError,))

    def _ordered(self) -> bool:
        self._ask(self.ports[0], "FAILOVER", self.name)
        return True

    def close(self) -> None:
        self._stack.close()


class Cluster(Context):
    """A Redis Cluster of *masters* with one replica each, all slots served when the constructor returns.

    *program* is how each node is started. With *tls*, options of a server, the nodes speak TLS among each
    other, and `ports` are for clients that do; else they are those of the servers.
    """

    def __init__(
        self, masters: int = 3, *, program: Sequence[str] | None = None, tls: Sequence[str] = ()
    ) -> None:
        self._stack = contextlib.ExitStack()
        # more than a loaded machine keeps a node silent that lives, or its replica takes over
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "5000")
        try:
            self.servers, self.ports = list[Server](), list[int]()
            for _ in range(2 * masters):
                port = free_port()
                more = ("--tls-port", str(port), "--tls-cluster", "yes", "--tls-replication", "yes", *tls)
                server = Server(*options, *(more if tls else ()), program=program)
                self.servers.append(self._stack.enter_context(server))
                self.ports.append(port if tls else server.port)
            self.masters, self.replicas = self.servers[:masters], self.servers[masters:]
            self._form()
        except BaseException:
            self._stack.close()
            raise

    @property
    def addresses(self) -> str:
        return ",".join(f"{HOST}:{port}" for port in self.ports)

    def _form(self) -> None:
        share = -(-SLOTS // len(self.masters))
        for index, server in enumerate(self.servers):
            server.client().execute_command("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
            if index < len(self.masters):
                slots = range(index * share, min(SLOTS, (index + 1) * share))
                server.client().execute_command("CLUSTER", "ADDSLOTS", *slots)
            self.servers[0].client().execute_command("CLUSTER", "MEET", HOST, self.ports[index])
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


class Move:
    """Moves *slot* from the master *source* to the master *target*, in the steps of the cluster's manual."""

    def __init__(self, slot: int, source: Server, target: Server) -> None:
        self.slot, self._source, self._target = slot, source, target
        self._from, self._to = (
            server.client().execute_command("CLUSTER", "MYID").decode() for server in (source, target)
        )

    def begin(self) -> None:
        self._set(self._target, "IMPORTING", self._from)
        self._set(self._source, "MIGRATING", self._to)

    def keys(self, most: int = 100) -> int:
        """Move up to *most* keys; return how many there were."""
        found = self._source.client().execute_command("CLUSTER", "GETKEYSINSLOT", self.slot, most)
        if found:
            self.take(*found)
        return len(found)

    def take(self, *keys: bytes | str) -> None:
        """Move *keys*."""
        self._source.client().execute_command("MIGRATE", HOST, self._target.port, "", 0, 5000, "KEYS", *keys)

    def end(self) -> None:
        for server in (self._target, self._source):
            self._set(server, "NODE", self._to)

    def _set(self, server: Server, *words: str) -> None:
        server.client().execute_command("CLUSTER", "SETSLOT", self.slot, *words)
