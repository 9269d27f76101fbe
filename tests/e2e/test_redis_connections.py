"""What one connection does stays with it: waits, subscriptions, transactions, large and broken input."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.pods import ask, serves_reads
from tests.support.redis_servers import Pair, Server
from tests.support.resp import RawClient, request
from tests.support.shared_path import FORMS
from tests.support.waiting import until

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module", params=FORMS)
def ambassador(redis_pair: Pair, request: pytest.FixtureRequest) -> Iterator[Ambassador]:
    with Ambassador("--servers", redis_pair.addresses, env=request.param) as ambassador:
        yield ambassador


@pytest.fixture
def client(ambassador: Ambassador) -> Iterator[RawClient]:
    with RawClient(ambassador.port) as client:
        client.call("FLUSHALL")
        yield client


def blocked(pair: Pair, count: int = 1) -> None:
    until(lambda: pair.master.info("clients")["blocked_clients"] == count, what=f"{count} to block")


WAITS = {
    "BLPOP q 30": ("RPUSH q v", b"*2\r\n$1\r\nq\r\n$1\r\nv\r\n"),
    "BRPOP q q2 30": ("RPUSH q2 v", b"*2\r\n$2\r\nq2\r\n$1\r\nv\r\n"),
    "BLMOVE q q2 LEFT LEFT 30": ("RPUSH q v", b"$1\r\nv\r\n"),
    "BRPOPLPUSH q q2 30": ("RPUSH q v", b"$1\r\nv\r\n"),
    "BLMPOP 30 1 q LEFT": ("RPUSH q v", b"*2\r\n$1\r\nq\r\n*1\r\n$1\r\nv\r\n"),
    "BZPOPMIN z 30": ("ZADD z 1 v", b"*3\r\n$1\r\nz\r\n$1\r\nv\r\n$1\r\n1\r\n"),
    "XREAD BLOCK 30000 STREAMS x $": (
        "XADD x 1-1 f v",
        b"*1\r\n*2\r\n$1\r\nx\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n",
    ),
}


@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_ends_by_another_client_and_delays_nobody(
    redis_pair: Pair, ambassador: Ambassador, client: RawClient, wait: str
) -> None:
    push, answer = WAITS[wait]
    with RawClient(ambassador.port) as waiting:
        waiting.pipeline([("ECHO", "a"), wait.split(), ("ECHO", "b")])
        assert waiting.read() == b"$1\r\na\r\n"
        blocked(redis_pair)
        assert client.call("PING") == b"+PONG\r\n"
        assert not client.call(*push.split()).startswith(b"-")

        assert waiting.read_many(2) == [answer, b"$1\r\nb\r\n"]


def test_a_client_that_leaves_while_it_waits_takes_no_element(
    redis_pair: Pair, ambassador: Ambassador, client: RawClient
) -> None:
    with RawClient(ambassador.port) as waiting:
        waiting.send(request("BLPOP", "q", 0))
        blocked(redis_pair)
    blocked(redis_pair, 0)

    assert client.call("RPUSH", "q", "v") == b":1\r\n"
    assert client.call("LPOP", "q") == b"$1\r\nv\r\n"


def test_many_clients_wait_at_once(redis_pair: Pair, ambassador: Ambassador, client: RawClient) -> None:
    waiting = [RawClient(ambassador.port) for _ in range(50)]
    try:
        for number, one in enumerate(waiting):
            one.send(request("BLPOP", f"q{number}", 0))
        blocked(redis_pair, 50)
        for number in range(50):
            client.call("RPUSH", f"q{number}", number)
        for number, one in enumerate(waiting):
            assert one.read().endswith(b"%d\r\n" % number)
    finally:
        for one in waiting:
            one.close()


@pytest.mark.parametrize("protocol", [2, 3])
def test_messages_come_in_order_and_end_with_the_subscription(
    redis_pair: Pair, ambassador: Ambassador, client: RawClient, protocol: int
) -> None:
    mark = b"*" if protocol == 2 else b">"
    with RawClient(ambassador.port, protocol=protocol) as subscriber:
        subscriber.send(request("SUBSCRIBE", "a", "b"))
        acks = [mark + b"3\r\n$9\r\nsubscribe\r\n$1\r\n%b\r\n:%d\r\n" % row for row in ((b"a", 1), (b"b", 2))]
        assert subscriber.read_many(2) == acks
        subscriber.send(request("PSUBSCRIBE", "p*"))
        assert subscriber.read() == mark + b"3\r\n$10\r\npsubscribe\r\n$2\r\np*\r\n:3\r\n"
        for number in range(100):
            assert client.call("PUBLISH", "a", number) == b":1\r\n"
        ask(redis_pair.master.port, "PUBLISH", "px", "from elsewhere")
        for number in range(100):
            text = str(number).encode()
            wanted = mark + b"3\r\n$7\r\nmessage\r\n$1\r\na\r\n$%d\r\n%b\r\n" % (len(text), text)
            assert subscriber.read() == wanted
        assert subscriber.read().endswith(b"$14\r\nfrom elsewhere\r\n")
        subscriber.send(request("UNSUBSCRIBE"))
        assert {part.split(b"\r\n")[4] for part in subscriber.read_many(2)} == {b"a", b"b"}
        assert client.call("PUBLISH", "a", "late") == b":0\r\n"
        subscriber.send(request("PUNSUBSCRIBE", "p*"))
        assert subscriber.read() == mark + b"3\r\n$12\r\npunsubscribe\r\n$2\r\np*\r\n:0\r\n"
        assert subscriber.call("ECHO", "plain again") == b"$11\r\nplain again\r\n"


def test_commands_of_a_subscribed_client(ambassador: Ambassador, redis_server: Server) -> None:
    script = [
        "FLUSHALL",
        "SUBSCRIBE a",
        "GET k",
        "PING",
        "PING x",
        "SET k v",
        "UNSUBSCRIBE nosuch",
        "RESET",
        "PING",
        "UNSUBSCRIBE",
    ]
    for protocol in (2, 3):
        replies = []
        for port in (redis_server.port, ambassador.port):
            with RawClient(port, protocol=protocol) as client:
                replies.append([client.call(*line.split()) for line in script])
        assert replies[0] == replies[1]


def test_a_foreign_write_breaks_a_watch(redis_pair: Pair, client: RawClient) -> None:
    for write, wanted in ((True, b"*-1\r\n"), (False, b"*1\r\n+OK\r\n")):
        assert client.call("WATCH", "k") == b"+OK\r\n"
        client.call("GET", "k")
        if write:
            ask(redis_pair.master.port, "SET", "k", "foreign")
        client.call("MULTI")
        client.call("SET", "k", "mine")
        assert client.call("EXEC") == wanted


def test_a_transaction_is_not_entered_by_others(ambassador: Ambassador, client: RawClient) -> None:
    with RawClient(ambassador.port) as other:
        client.call("MULTI")
        client.call("SET", "k", "mine")
        assert other.call("GET", "k") == b"$-1\r\n"
        assert other.call("SET", "k", "theirs") == b"+OK\r\n"
        assert client.call("GET", "k") == b"+QUEUED\r\n"
        assert client.call("EXEC") == b"*2\r\n+OK\r\n$4\r\nmine\r\n"
        assert other.call("GET", "k") == b"$4\r\nmine\r\n"


def test_a_refused_command_poisons_its_transaction(client: RawClient) -> None:
    assert client.call("MULTI") == b"+OK\r\n"
    assert client.call("SHUTDOWN").startswith(b"-NOPERM")
    assert client.call("SET", "k", "v") == b"+QUEUED\r\n"
    assert client.call("EXEC").startswith(b"-EXECABORT")
    assert client.call("EXISTS", "k") == b":0\r\n"


@pytest.mark.parametrize(
    "command",
    ["SHUTDOWN NOSAVE", "REPLICAOF NO ONE", "DEBUG SLEEP 0", "CONFIG SET maxmemory 1", "FAILOVER", "SAVE"],
)
def test_what_is_the_operators_is_refused(client: RawClient, command: str) -> None:
    assert client.call(*command.split()).startswith(b"-NOPERM")
    assert client.call("PING") == b"+PONG\r\n"


def test_a_database_is_one_clients_choice(ambassador: Ambassador, client: RawClient) -> None:
    with RawClient(ambassador.port) as other:
        assert client.call("SELECT", 3) == b"+OK\r\n"
        client.call("SET", "k", "three")
        assert other.call("GET", "k") == b"$-1\r\n"
        assert client.call("GET", "k") == b"$5\r\nthree\r\n"
        assert other.call("SET", "k", "zero") == b"+OK\r\n"
        assert client.call("GET", "k") == b"$5\r\nthree\r\n"


def test_replies_may_be_switched_off(client: RawClient) -> None:
    client.send(request("CLIENT", "REPLY", "SKIP") + request("SET", "k", 1) + request("GET", "k"))
    assert client.read() == b"$1\r\n1\r\n"
    client.send(
        request("CLIENT", "REPLY", "OFF") + request("GET", "k") + request("SET", "k", 2) + request("NOSUCH")
    )
    assert client.call("CLIENT", "REPLY", "ON") == b"+OK\r\n"
    assert client.call("GET", "k") == b"$1\r\n2\r\n"


def test_20000_commands_are_sent_before_a_reply_is_read(client: RawClient) -> None:
    count = 20_000
    data = b"".join(request("SET", f"k{n % 100}", n) + request("GET", f"k{n % 100}") for n in range(count))
    sender = threading.Thread(target=client.send, args=(data,))
    sender.start()
    for number in range(count):
        assert client.read() == b"+OK\r\n"
        assert client.read() == b"$%d\r\n%d\r\n" % (len(str(number)), number)
    sender.join(30)


def test_a_large_write_runs_once(ambassador: Ambassador) -> None:
    """Also when the server takes it slowly, so that writing to it is paused on the way."""
    with RawClient(ambassador.port) as client:
        for turn in range(1, 4):
            assert client.call("APPEND", "once", b"x" * (16 << 20)) == b":%d\r\n" % (turn * (16 << 20))
        assert client.call("DEL", "once") == b":1\r\n"


def test_64_mebibytes_go_in_and_out_unchanged(ambassador: Ambassador, client: RawClient) -> None:
    value = bytes(range(256)) * (64 * MEBIBYTE // 256)
    with RawClient(ambassador.port) as other:
        sender = threading.Thread(
            target=client.send, args=(request("SET", "big", value) + request("ECHO", "end"),)
        )
        sender.start()
        assert other.call("PING") == b"+PONG\r\n"  # an upload stops nobody else
        assert client.read_many(2) == [b"+OK\r\n", b"$3\r\nend\r\n"]
        sender.join(30)
        assert other.call("GET", "big") == b"$%d\r\n%b\r\n" % (len(value), value)
        assert other.call("DEL", "big") == b":1\r\n"


def test_a_half_closed_client_gets_all_its_replies(client: RawClient) -> None:
    count = 1000
    client.pipeline([("SET", "k", 1), *[("GET", "k")] * count])
    client.socket.shutdown(socket.SHUT_WR)

    assert client.read_rest() == b"+OK\r\n" + b"$1\r\n1\r\n" * count


def test_a_client_that_never_reads_harms_nobody(ambassador: Ambassador, client: RawClient) -> None:
    client.call("SET", "big", b"x" * MEBIBYTE)
    with RawClient(ambassador.port) as lazy:
        lazy.pipeline([("GET", "big")] * 50)
        for _ in range(20):
            assert client.call("STRLEN", "big") == b":1048576\r\n"
        for _ in range(50):
            assert len(lazy.read()) == MEBIBYTE + len(b"$1048576\r\n\r\n")


def test_clients_that_vanish_leave_nothing_open(redis_pair: Pair, ambassador: Ambassador) -> None:
    """However they go: asked and gone, in a transaction, in the middle of a request."""
    serves_reads(redis_pair, ambassador)  # so that what they share is there before them
    client = RawClient(ambassador.port)
    for command in (("SET", "k", "v"), ("GET", "k"), ("WATCH", "k")):
        client.call(*command)
    before = [server.info("clients")["connected_clients"] for server in redis_pair.servers]
    for end in (
        b"",
        request("MULTI"),
        b"*2\r\n$3\r\nGET\r\n$5\r\nab",
        request("WATCH", "k"),
        request("SUBSCRIBE", "c"),
    ):
        for _ in range(10):
            with RawClient(ambassador.port) as other:
                other.call("SET", "k", "v")
                other.call("GET", "k")
                other.send(end)
    client.close()

    def closed() -> bool:
        now = [server.info("clients")["connected_clients"] for server in redis_pair.servers]
        return all(after <= count for count, after in zip(before, now, strict=True))

    until(closed, what="connections to the servers to be closed")
    assert ask(ambassador.port, "PING") == b"+PONG\r\n"
