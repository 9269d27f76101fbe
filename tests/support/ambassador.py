"""The Redis ambassador as a test meets it: the installed script, started on ports of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import redis
from prometheus_client.parser import text_string_to_metric_families

from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import script
from tests.support.waiting import until
from tests.support.web import Answer, get


class Ambassador:
    """A running ``podmates-redis``; *flags* come after the addresses to listen on, *prefix* before it all.

    Attributes:
        port: where it serves Redis.
        admin: URL of its admin server, without a slash at the end.
        process: the process.
    """

    def __init__(
        self,
        *flags: str,
        env: Mapping[str, str] | None = None,
        ready: bool = True,
        prefix: Sequence[str] = (),
    ) -> None:
        self.port = free_port()
        admin = free_port()
        self.admin = f"http://127.0.0.1:{admin}"
        listen = ("--listen", f"127.0.0.1:{self.port}", "--admin-listen", f"127.0.0.1:{admin}")
        self._clients: list[Any] = []
        self.process = Process([*prefix, script("podmates-redis"), "run", *listen, *flags], env=env)
        try:
            if ready:
                self.wait_ready()
            else:  # listening is promised at once, without any server
                until(self.listens, what="the ambassador to listen", ignoring=(OSError,))
        except BaseException:
            self.close()
            raise

    def wait_ready(self, timeout: float = 30.0) -> re.Match[str]:
        """Wait for the line that says that it serves."""
        return self.process.wait_line(r"ready listen=(?P<listen>\S+) admin=(?P<admin>[^\s\"]+)", timeout)

    def listens(self) -> bool:
        return self.get("/livez").status == 200

    def get(self, path: str) -> Answer:
        return get(self.admin + path)

    def client(self, *, protocol: int = 2, database: int = 0, timeout: float = 30) -> Any:
        """Return a redis-py client of its own with bytes as replies; it is closed with the ambassador."""
        client = redis.Redis(
            host="127.0.0.1", port=self.port, db=database, protocol=protocol, socket_timeout=timeout
        )
        self._clients.append(client)
        return client

    def wait_readyz(self) -> None:
        """Wait until it says that it can serve, by all servers that it knows of."""
        until(lambda: self.get("/readyz").status == 200, what="readiness")

    def metric(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Return the samples called *name*: sorted pairs of labels → value."""
        text = self.get("/metrics").body
        return {
            tuple(sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name
        }

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of the samples called *name* that have these *labels*, whatever others they have."""
        found = self.metric(name).items()
        return sum(value for known, value in found if labels.items() <= dict(known).items())

    def reads(self) -> dict[tuple[str, str], float]:
        """Return how many reads went where and why: (route, reason) → count over all nodes."""
        totals: dict[tuple[str, str], float] = {}
        for labels, value in self.metric("redis_ambassador_reads_total").items():
            known = dict(labels)
            key = known["route"], known["reason"]
            totals[key] = totals.get(key, 0.0) + value
        return totals

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.process.close()
