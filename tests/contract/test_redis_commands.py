"""What we take commands for, asked of the server: a read that writes or a missed key is a wrong reply."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from podmates_redis.commands.plans import plan
from podmates_redis.commands.table import Command, Kind, Table, builtin, learnt
from tests.support.redis_forms import DATA, FORMS, UNTRIED, lines, named
from tests.support.redis_servers import Pair, Server, raw
from tests.support.redis_streams import Generator
from tests.support.redis_versions import VERSIONS, program

EVERY = [line for text in FORMS.values() for line in lines(text, dump=b"x")]


@pytest.fixture(scope="module", params=VERSIONS)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with Pair(program=program(request.param)) as pair:
        for line in lines(DATA):
            ask(plain(pair.master), line)
        yield pair


@pytest.fixture(scope="module")
def table(pair: Pair) -> Table:
    return learnt(raw(pair.master.port, "COMMAND"))


@pytest.fixture(scope="module")
def drawn() -> list[list[bytes]]:
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
    pair: Pair, table: Table, drawn: list[list[bytes]]
) -> None:
    client = plain(pair.replica)
    reads = [line for line in drawn if plan(table, line).command.kind is Kind.READ]

    assert len({line[0] for line in reads}) > 40
    assert [line for line in reads if isinstance(ask(client, line), redis.ReadOnlyError)] == []


def test_every_command_that_a_replica_refuses_is_a_write(
    pair: Pair, table: Table, drawn: list[list[bytes]]
) -> None:
    client = plain(pair.replica)
    refused = [line for line in drawn if isinstance(ask(client, line), redis.ReadOnlyError)]
    kinds = {line[0]: plan(table, line).command.kind for line in refused}

    assert len(kinds) > 40
    assert {name: kind for name, kind in kinds.items() if kind not in (Kind.WRITE, Kind.BLOCKING)} == {}


def test_every_command_of_the_server_is_tried(table: Table) -> None:
    tried = {name for line in EVERY for name in named(line)}
    known = {command.name for command in table} - UNTRIED

    assert known - tried == set()


def test_reads_of_the_table_are_taken_by_a_replica(pair: Pair, table: Table) -> None:
    client = plain(pair.replica)
    reads = [line for line in EVERY if plan(table, line).command.kind is Kind.READ]

    assert len(reads) > 80
    assert [line for line in reads if isinstance(ask(client, line), redis.ReadOnlyError)] == []


def test_no_key_is_missed_that_the_server_sees(pair: Pair, table: Table, drawn: list[list[bytes]]) -> None:
    """Also where the table is the one built in: it serves until a master was asked."""
    client, fallback = plain(pair.master), builtin()
    missed = []
    for line in [*EVERY, *drawn]:
        told = ask(client, [b"COMMAND", b"GETKEYS", *line])
        for ours in (plan(table, line).keys, plan(fallback, line).keys):
            if ours is not None and isinstance(told, list) and not set(told) <= set(ours):
                missed.append((line, told, ours))

    assert missed == []


def test_keys_that_the_server_names_are_known_of_data(pair: Pair, table: Table) -> None:
    """A command that reads or writes anywhere costs the replicas all reads behind it: only where it must."""
    client = plain(pair.master)
    vague = set()
    for line in EVERY:
        told, ours = ask(client, [b"COMMAND", b"GETKEYS", *line]), plan(table, line)
        if isinstance(told, list) and (ours.keys is None or set(ours.keys) - set(told)):
            vague.add(ours.command.name)

    assert vague <= VAGUE


# scripts may go beyond their keys, BY and GET name others
VAGUE = frozenset(["eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro", "sort_ro", "migrate"])


def test_what_is_built_in_agrees_with_what_the_server_says(table: Table) -> None:
    """It has every command, takes none for a read that is none, and finds the same keys."""
    ours = {command.name: command for command in builtin()}
    told = {command.name: command for command in table if not command.container}

    assert set(told) - set(ours) == set()
    assert {name: _nature(ours[name]) for name in told} == {name: _nature(told[name]) for name in told}


def _nature(command: Command) -> tuple[object, ...]:
    return command.kind, command.first, command.last, command.step, command.why_master, command.everything


def test_a_script_may_write_a_key_that_it_does_not_declare(pair: Pair) -> None:
    """Why scripts count as writes of everything."""
    number = str(random.randrange(10**9))
    raw(pair.master.port, "EVAL", "return redis.call('set', 'undeclared', ARGV[1])", "0", number)

    assert raw(pair.master.port, "GET", "undeclared") == number.encode()
