"""Every command that a server of `redis_versions` has, with valid arguments, and where it is to be served.

The words are those of one connection in database 0 with the data of `DATA`. Where a server lacks a command
it refuses it, and so must whoever stands in its place.
"""

from __future__ import annotations

from collections.abc import Sequence

DATA = """
SET s hello; SET n 10; SET f 1.5; SET e v EX 100000; SETBIT b 7 1; PFADD p a b c; PFADD q c d
HSET h f 1 g 2; RPUSH l a b c; RPUSH i 3 1 2; SADD t a b c; SADD u b c d; ZADD z 1 a 2 b 3 c; ZADD y 2 b 5 d
XADD x 1-1 f v; XADD x 2-1 f v; XGROUP CREATE x grp 0; XREADGROUP GROUP grp c1 COUNT 1 STREAMS x >
GEOADD g 13.361389 38.115556 P 15.087269 37.502669 C; VADD v VALUES 2 1 0 a; VADD v VALUES 2 0 1 b
"""

FORMS = {
    "replica": """
        GET s; MGET s n none; STRLEN s; GETRANGE s 0 2; SUBSTR s 0 2; GETBIT b 7; BITCOUNT b; BITPOS b 1
        LCS s n; STRALGO LCS KEYS s n; EXISTS s none; TYPE z; PFCOUNT p; PFCOUNT p q; BITFIELD_RO b GET u8 0
        DIGEST s
        TTL e; PTTL e; EXPIRETIME e; PEXPIRETIME e
        HGET h f; HMGET h f none; HGETALL h; HKEYS h; HVALS h; HLEN h; HEXISTS h f; HSTRLEN h f
        HRANDFIELD h; HRANDFIELD h 2 WITHVALUES; HTTL h FIELDS 1 f; HPTTL h FIELDS 1 f
        HEXPIRETIME h FIELDS 1 f; HPEXPIRETIME h FIELDS 1 f
        LRANGE l 0 -1; LLEN l; LINDEX l 0; LPOS l b; SORT_RO i; SORT_RO i BY w* GET #
        SMEMBERS t; SISMEMBER t a; SMISMEMBER t a x; SCARD t; SRANDMEMBER t; SRANDMEMBER t 2; SINTER t u
        SUNION t u; SDIFF t u; SINTERCARD 2 t u; SINTERCARD 2 t u LIMIT 1
        ZSCORE z a; ZMSCORE z a x; ZRANK z a; ZRANK z a WITHSCORE; ZREVRANK z a; ZCARD z; ZCOUNT z 1 2
        ZRANGE z 0 -1; ZRANGE z 1 2 BYSCORE WITHSCORES; ZREVRANGE z 0 -1; ZRANGEBYSCORE z 1 2
        ZREVRANGEBYSCORE z 2 1; ZRANGEBYLEX z - +; ZREVRANGEBYLEX z + -; ZLEXCOUNT z - +
        ZUNION 2 z y WITHSCORES; ZINTER 2 z y; ZDIFF 2 z y; ZINTERCARD 2 z y; ZRANDMEMBER z
        GEOPOS g P; GEODIST g P C; GEOHASH g P; GEORADIUS_RO g 15 37 200 km; GEORADIUSBYMEMBER_RO g P 200 km
        GEOSEARCH g FROMMEMBER P BYRADIUS 200 km ASC
        XLEN x; XRANGE x - +; XREVRANGE x + -; XREAD STREAMS x 0; XREAD COUNT 1 STREAMS x y 0 0
        EVAL_RO {get} 1 s""",
    "master": """
        TOUCH s n; DUMP s; KEYS *; DBSIZE; RANDOMKEY; LOLWUT; LOLWUT VERSION 5 1 1 1; SCAN 0; HSCAN h 0
        SSCAN t 0; ZSCAN z 0; CLUSTERSCAN 0
        OBJECT ENCODING s; OBJECT FREQ s; OBJECT IDLETIME s; OBJECT REFCOUNT s; OBJECT HELP
        MEMORY USAGE s; MEMORY DOCTOR; MEMORY STATS; MEMORY MALLOC-STATS; MEMORY PURGE; MEMORY HELP
        XINFO STREAM x; XINFO STREAM x FULL; XINFO GROUPS x; XINFO CONSUMERS x grp; XINFO HELP
        XPENDING x grp; XPENDING x grp - + 10
        SET s v; SET s v NX; SET s v XX GET; SET s v EX 100; SETEX s 100 v; PSETEX s 100000 v; SETNX s v
        SETRANGE s 1 x; GETSET s v; GETDEL s; GETEX s; GETEX s EX 100; APPEND s x;
        MSET s 1 n 2; MSETNX s 1 o 2
        MSETEX 1 s v EX 100; DELEX s; DELIFEQ s hello; SETBIT b 1 1; BITOP AND dst s n; BITFIELD b GET u8 0
        BITFIELD b INCRBY u8 0 1; INCR n; INCRBY n 2; INCRBYFLOAT f 1.5; DECR n; DECRBY n 2
        PFADD p x; PFMERGE p q; PFDEBUG ENCODING p; PFSELFTEST
        DEL s; UNLINK s n; RENAME s o; RENAMENX s o; COPY s o; COPY s o DB 1; MOVE s 1; SWAPDB 0 1
        EXPIRE s 100; PEXPIRE s 100000; EXPIREAT s 4102444800; PEXPIREAT s 4102444800000; PERSIST e
        RESTORE o 0 {dump}; RESTORE-ASKING o 0 {dump}; SORT i; SORT i STORE dst; SORT i BY w* GET #
        FLUSHDB; FLUSHALL; FLUSHDB ASYNC
        HSET h f v; HSETNX h n v; HMSET h f v; HDEL h f; HINCRBY h f 1; HINCRBYFLOAT h f 1.5
        HEXPIRE h 100 FIELDS 1 f; HPEXPIRE h 100000 FIELDS 1 f; HEXPIREAT h 4102444800 FIELDS 1 f
        HPEXPIREAT h 4102444800000 FIELDS 1 f; HPERSIST h FIELDS 1 f; HGETDEL h FIELDS 1 f
        HGETEX h EX 100 FIELDS 1 f; HSETEX h EX 100 FIELDS 1 f v
        LPUSH l x; RPUSH l x; LPUSHX l x; RPUSHX l x; LPOP l; LPOP l 2; RPOP l; LSET l 0 x; LREM l 1 a
        LTRIM l 1 -1; LINSERT l BEFORE b x; LMOVE l i LEFT RIGHT; RPOPLPUSH l i; LMPOP 2 none l LEFT COUNT 2
        BLPOP none l 1; BRPOP l 1; BLMOVE l i LEFT RIGHT 1; BRPOPLPUSH l i 1; BLMPOP 1 2 none l LEFT
        BLPOP none 0.01
        SADD t x; SREM t a; SPOP t 3; SMOVE t u a; SINTERSTORE dst t u; SUNIONSTORE dst t u
        SDIFFSTORE dst t u
        ZADD z 9 x; ZADD z INCR 1 a; ZINCRBY z 1 a; ZREM z a; ZPOPMIN z; ZPOPMAX z 2; BZPOPMIN none z 1
        BZPOPMAX z 1; ZMPOP 2 none z MIN; BZMPOP 1 2 none z MAX; ZREMRANGEBYRANK z 0 0; ZREMRANGEBYSCORE z 1 1
        ZREMRANGEBYLEX z [a [b; ZUNIONSTORE dst 2 z y; ZINTERSTORE dst 2 z y WEIGHTS 1 2; ZDIFFSTORE dst 2 z y
        ZRANGESTORE dst z 0 1
        GEOADD g 1 1 x; GEORADIUS g 15 37 200 km; GEORADIUS g 15 37 200 km STORE dst
        GEORADIUSBYMEMBER g P 200 km; GEORADIUSBYMEMBER g P 200 km STOREDIST dst
        GEOSEARCHSTORE dst g FROMMEMBER P BYRADIUS 200 km
        XADD x 3-1 f v; XADD x * f v; XDEL x 1-1; XTRIM x MAXLEN 1; XSETID x 9-1; XACK x grp 1-1
        XCLAIM x grp c2 0 1-1; XAUTOCLAIM x grp c2 0 0; XREADGROUP GROUP grp c1 STREAMS x >
        XREADGROUP GROUP grp c1 BLOCK 10 STREAMS x 0; XREAD BLOCK 10 STREAMS x $; XREAD BLOCK 10 STREAMS x 0
        XGROUP CREATE x other $; XGROUP CREATECONSUMER x grp c9; XGROUP DELCONSUMER x grp c1
        XGROUP DESTROY x grp; XGROUP SETID x grp 0; XGROUP HELP; XACKDEL x grp IDS 1 1-1; XDELEX x IDS 1 1-1
        VADD v VALUES 2 1 0 a; VCARD v; VDIM v; VEMB v a; VGETATTR v a; VINFO v; VISMEMBER v a; VLINKS v a
        VRANDMEMBER v; VREM v a; VSETATTR v a {json}; VSIM v VALUES 2 1 0
        EVAL {get} 1 s; EVAL {one} 0; EVALSHA {sha} 0; EVALSHA_RO {sha} 0; FCALL none 0; FCALL_RO none 0
        SCRIPT LOAD {get}; SCRIPT EXISTS {sha}; SCRIPT FLUSH; SCRIPT KILL; SCRIPT HELP; SCRIPT SHOW {sha}
        SCRIPT DEBUG NO; FUNCTION LOAD REPLACE {library}; FUNCTION LIST; FUNCTION STATS; FUNCTION DUMP
        FUNCTION RESTORE x; FUNCTION DELETE none; FUNCTION FLUSH; FUNCTION KILL; FUNCTION HELP
        PUBLISH ch x; SPUBLISH ch x; PUBSUB CHANNELS; PUBSUB NUMSUB ch; PUBSUB NUMPAT; PUBSUB HELP
        PUBSUB SHARDCHANNELS; PUBSUB SHARDNUMSUB ch
        SUBSCRIBE ch; PSUBSCRIBE c*; SSUBSCRIBE ch; UNSUBSCRIBE; PUNSUBSCRIBE; SUNSUBSCRIBE
        MULTI; EXEC; DISCARD; WATCH s; UNWATCH
        WAIT 0 0; WAITAOF 0 0 0
        SELECT 1; HELLO; HELLO 2
        READONLY; READWRITE; ASKING
        INFO; INFO server; INFO everything; COMMAND; COMMAND COUNT; COMMAND INFO get; COMMAND DOCS get
        COMMAND LIST; COMMAND GETKEYS GET s; COMMAND GETKEYSANDFLAGS GET s; COMMAND HELP
        TIME; ROLE; LASTSAVE; LATENCY LATEST; LATENCY HISTORY x; LATENCY RESET; LATENCY DOCTOR
        LATENCY GRAPH x
        LATENCY HISTOGRAM; LATENCY HELP; SLOWLOG GET; SLOWLOG LEN; SLOWLOG RESET; SLOWLOG HELP
        COMMANDLOG GET 1 slow; COMMANDLOG LEN slow; COMMANDLOG RESET slow; COMMANDLOG HELP
        ACL CAT; ACL CAT read; ACL LIST; ACL USERS; ACL GETUSER default; ACL GENPASS; ACL LOG
        ACL DRYRUN default GET s; ACL SETUSER bob; ACL DELUSER bob; ACL LOAD; ACL SAVE; ACL HELP
        CONFIG GET databases; CONFIG SET slowlog-max-len 128; CONFIG REWRITE; CONFIG RESETSTAT; CONFIG HELP
        MODULE LIST; MODULE LOAD /none; MODULE LOADEX /none; MODULE UNLOAD none; MODULE HELP
        DEBUG HELP; DEBUG SLEEP 0; DEBUG OBJECT s; SHUTDOWN x; SHUTDOWN ABORT; REPLICAOF none x
        SLAVEOF none x
        FAILOVER ABORT; SAVE; BGSAVE SCHEDULE; BGREWRITEAOF; REPLCONF listening-port x
        MIGRATE 127.0.0.1 1 s 0 10
        CLUSTER INFO; CLUSTER HELP; CLUSTER ADDSLOTS 1; CLUSTER ADDSLOTSRANGE 1 2; CLUSTER BUMPEPOCH
        CLUSTER COUNT-FAILURE-REPORTS x; CLUSTER COUNTKEYSINSLOT 1; CLUSTER DELSLOTS 1
        CLUSTER DELSLOTSRANGE 1 2; CLUSTER FAILOVER; CLUSTER FLUSHSLOTS; CLUSTER FORGET x
        CLUSTER GETKEYSINSLOT 1 1; CLUSTER KEYSLOT s; CLUSTER LINKS; CLUSTER MEET 127.0.0.1 1; CLUSTER MYID
        CLUSTER NODES; CLUSTER REPLICAS x; CLUSTER REPLICATE x; CLUSTER RESET; CLUSTER SAVECONFIG
        CLUSTER SET-CONFIG-EPOCH 1; CLUSTER SETSLOT 1 STABLE; CLUSTER SHARDS; CLUSTER SLAVES x; CLUSTER SLOTS
        CLUSTER MYSHARDID; CLUSTER SLOT-STATS SLOTSRANGE 0 1; CLUSTER MIGRATESLOTS SLOTSRANGE 0 1 NODE x
        CLUSTER CANCELSLOTMIGRATIONS; CLUSTER FLUSHSLOT 1; CLUSTER GETSLOTMIGRATIONS; CLUSTER SYNCSLOTS x""",
    "local": """
        PING; PING x; ECHO x; QUIT; RESET; AUTH default x; CLIENT REPLY ON; CLIENT ID; CLIENT INFO
        CLIENT LIST; CLIENT UNBLOCK 99999999; CLIENT NO-EVICT ON
        CLIENT NO-TOUCH ON; CLIENT CAPA redirect; CLIENT SETNAME x; CLIENT GETNAME; CLIENT SETINFO LIB-NAME x
        ACL WHOAMI; CLIENT UNPAUSE; CLIENT PAUSE 0; CLIENT TRACKING OFF; CLIENT TRACKINGINFO; CLIENT GETREDIR
        CLIENT HELP; CLIENT CACHING YES; CLIENT KILL ID 99999999; CLIENT IMPORT-SOURCE OFF
    """,
}
# where two servers may differ: by clocks, addresses, chance, their own counters, or because one has a replica
LOOSE = """
    info role wait waitaof hello lolwut time lastsave save bgsave bgrewriteaof memory latency|doctor
    latency|histogram acl|genpass acl|cat client|id client|info client|list xadd xinfo xpending vlinks vinfo
    debug|object object|idletime slowlog|get slowlog|len commandlog|get commandlog|len vrandmember command
    command|docs command|list
"""
# streams without an end: they have tests of their own
UNTRIED = frozenset(["monitor", "sync", "psync"])
SCRIPT = "return redis.call('get', KEYS[1])"
WORDS = {
    "{get}": SCRIPT,
    "{one}": "return 1",
    "{sha}": "e0e1f9fabfc9d4800c877a703b823ac0578ff8db",  # of "return 1"
    "{json}": '{"a":1}',
    "{library}": "#!lua name=lib\nredis.register_function('fun', function(keys) return 1 end)",
}


def lines(text: str, **more: bytes) -> list[list[bytes]]:
    """Return the commands of *text* as words."""
    words = {key: value.encode() for key, value in WORDS.items()}
    words |= {f"{{{key}}}": value for key, value in more.items()}
    parts = [part.split() for part in text.replace("\n", ";").split(";")]
    return [[words.get(word, word.encode()) for word in part] for part in parts if part]


def named(line: Sequence[bytes]) -> tuple[str, str]:
    """Return the name of the command of *line*, and the same with its subcommand."""
    name = line[0].decode().lower()
    return name, f"{name}|{line[1].decode('latin-1').lower()}" if len(line) > 1 else name
