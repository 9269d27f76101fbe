"""Random but repeatable streams of Redis commands.

Commands are words with placeholders: ``{s}`` is a string key, ``{h} {l} {t} {z} {x} {g}`` keys of a hash, a
list, a set, a sorted set, a stream and a geo set, ``{n}`` of a counter, ``{any}`` one of all these; ``{v}`` a
value, ``{f}`` a field or member, ``{i}`` a small integer, ``{u}`` one that is not negative, ``{d}`` a float,
``{T}`` a far and ``{P}`` a past time in ms, ``{id}`` a rising stream id.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from collections.abc import Sequence

from tests.support.resp import Command, Word

_PLACEHOLDER = re.compile(r"\{(\w+)\}")

FAMILIES: dict[str, str] = {
    "strings": """
        SET {s} {v}; SET {s} {v}; SET {s} {v}; SET {s} {v} NX; SET {s} {v} XX; SET {s} {v} GET;
        SET {s} {v} EX 1000; SET {s} {v} PXAT {T}; SET {s} {v} KEEPTTL; SETEX {s} 1000 {v}; SETNX {s} {v};
        GET {s}; GET {s}; GET {s}; GET {any}; GETDEL {s}; GETSET {s} {v}; GETEX {s}; GETEX {s} PERSIST;
        APPEND {s} {v}; STRLEN {s}; GETRANGE {s} {i} {i}; SUBSTR {s} 0 -1; SETRANGE {s} {u} {v};
        MSET {s} {v} {s} {v}; MSETNX {s} {v} {s} {v}; MGET {s} {s} {any}; SETBIT {s} {u} 1; GETBIT {s} {u};
        BITCOUNT {s}; BITPOS {s} 1; BITOP XOR {s} {s} {s}; LCS {s} {s};
        BITFIELD {s} INCRBY u8 {u} 5 GET u4 0; BITFIELD {s} GET u8 0; BITFIELD_RO {s} GET u8 0;
        PFADD p:{u} {v} {v}; PFCOUNT p:{u} p:{u}; PFMERGE p:0 p:{u}""",
    "counters": """
        INCR {n}; INCR {n}; INCRBY {n} {i}; DECR {n}; DECRBY {n} {i}; INCRBYFLOAT {n} {d}; GET {n}; GET {n};
        INCR {any}""",
    "hashes": """
        HSET {h} {f} {v}; HSET {h} {f} {v} {f} {v}; HMSET {h} {f} {v}; HSETNX {h} {f} {v}; HGET {h} {f};
        HGET {h} {f}; HMGET {h} {f} {f}; HGETALL {h}; HGETALL {h}; HKEYS {h}; HVALS {h}; HLEN {h};
        HEXISTS {h} {f}; HSTRLEN {h} {f}; HDEL {h} {f} {f}; HINCRBY {h} c {i}; HINCRBYFLOAT {h} d {d};
        HRANDFIELD {h}; HSCAN {h} 0 COUNT 1000; HGETALL {any}""",
    "lists": """
        RPUSH {l} {v} {v}; RPUSH {l} {f}; LPUSH {l} {v}; LPUSHX {l} {v}; RPUSHX {l} {v}; LPOP {l}; RPOP {l};
        LPOP {l} 2; LRANGE {l} 0 -1; LRANGE {l} {i} {i}; LLEN {l}; LINDEX {l} {i}; LSET {l} {i} {v};
        LREM {l} {i} {f}; LTRIM {l} {i} -1; LINSERT {l} BEFORE {f} {v}; LPOS {l} {f};
        LMOVE {l} {l} LEFT RIGHT; RPOPLPUSH {l} {l}; LMPOP 2 {l} {l} LEFT; BLPOP {l} {l} 0.01;
        BRPOP {l} 0.01; BLMOVE {l} {l} RIGHT LEFT 0.01; BRPOPLPUSH {l} {l} 0.01;
        BLMPOP 0.01 2 {l} {l} RIGHT COUNT 2; SORT {l} ALPHA; SORT {l} ALPHA STORE {l}; SORT {l} BY nosort;
        SORT_RO {l} ALPHA DESC; SORT {l} BY w:* GET # GET {s}; LRANGE {any} 0 -1""",
    "sets": """
        SADD {t} {f} {f}; SADD {t} {i} {i}; SREM {t} {f}; SMEMBERS {t}; SMEMBERS {t}; SISMEMBER {t} {f};
        SMISMEMBER {t} {f} {f}; SCARD {t}; SMOVE {t} {t} {f}; SINTER {t} {t}; SUNION {t} {t}; SDIFF {t} {t};
        SUNIONSTORE {t} {t} {t}; SINTERSTORE {t} {t} {t}; SDIFFSTORE {t} {t} {t}; SINTERCARD 2 {t} {t};
        SRANDMEMBER {t}; SPOP {t} 1000; SSCAN {t} 0 COUNT 1000; SORT {t} ALPHA; SMEMBERS {any}""",
    "sorted sets": """
        ZADD {z} {i} {f} {d} {f}; ZADD {z} GT CH {i} {f}; ZADD {z} NX {d} {f}; ZADD {z} INCR {i} {f};
        ZINCRBY {z} {d} {f}; ZREM {z} {f}; ZSCORE {z} {f}; ZSCORE {z} {f}; ZMSCORE {z} {f} {f};
        ZRANK {z} {f}; ZREVRANK {z} {f}; ZCARD {z}; ZCOUNT {z} {i} +inf; ZRANGE {z} 0 -1 WITHSCORES;
        ZRANGE {z} -inf {i} BYSCORE; ZREVRANGE {z} 0 3; ZRANGEBYSCORE {z} ({i} +inf LIMIT 0 2;
        ZRANGEBYLEX {z} - +; ZLEXCOUNT {z} - +; ZPOPMIN {z}; ZPOPMAX {z} 2; BZPOPMIN {z} 0.01;
        BZPOPMAX {z} {z} 0.01; ZMPOP 2 {z} {z} MIN; BZMPOP 0.01 1 {z} MAX; ZREMRANGEBYRANK {z} 0 0;
        ZREMRANGEBYSCORE {z} {i} {i}; ZUNION 2 {z} {z} WITHSCORES; ZINTER 2 {z} {z}; ZDIFF 2 {z} {z};
        ZUNIONSTORE {z} 2 {z} {z}; ZINTERSTORE {z} 2 {z} {t}; ZDIFFSTORE {z} 2 {z} {z};
        ZRANGESTORE {z} {z} 0 2; ZINTERCARD 2 {z} {z}; ZRANDMEMBER {z}; ZSCAN {z} 0 COUNT 1000;
        GEOADD {g} {d} {d} {f}; GEOPOS {g} {f} {f}; GEODIST {g} {f} {f}; GEOHASH {g} {f};
        GEOSEARCH {g} FROMLONLAT 1 1 BYRADIUS 900 km ASC; GEORADIUS {g} 1 1 900 km ASC;
        GEORADIUS_RO {g} 1 1 900 km ASC; GEOSEARCHSTORE {g} {g} FROMLONLAT 1 1 BYRADIUS 900 km;
        GEORADIUS {g} 1 1 900 km ASC STORE {z}""",
    "streams": """
        XADD {x} {id} {f} {v}; XADD {x} {id} a 1 b 2; XLEN {x}; XRANGE {x} - +; XREVRANGE {x} + - COUNT 2;
        XREAD STREAMS {x} 0; XREAD COUNT 1 STREAMS {x} {x} 0 0; XREAD BLOCK 10 STREAMS {x} $;
        XDEL {x} {u}-1; XTRIM {x} MAXLEN 5; XGROUP CREATE {x} grp 0 MKSTREAM;
        XGROUP CREATE {x} grp 0 MKSTREAM; XGROUP CREATE {x} grp $;
        XREADGROUP GROUP grp c1 COUNT 2 STREAMS {x} >; XREADGROUP GROUP grp c1 STREAMS {x} 0;
        XACK {x} grp {u}-1; XPENDING {x} grp; XAUTOCLAIM {x} grp c2 0 0; XGROUP DESTROY {x} grp;
        XSETID {x} 9999999-1""",
    "keys": """
        DEL {any}; DEL {any} {any}; UNLINK {any}; EXISTS {any} {any}; TYPE {any}; TYPE {any};
        RENAME {any} {s}; RENAMENX {any} {any}; COPY {s} {s} REPLACE; COPY {any} {any} DB 1; MOVE {any} 1;
        EXPIRE {any} 1000; PEXPIREAT {any} {T}; PEXPIREAT {any} {P}; EXPIRE {any} 2000 GT; PERSIST {any};
        TTL {any}; PTTL {any}; PEXPIRETIME {any}; EXPIRETIME {any}; TOUCH {any} {any};
        OBJECT ENCODING {any}; OBJECT REFCOUNT nosuch; KEYS *; KEYS s:*; DBSIZE; RANDOMKEY;
        SCAN 0 COUNT 1000; DUMP nosuch""",
    "transactions": """
        MULTI; EXEC; DISCARD; WATCH {any}; WATCH {s} {n}; UNWATCH; MULTI; EXEC; MULTI; EXEC""",
    "connection": """
        PING; PING {v}; ECHO {v}; SELECT 0; SELECT 1; SELECT 2; SELECT 0; SELECT 99; SELECT x;
        CLIENT SETNAME c{u}; CLIENT GETNAME; CLIENT ID; CLIENT INFO; CLIENT LIST; CLIENT NO-EVICT ON;
        SWAPDB 0 1; HELLO 3; HELLO 2; HELLO; HELLO 9; RESET; READONLY; AUTH x; PUBLISH ch {v};
        PUBSUB CHANNELS; PUBSUB NUMSUB ch; FLUSHDB; INFO server; TIME; COMMAND COUNT; LASTSAVE;
        CONFIG GET databases; COMMAND INFO get""",
    "states": """
        SELECT 0; SELECT 1; SELECT 0; HELLO 3; HELLO 2; CLIENT SETNAME c{u}; CLIENT GETNAME; PING; ECHO {v};
        RESET""",
    "scripts": """
        EVAL return_1 0; EVAL setget 1 {s} {v}; EVAL setget 1 {s} {v}; EVAL undeclared 0 {v}; GET s:0;
        EVAL_RO getonly 1 {s}; EVALSHA {sha} 0; EVALSHA_RO {sha} 1 {s}; SCRIPT LOAD getonly;
        EVALSHA {getonly} 1 {s}; EVALSHA_RO {getonly} 1 {s}; SCRIPT EXISTS {sha}; EVAL fails 0;
        EVAL_RO setget 1 {s} {v}; FCALL nofunction 0; EVAL table 0""",
    "errors": """
        NOSUCH; NOSUCH {v} {v}; GET; GET a b; SET {s}; SET {s} {v} BAD; HSET {h} {f}; LPUSH {l}; OBJECT;
        OBJECT NOSUCH {any}; CONFIG NOSUCH; CLIENT NOSUCH; ZADD {z} x {f}; INCR {s}; EXPIRE {s} x;
        LINDEX {l} x; EVAL; BLPOP {l} -1; BLPOP {l} x; XREAD STREAMS; ZRANGE {z} a b; SETEX {s} 0 {v};
        MSET {s}; {v}; {v} {v}; GETEX {s} EX; LMPOP 0 {l} LEFT; SORT {s}""",
}

DATA = tuple(FAMILIES)[:8]

SCRIPTS = {
    "return_1": "return 1",
    "setget": "redis.call('set', KEYS[1], ARGV[1]); return redis.call('get', KEYS[1])",
    "undeclared": "return redis.call('set', 's:0', ARGV[1])",
    "getonly": "return redis.call('get', KEYS[1])",
    "fails": "return redis.call('incr', 'l:0', 'x')",
    "table": "return {1, 'two', {3, false}, {err='E four'}}",
}
GETONLY_SHA = hashlib.sha1(SCRIPTS["getonly"].encode()).hexdigest()

# What a replica may answer; the generator's own list, so that no table of ours decides what is tested.
READS = frozenset(
    [
        *(
            "GET",
            "STRLEN",
            "GETRANGE",
            "SUBSTR",
            "MGET",
            "GETBIT",
            "BITCOUNT",
            "BITPOS",
            "LCS",
            "BITFIELD_RO",
        ),
        *("HGET", "HMGET", "HGETALL", "HKEYS", "HVALS", "HLEN", "HEXISTS", "HSTRLEN", "PFCOUNT", "SORT_RO"),
        *(
            "LRANGE",
            "LLEN",
            "LINDEX",
            "LPOS",
            "SMEMBERS",
            "SISMEMBER",
            "SMISMEMBER",
            "SCARD",
            "SINTER",
            "SUNION",
        ),
        *(
            "SDIFF",
            "SINTERCARD",
            "ZSCORE",
            "ZMSCORE",
            "ZRANK",
            "ZREVRANK",
            "ZCARD",
            "ZCOUNT",
            "ZRANGE",
            "ZUNION",
        ),
        *(
            "ZREVRANGE",
            "ZRANGEBYSCORE",
            "ZRANGEBYLEX",
            "ZLEXCOUNT",
            "ZINTER",
            "ZDIFF",
            "ZINTERCARD",
            "GEOPOS",
        ),
        *("GEODIST", "GEOHASH", "GEOSEARCH", "GEORADIUS_RO", "XLEN", "XRANGE", "XREVRANGE", "EXISTS", "TYPE"),
        *("TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER"),
    ]
)


class Generator:
    """Draws commands; the same *seed* gives the same ones."""

    def __init__(self, seed: int, families: Sequence[str] = tuple(FAMILIES)) -> None:
        self.seed, self.random = seed, random.Random(seed)
        self._templates = [_templates(FAMILIES[name]) for name in families]
        self._last_id = 0

    def batch(self) -> list[Command]:
        """Return what a client sends at once: one command or a pipeline of up to forty."""
        size = self.random.choice((1, 1, 1, 2, 5, 12, 40))
        commands = [self.command() for _ in range(size)]
        if size > 2 and self.random.random() < 0.3:  # as libraries send a transaction
            commands = [("MULTI",), *(self.command(data=True) for _ in range(size)), ("EXEC",)]
        # inside MULTI, which they may meet, a login is one of the ambassador's, as its page says
        return [command for command in commands if command[0] != "AUTH"]

    def reads(self, count: int) -> list[Command]:
        """Return *count* commands on data that only read."""
        drawn = (self.command(data=True) for _ in itertools.count())
        return list(itertools.islice((command for command in drawn if command[0] in READS), count))

    def command(self, *, data: bool = False) -> Command:
        """Return one command; with *data* one on data that is well-formed."""
        family = self.random.choice(self._templates[: len(DATA)] if data else self._templates)
        return tuple(self._word(word) for word in self.random.choice(family))

    def _word(self, word: str) -> Word:
        if word in SCRIPTS:
            return SCRIPTS[word]
        whole = _PLACEHOLDER.fullmatch(word)
        if whole:
            return self._filled(whole[1])
        return _PLACEHOLDER.sub(lambda found: str(self._filled(found[1])), word)

    def _filled(self, name: str) -> Word:
        draw = self.random
        match name:
            case "any":
                return f"{draw.choice('shltzxgn')}:{draw.randrange(4)}"
            case "v":
                return self._value()
            case "f":
                return draw.choice(("a", "b", "c", "dd", "7", b"\xff\0\r\n"))
            case "i":
                return draw.randrange(-3, 8)
            case "u":
                return draw.randrange(12)
            case "d":
                return draw.choice((0.5, -1.25, 3, 1e-7, 17.75))
            case "T":
                return 4102444800000
            case "P":
                return draw.choice((1, 86400000))
            case "id":
                self._last_id += 1
                return f"{self._last_id}-1"
            case "sha":
                return draw.choice((GETONLY_SHA, "f" * 40))
            case "getonly":
                return GETONLY_SHA
        return f"{name}:{draw.randrange(2 if name == 'x' else 4)}"

    def _value(self) -> Word:
        draw = self.random
        kind = draw.randrange(8)
        if kind == 0:
            return draw.randbytes(draw.randrange(40))
        if kind == 1:
            return draw.choice(("", "\r\n", "$5\r\nhello", "*1\r\n$4\r\nPING\r\n", "+OK", "-ERR x"))
        if kind == 2:
            return draw.choice("xyz") * draw.choice((100, 1000, 20000))
        return draw.randrange(-5, 100)


def _templates(text: str) -> list[list[str]]:
    return [part.split() for line in text.splitlines() for part in line.strip().split(";") if part.strip()]
