"""Every form of every command, on every version: the reply of a plain server, from where the table says."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.pods import serves_reads
from tests.support.redis_forms import DATA, FORMS, LOOSE, lines, named
from tests.support.redis_replies import unlike
from tests.support.redis_versions import VERSIONS, Bench, bench
from tests.support.resp import RawClient

STATES = """
    subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe multi exec discard watch unwatch
    select auth hello client readonly readwrite asking replconf script quit reset
"""
FRESH = lines("FLUSHALL; SCRIPT LOAD {one};" + DATA)


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from bench(
        request.param, "--admin-commands", "allow", "--op-timeout", "60s"
    )  # PFSELFTEST takes long


def fresh(client: RawClient) -> None:
    """Have the data of `redis_forms`, as far as the server has its types."""
    client.pipeline([("CLIENT", "REPLY", "OFF"), *FRESH, ("CLIENT", "REPLY", "ON")])
    assert client.read() == b"+OK\r\n"


def words(line: list[bytes]) -> str:
    return " ".join(word.decode("latin-1") for word in line)


def differs(line: list[bytes], one: bytes, other: bytes) -> bool:
    """Tell whether *other* is another reply than *one*; for what may differ, one of another kind."""
    if set(LOOSE.split()).isdisjoint(named(line)) or one[:1] == b"-":
        return unlike(tuple(word.decode("latin-1") for word in line), one, other)
    return one[:1] != other[:1]


def routes(version: Bench) -> Counter[tuple[str, str]]:
    """Return how many commands went where: (name, route) → number."""
    found: Counter[tuple[str, str]] = Counter()
    for labels, value in version.ambassador.metric("redis_ambassador_commands_total").items():
        known = dict(labels)
        found[(known["command"], known["route"])] += int(value)
    return found


@pytest.mark.parametrize("protocol", [2, 3])
def test_reads_are_the_replicas(version: Bench, protocol: int) -> None:
    for server in (version.plain, version.pair.master):
        with RawClient(server.port) as client:
            fresh(client)
    version.pair.settle()
    serves_reads(version.pair, version.ambassador)
    before = routes(version)
    with (
        RawClient(version.plain.port, protocol=protocol) as plain,
        RawClient(version.ambassador.port, protocol=protocol) as ours,
    ):
        wanted = [(line, plain.call(*line)) for line in lines(FORMS["replica"])]
        refused = [(line, reply) for line, reply in wanted if reply.startswith(b"-")]
        served = [(line, reply) for line, reply in wanted if not reply.startswith(b"-")]
        faults = told_otherwise(ours, served)
        went = routes(version) - before
        # one that is not known may have written anything
        faults += told_otherwise(ours, refused)

    assert faults == []
    assert {name for name, route in went if route != "replica"} - {"hello"} == set()
    assert {name for name, route in went if route == "replica"} == {named(line)[0] for line, _ in served}
    assert len(served) > 65


def told_otherwise(client: RawClient, wanted: list[tuple[list[bytes], bytes]]) -> list[str]:
    """Return how the replies to *client* are unlike those wanted."""
    faults = []
    for line, one in wanted:
        other = client.call(*line)
        if differs(line, one, other):
            faults.append(f"{words(line)}: {one[:300]!r} became {other[:300]!r}")
    return faults


class Asker:
    """Asks on one connection, and on a new one after what has changed it."""

    def __init__(self, port: int, protocol: int) -> None:
        self._port, self._protocol = port, protocol
        self._client = RawClient(port, protocol=protocol)

    def ask(self, line: list[bytes]) -> bytes:
        reply = self._client.call(*line)
        if named(line)[0] in STATES.split():
            self.close()
            self._client = RawClient(self._port, protocol=self._protocol)
        return reply

    def close(self) -> None:
        self._client.close()


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("route", ["master", "local"])
def test_the_rest_is_not(version: Bench, route: str, protocol: int) -> None:
    before, faults, refused = routes(version), [], set()
    with contextlib.ExitStack() as stack:
        plain, master = (
            stack.enter_context(RawClient(server.port)) for server in (version.plain, version.pair.master)
        )
        askers = [
            stack.enter_context(contextlib.closing(Asker(port, protocol)))
            for port in (version.plain.port, version.ambassador.port)
        ]
        fresh(plain)
        dump = plain.call("DUMP", "s").split(b"\r\n", 1)[1][:-2]
        for line in lines(FORMS[route], dump=dump):
            for client in (plain, master):
                fresh(client)
            one, other = (asker.ask(line) for asker in askers)
            if differs(line, one, other):
                faults.append(f"{words(line)}: {one[:300]!r} became {other[:300]!r}")
            if one.startswith(b"-"):
                refused |= {*named(line), "other"}

    assert faults == []
    went = routes(version) - before
    # some of CLIENT is answered here once the master has had a look at it
    strays = {name for name, at in went if at != route and not name.startswith("client|")}
    strays -= {"hello", "select"}  # from the master only if there is a connection of the client's own
    assert strays - (refused if route == "local" else set()) == set(), went
