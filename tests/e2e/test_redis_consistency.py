"""No read misses a write of this pod, nor one that this pod was told of, however far behind the replica is.

The replication link is frozen: the replica says that its link is up, has served reads before, and is stale
for as long as the test likes. Whatever is read from it now without proof is wrong.
"""

from __future__ import annotations

import select
from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.forwarder import Forwarder
from tests.support.pods import ask, commands, prepare
from tests.support.redis_replies import unlike
from tests.support.redis_servers import HOST, Pair
from tests.support.resp import RawClient, request
from tests.support.secured import SECURED, reached
from tests.support.shared_path import FORMS
from tests.support.waiting import stays, until

# What is there before the link freezes.
BEFORE = """
    SET s old; SET s2 old2; SET n 1; HSET h f old; RPUSH l a b c; RPUSH l2 x; SADD t a b; SADD t2 c
    ZADD z 1 a 2 b; ZADD z2 5 e; XADD x 1-1 f old; XGROUP CREATE x grp 0; PFADD p a; GEOADD g 1 1 a
    SET ttl v EX 1000; SETBIT b 1 1; SET far v; SET w1 old; RPUSH l3 1"""

WRITES = """
    SET s new; SET w1 new; SET s new GET; SETEX s 100 new; PSETEX s 100000 new; GETSET s new; GETDEL s
    GETEX s EX 100; APPEND s x; SETRANGE s 1 x; MSET s new s2 new; MSETNX m1 a m2 b; INCR n; DECRBY n 3
    INCRBYFLOAT n 0.5; SETBIT b 1 0; BITFIELD b SET u8 0 7; BITOP NOT s b; HSET h f new; HSETNX h g new
    HINCRBY h c 1; HDEL h f; LPUSH l z; RPUSHX l z; LSET l 0 z; LINSERT l BEFORE a z; LREM l 0 a
    LTRIM l 1 1; LMOVE l l2 LEFT RIGHT; RPOPLPUSH l l2; LPOP l; LMPOP 2 l2 l LEFT; BLPOP l 1
    BLMOVE l l2 LEFT RIGHT 1; SADD t z; SREM t a; SMOVE t t2 a; SPOP t; SUNIONSTORE t t t2; ZADD z 9 a
    ZINCRBY z 1 a; ZREM z a; ZPOPMIN z; BZPOPMIN z 1; ZUNIONSTORE z 2 z z2; ZRANGESTORE z2 z 0 0
    ZREMRANGEBYRANK z 0 0; XADD x 2-1 f new; XDEL x 1-1; XTRIM x MAXLEN 0
    XREADGROUP GROUP grp c STREAMS x >; PFADD p b; PFMERGE p2 p; GEOADD g 2 2 b
    GEOSEARCHSTORE g2 g FROMLONLAT 1 1 BYRADIUS 9 km; GEORADIUS g 1 1 9 km STORE z; DEL s; UNLINK s s2
    RENAME s s3; RENAMENX s s3; COPY s s2 REPLACE; MOVE s 1; COPY s s2 DB 1; PEXPIREAT s 1; EXPIRE s 0
    PERSIST ttl; EXPIRE ttl 9; SORT l ALPHA STORE l2; RESTORE r 0 {dump}; SWAPDB 0 1; FLUSHDB; FLUSHALL
    EVAL {set} 1 s new; EVAL {blind} 0; EVALSHA {sha} 0; FCALL blind 0; MULTI / SET s new / EXEC
    WATCH s / MULTI / SET s new / EXEC; MULTI / EVAL {blind} 0 / EXEC
    MULTI / LPUSH l z / SELECT 1 / SET s new / EXEC / SELECT 0
    SELECT 1 / MOVE far 0 / SET s new / SELECT 0
    MULTI / SELECT 1 / SET s new / SELECT 0 / SET s2 new / EXEC
    SELECT 1 / SET s new / SWAPDB 0 1 / SELECT 0"""

READS = """
    GET s; GET s2; GET s3; MGET s s2 m1; STRLEN s; GET n; GETBIT b 1; GET b; HGET h f; HGETALL h; HLEN h
    LRANGE l 0 -1; LRANGE l2 0 -1; LLEN l; SCARD t; SISMEMBER t a; SCARD t2; ZRANGE z 0 -1 WITHSCORES
    ZRANGE z2 0 -1; ZSCORE z a; XRANGE x - +; XLEN x; PFCOUNT p; PFCOUNT p2; ZCARD g; ZCARD g2; EXISTS s m2 r
    TYPE s; EXPIRETIME ttl; EXPIRETIME s; GET r; SORT_RO l ALPHA; DBSIZE; GET far; EVAL_RO {get} 1 s
    SUNION t t2; EVAL_RO {peek} 0; SORT_RO l3 BY nosort GET w*; XREAD STREAMS x 0; ZUNION 2 z z2; LCS s s2
    SINTERCARD 2 t t2; GEOSEARCH g FROMLONLAT 1 1 BYRADIUS 900 km ASC; BITCOUNT s; HMGET h f g c; ZDIFF 2 z z2
    SELECT 1; GET s; GET s2; GET far; DBSIZE; STRLEN s; SELECT 0"""

EXACT = ("EXPIRETIME",)  # a moment: the same on a master and its replica, though not on two masters

SCRIPTS = {
    "set": "return redis.call('set', KEYS[1], ARGV[1])",
    "blind": "redis.call('set', 's', 'blind'); redis.call('hset', 'h', 'f', 'blind'); return 1",
    "peek": "return redis.call('get', 's')",
    "get": "return redis.call('get', KEYS[1])",
}
LIBRARY = (
    "#!lua name=lib\nredis.register_function('blind', function() return redis.call('set', 's', 'blind') end)"
)


def rows(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\n", ";").split(";") if part.strip()]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair(forwarded=True) as pair:
        assert not ask(pair.master.port, "FUNCTION", "LOAD", LIBRARY).startswith(b"-")
        yield pair


@pytest.fixture(scope="module", params=[*FORMS, *SECURED])
def ambassador(pair: Pair, request: pytest.FixtureRequest) -> Iterator[Ambassador]:
    with Ambassador(*reached(pair, request.param), env=request.param) as ambassador:
        yield ambassador


@pytest.fixture(scope="module")
def modest(pair: Pair) -> Iterator[Ambassador]:
    """An ambassador that promises own writes alone, so that nothing else can keep a read from the replica."""
    with Ambassador("--servers", pair.addresses, "--consistency", "own-writes") as ambassador:
        yield ambassador


@pytest.fixture
def stale(pair: Pair, modest: Ambassador) -> Iterator[Pair]:
    """The pair with known data, a replica that has served reads of the ambassador, and a frozen link."""
    prepare(pair, modest, BEFORE)
    pair.links[0].freeze()
    yield pair
    pair.links[0].thaw()


def check_reads(pair: Pair, after: str, *clients: RawClient) -> None:
    """Compare all READS through *clients* with what the master itself says."""
    with RawClient(pair.master.port) as master:
        for command in commands(READS, **SCRIPTS):
            wanted = master.call(*command)
            for number, client in enumerate(clients):
                got = client.call(*command)
                same = got == wanted if command[0] in EXACT else not unlike(tuple(command), wanted, got)
                assert same, (after, number, command, wanted, got)


@pytest.mark.parametrize("write", rows(WRITES))
def test_own_writes_are_seen_by_the_whole_pod(stale: Pair, modest: Ambassador, write: str) -> None:
    dump = ask(stale.master.port, "DUMP", "s").split(b"\r\n", 1)[1][:-2]
    sha = ask(stale.master.port, "SCRIPT", "LOAD", SCRIPTS["blind"]).split()[1]
    with RawClient(modest.port) as writer, RawClient(modest.port) as other:
        other.call("GET", "s")
        for command in commands(write.replace(" / ", ";"), dump=dump, sha=sha, **SCRIPTS):
            reply = writer.call(*command)
            assert not reply.startswith(b"-"), reply
        check_reads(stale, write, writer, other)


@pytest.mark.parametrize(
    "write", ["SET s new", "HSET h f new", "DEL s", "MULTI / SET s new / EXEC", "LPOP l"]
)
def test_own_writes_are_seen_within_one_packet(stale: Pair, modest: Ambassador, write: str) -> None:
    sent = commands(write.replace(" / ", ";"))
    reads = commands("GET s; HGET h f; LRANGE l 0 -1; GET far")
    with RawClient(modest.port) as client:
        client.pipeline([*sent, *reads])
        client.read_many(len(sent))

        for command in reads:
            assert client.read() == ask(stale.master.port, *command), command


@pytest.mark.parametrize("size", [1, 100])
def test_a_read_misses_a_later_write_of_its_client(pair: Pair, ambassador: Ambassador, size: int) -> None:
    """Sent at once: the read may go to the replica and the write to the master, and the write may win."""
    prepare(pair, ambassador, "SET k before")
    keys = [f"k{number}" for number in range(size)]
    with RawClient(ambassador.port) as client:
        for turn in range(20):
            reads, writes = [("GET", key) for key in keys], [("SET", key, turn) for key in keys]
            client.pipeline([*reads, *writes])
            got = client.read_many(2 * size)
            old = b"$%d\r\n%d\r\n" % (len(str(turn - 1)), turn - 1) if turn else b"$-1\r\n"
            assert got == [old] * size + [b"+OK\r\n"] * size


def test_only_what_was_written_is_read_at_the_master(stale: Pair, modest: Ambassador) -> None:
    """The promises above are not kept by giving up the split."""
    with RawClient(modest.port) as client:
        client.call("SET", "s", "new")

        def at_the_replica() -> int:
            before = stale.replica.calls("get")
            for _ in range(100):
                assert client.call("GET", "far") == b"$1\r\nv\r\n"
            return stale.replica.calls("get") - before

        # one that stood still for a second is not read until it answers again
        until(lambda: at_the_replica() == 100, what="a hundred reads at the replica")


def test_a_write_waits_for_its_clients_reads(pair: Pair, ambassador: Ambassador) -> None:
    """Else the read would see it, should the replica answer late."""
    prepare(pair, ambassador, "SET k before; RPUSH list x")
    with RawClient(ambassador.port) as client, RawClient(ambassador.port) as other:
        number = client.call("CLIENT", "ID")[1:-2]
        client.call("GET", "k")
        with pair.replica.stalled():
            client.send(request("GETRANGE", "k", 0, -1))
            # so that the read has been taken by itself, not in a packet with the writes
            until(lambda: b" cmd=getrange " in other.call("CLIENT", "LIST", "ID", number), what="the read")
            for write in ("SET k after", "EVAL {blind} 0", "MULTI", "DEL k", "EXEC", "FLUSHALL"):
                client.send(request(*commands(write, **SCRIPTS)[0]))
            # the read is answered by the master should this take so long that the replica is given up
            before = b"$6\r\nbefore\r\n"
            stays(
                lambda: ask(pair.master.port, "GET", "k") == before or answered(client), 0.2, "the old value"
            )
        assert client.read() == before
        assert client.read_many(6)[:2] == [b"+OK\r\n", b":1\r\n"]


@pytest.mark.parametrize("size", [100_000, 400_000], ids=["short", "long"])
def test_a_write_on_its_way_proves_nothing(pair: Pair, size: int) -> None:
    """It takes a third of a second or more to reach the master; questions to the servers do not."""
    value = b"x" * size
    with (
        Forwarder((HOST, pair.master.port)) as front,
        Ambassador(
            "--servers", f"{front.address},{pair.replica.address}", "--op-timeout", "60s"
        ) as ambassador,
        RawClient(ambassador.port) as writer,
        RawClient(ambassador.port) as reader,
    ):
        prepare(pair, ambassador, "SET k old")
        writer.call("SET", "other", "x")
        pair.settle()
        pair.links[0].freeze()
        front.throttle(300_000)
        try:
            writer.send(request("SET", "k", value))
            while not answered(writer):
                assert reader.call("GET", "k") in (b"$3\r\nold\r\n", bulk(value))
            assert writer.read() == b"+OK\r\n"
            for client in (reader, writer):
                assert client.call("STRLEN", "k") == b":%d\r\n" % size
        finally:
            pair.links[0].thaw()


def answered(client: RawClient) -> bool:
    """Return whether something has come that was not read."""
    return bool(select.select([client.socket], [], [], 0.01)[0])


def bulk(value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value)


# What other pods write first, and how this pod is told of it.
TELLING = """
    LPOP q; RPOP q; LPOP q 1; LMPOP 1 q LEFT; BLPOP q 5; BRPOP q 5; BLMPOP 5 1 q LEFT; LMOVE q q2 LEFT RIGHT
    RPOPLPUSH q q2; BLMOVE q q2 LEFT RIGHT 5; BRPOPLPUSH q q2 5; SPOP ts; ZPOPMIN zs; ZPOPMAX zs
    ZMPOP 1 zs MIN; BZPOPMIN zs 5; BZPOPMAX zs 5; BZMPOP 5 1 zs MIN; XREADGROUP GROUP grp c STREAMS x >
    XREADGROUP GROUP grp c BLOCK 5000 STREAMS x >; XREAD BLOCK 5000 STREAMS x 0; SETNX lock 1; SET lock 1 NX
    SET lock 1 NX PX 1000; SET flag 1 XX; SET flag 1 GET; GETDEL token; GETSET token 1; EVAL {get} 1 token
    EVALSHA {sha} 1 token; FCALL blind 0; WATCH token; MULTI / GET token / EXEC; MULTI / LPOP q / EXEC"""
OTHERS = """
    SET data new; HSET hash f new; RPUSH q j; SADD ts j; ZADD zs 1 j; XADD x 5-1 a b
    SET token 1; SET flag 1"""


@pytest.mark.parametrize("telling", rows(TELLING))
def test_what_a_reply_told_of_other_pods_is_seen(pair: Pair, ambassador: Ambassador, telling: str) -> None:
    prepare(pair, ambassador, "SET data old; HSET hash f old; XGROUP CREATE x grp $ MKSTREAM")
    sha = ask(pair.master.port, "SCRIPT", "LOAD", SCRIPTS["get"]).split()[1]
    with RawClient(ambassador.port) as told, RawClient(ambassador.port) as other:
        assert other.call("GET", "data") == told.call("GET", "data") == b"$3\r\nold\r\n"
        pair.links[0].freeze()
        try:
            with RawClient(pair.master.port) as elsewhere:
                for command in commands(OTHERS):
                    elsewhere.call(*command)
            for command in commands(telling.replace(" / ", ";"), sha=sha, **SCRIPTS):
                assert not told.call(*command).startswith(b"-"), command
            for client in (other, told):
                assert client.call("GET", "data") == b"$3\r\nnew\r\n"
                assert client.call("HGET", "hash", "f") == b"$3\r\nnew\r\n"
        finally:
            pair.links[0].thaw()


@pytest.mark.parametrize("blocked", ["BLPOP q 30", "BZPOPMIN zs 30", "XREAD BLOCK 30000 STREAMS x $"])
def test_what_ends_a_wait_is_told_when_it_ends(pair: Pair, ambassador: Ambassador, blocked: str) -> None:
    prepare(pair, ambassador, "SET data old")
    with RawClient(ambassador.port) as told, RawClient(ambassador.port) as other:
        assert other.call("GET", "data") == b"$3\r\nold\r\n"
        told.send(request(*blocked.split()))
        wait_blocked(pair)
        pair.links[0].freeze()
        try:
            with RawClient(pair.master.port) as elsewhere:
                for command in commands(OTHERS):
                    elsewhere.call(*command)
            assert told.read().startswith(b"*")
            assert other.call("GET", "data") == b"$3\r\nnew\r\n"
        finally:
            pair.links[0].thaw()


def wait_blocked(pair: Pair) -> None:
    until(lambda: pair.master.info("clients")["blocked_clients"] == 1, what="a client to block")


@pytest.mark.parametrize("protocol", [2, 3])
def test_what_a_message_told_is_seen(pair: Pair, ambassador: Ambassador, protocol: int) -> None:
    prepare(pair, ambassador, "SET data old")
    with RawClient(ambassador.port, protocol=protocol) as told, RawClient(ambassador.port) as other:
        assert b"subscribe" in told.call("SUBSCRIBE", "news")
        pair.links[0].freeze()
        try:
            ask(pair.master.port, "SET", "data", "new")
            ask(pair.master.port, "PUBLISH", "news", "go")
            assert b"go" in told.read()
            assert other.call("GET", "data") == b"$3\r\nnew\r\n"
        finally:
            pair.links[0].thaw()
