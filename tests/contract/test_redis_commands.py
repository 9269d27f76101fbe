"""What we take commands for, asked of the server: a read that writes or a missed key is a wrong reply."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from podmates_redis.builtin import ROWS
from podmates_redis.commands import Kind, Table, builtin, learnt
from podmates_redis.plans import plan
from tests.support.redis_servers import Pair, Server, raw
from tests.support.redis_streams import Generator


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair() as pair:
        yield pair


@pytest.fixture(scope="module")
def table(pair: Pair) -> Table:
    return learnt(raw(pair.master.port, "COMMAND"))


@pytest.fixture(scope="module")
def lines() -> list[list[bytes]]:
    """Return commands of every family of data, with valid arguments."""
    stream = Generator(1)
    return [[_bytes(word) for word in stream.command(data=True)] for _ in range(1500)]


def _bytes(word: bytes | str | float) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()


def plain(server: Server) -> Any:
    """Return a client that does not reshape replies."""
    client = server.client()
    client.response_callbacks.clear()
    return client


def ask(client: Any, line: list[bytes]) -> Any:
    """Return the reply, or the error that it is."""
    try:
        return client.execute_command(*line)
    except redis.ResponseError as error:
        return error


def test_every_command_that_we_read_at_a_replica_is_taken_there(
    pair: Pair, table: Table, lines: list[list[bytes]]
) -> None:
    client = plain(pair.replica)
    reads = [line for line in lines if plan(table, line).command.kind is Kind.READ]

    assert len({line[0] for line in reads}) > 40
    assert [line for line in reads if isinstance(ask(client, line), redis.ReadOnlyError)] == []


def test_every_command_that_a_replica_refuses_is_a_write(
    pair: Pair, table: Table, lines: list[list[bytes]]
) -> None:
    client = plain(pair.replica)
    refused = [line for line in lines if isinstance(ask(client, line), redis.ReadOnlyError)]
    kinds = {line[0]: plan(table, line).command.kind for line in refused}

    assert len(kinds) > 40
    assert {name: kind for name, kind in kinds.items() if kind not in (Kind.WRITE, Kind.BLOCKING)} == {}


def test_no_key_is_missed_that_the_server_sees(pair: Pair, table: Table, lines: list[list[bytes]]) -> None:
    client = plain(pair.master)
    missed = []
    for line in lines:
        told, ours = ask(client, [b"COMMAND", b"GETKEYS", *line]), plan(table, line).keys
        if ours is not None and isinstance(told, list) and not set(told) <= set(ours):
            missed.append((line, told, ours))

    assert missed == []


def test_what_is_built_in_agrees_with_what_the_server_says(pair: Pair) -> None:
    """Where both know a command, the fallback must not read what the server calls a write."""
    told = {entry[0].decode(): {str(flag) for flag in entry[2]} for entry in raw(pair.master.port, "COMMAND")}
    names = [row.split()[0] for row in ROWS.splitlines()]
    ours = {name: builtin().find([name.encode()]) for name in names if name in told}
    wrong = [n for n, c in ours.items() if c.kind is Kind.READ and "readonly" not in str(told[n])]

    assert len(ours) > 200
    assert wrong == []


def test_a_script_may_write_a_key_that_it_does_not_declare(pair: Pair) -> None:
    """Why scripts count as writes of everything."""
    number = str(random.randrange(10**9))
    raw(pair.master.port, "EVAL", "return redis.call('set', 'undeclared', ARGV[1])", "0", number)

    assert raw(pair.master.port, "GET", "undeclared") == number.encode()
