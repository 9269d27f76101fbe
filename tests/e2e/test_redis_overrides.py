"""What an operator says counts, of single commands and of the number of clients."""

from __future__ import annotations

import pytest

from tests.support.ambassador import Ambassador
from tests.support.pods import ask, prepare, serves_reads
from tests.support.redis_forms import DATA, lines
from tests.support.redis_servers import Pair
from tests.support.redis_versions import VERSIONS, Bench
from tests.support.resp import RawClient, request
from tests.support.shared_path import FORMS
from tests.support.waiting import until

FLAGS = ("--route", "keys=deny,strlen=master,dbsize=replica", "--ttl-reads", "master")


def test_commands_go_where_the_operator_sends_them(redis_pair: Pair) -> None:
    with Ambassador("--servers", redis_pair.addresses, *FLAGS) as ambassador:
        prepare(redis_pair, ambassador, "SET k v")
        denied = ask(ambassador.port, "KEYS", "*")
        before = {name: redis_pair.replica.calls(name) for name in ("strlen", "dbsize", "ttl", "keys")}
        for words in (("STRLEN", "k"), ("DBSIZE",), ("TTL", "k")):
            ask(ambassador.port, *words)
        after = {name: redis_pair.replica.calls(name) - before[name] for name in before}

    assert denied.startswith(b"-NOPERM ") and b"'keys' command" in denied  # the words depend on the version
    assert after == {"strlen": 0, "dbsize": 1, "ttl": 0, "keys": 0}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_denied_is_told_as_an_acl_of_the_master_would(version: str) -> None:
    with Bench(version, "--route", "keys=deny") as made:
        serves_reads(made.pair, made.ambassador)  # it has learnt what the master is
        ask(made.plain.port, "ACL", "SETUSER", "default", "-keys", "-shutdown", "-config")
        for words in (("KEYS", "*"), ("SHUTDOWN", "x"), ("CONFIG", "SET", "a", "b")):
            assert ask(made.ambassador.port, *words) == ask(made.plain.port, *words)


def test_one_client_too_many_is_told_so_in_the_servers_words(redis_pair: Pair) -> None:
    with Ambassador("--servers", redis_pair.addresses, "--max-clients", "1") as ambassador:
        with RawClient(ambassador.port) as first:
            assert first.call("PING") == b"+PONG\r\n"
            with RawClient(ambassador.port) as second:
                assert second.read_rest() == b"-ERR max number of clients reached\r\n"
            assert first.call("PING") == b"+PONG\r\n"
        until(lambda: _pong(ambassador.port), what="the place of the first to be free")

        assert sum(ambassador.metric("redis_ambassador_clients_rejected_total").values()) >= 1


@pytest.mark.parametrize("form", FORMS)
def test_an_argument_longer_than_the_operator_allows_is_refused_in_the_servers_words(
    redis_pair: Pair, form: dict[str, str]
) -> None:
    longest = 100 * 1024
    flags = ("--servers", redis_pair.addresses, "--max-request", "100KiB")
    with Ambassador(*flags, env=form) as ambassador, RawClient(ambassador.port) as client:
        assert client.call("SET", "k", "x" * longest) == b"+OK\r\n"
        client.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n" % (longest + 1))
        assert client.read_rest() == b"-ERR Protocol error: invalid bulk length\r\n"
        assert ask(ambassador.port, "STRLEN", "k") == b":%d\r\n" % longest


def _pong(port: int) -> bool:
    with RawClient(port) as client:
        client.send(request("PING"))
        return client.read() == b"+PONG\r\n"


COATS = """
SORT i; SORT i BY w* GET #; GEORADIUS g 15 37 200 km; GEORADIUSBYMEMBER g P 200 km
BITFIELD b GET u8 0; GETEX s
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_reads_in_a_writes_coat_are_answered_alike_by_a_replica(version: str) -> None:
    with Bench(version, "--rewrite-ro", "on") as made:
        prepare(made.pair, made.ambassador, DATA[: DATA.index("; VADD")])
        for line in lines(COATS):
            wanted = ask(made.pair.master.port, *line)
            read = rewritten_name(line)
            known = b"readonly" in ask(made.pair.master.port, "COMMAND", "INFO", read)
            before = made.pair.replica.calls(read)

            assert ask(made.ambassador.port, *line) == wanted
            assert made.pair.replica.calls(read) - before == known, line


def rewritten_name(line: list[bytes]) -> str:
    name = line[0].decode().lower()
    return "get" if name == "getex" else f"{name}_ro"
