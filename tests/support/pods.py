"""What tests of the ambassador's reads share: a replica known to serve, and whether a reply is stale."""

from __future__ import annotations

from tests.support.ambassador import Ambassador
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient, Word
from tests.support.waiting import until


def commands(text: str, **known: Word) -> list[list[Word]]:
    """Return the commands of *text*, split at semicolons and line ends; ``{name}`` is a word from *known*."""
    filled = {f"{{{name}}}": value for name, value in known.items()}
    parts = text.replace("\n", ";").split(";")
    return [[filled.get(word, word) for word in part.split()] for part in parts if part.strip()]


def serves_reads(pair: Pair, ambassador: Ambassador) -> None:
    """Wait until a replica answers reads that come through the ambassador."""

    def served() -> int:
        return sum(replica.calls("get") for replica in pair.replicas)

    before = served()
    with RawClient(ambassador.port) as client:
        until(lambda: client.call("GET", "warm") and served() > before, what="a replica to serve a read")


def prepare(pair: Pair, ambassador: Ambassador, data: str) -> None:
    """Empty the servers, run the commands of *data* at the master, and see the replica serve reads of it."""
    with RawClient(pair.master.port) as master:
        for command in commands("FLUSHALL;" + data):
            reply = master.call(*command)
            assert not reply.startswith(b"-"), (command, reply)
    pair.settle()
    serves_reads(pair, ambassador)


def ask(port: int, *words: Word) -> bytes:
    """Return the reply to one command on a connection of its own."""
    with RawClient(port) as client:
        return client.call(*words)
