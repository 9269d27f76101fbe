"""Commands that need more than their flags say, by name (`container|sub`). No I/O."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# write one value, or several, behind their first key: may pass on before they are here whole
UPLOADS = _names(
    """
    set setnx setex psetex getset append setrange hset hsetnx hmset lpush rpush lpushx rpushx
    linsert lset sadd zadd xadd pfadd mset msetnx restore publish spublish
    """
)
# change the connection, and we can do the same to another one
STATE = _names(
    """
    select auth hello client|setname client|setinfo
    """
)
# answered by a stream that has no end
STREAMS = _names(
    """
    monitor sync psync
    """
)
# answered by one acknowledgement for each channel
SUBSCRIBING = _names(
    """
    subscribe unsubscribe psubscribe punsubscribe ssubscribe sunsubscribe
    """
)
# wait for servers, not for data: are over in time, and say how many servers have what was written
COUNTING = _names(
    """
    wait waitaof
    """
)
# may not be answered for long; XREAD and XREADGROUP join them with BLOCK
BLOCKING = COUNTING | _names(
    """
    blpop brpop blmove brpoplpush blmpop bzpopmin bzpopmax bzmpop
    """
)
# answered here, about the clients of this process
OWN_CLIENT = _names(
    """
    client|id client|info client|list client|kill client|unblock client|no-evict
    client|no-touch client|capa client|pause client|unpause client|tracking client|trackinginfo
    client|getredir client|getname acl|whoami
    """
)
# not to be taken for commands of a server that is too old to list its subcommands
NOT_BEFORE_SEVEN = _names(
    """
    client|no-evict client|no-touch client|setinfo client|capa client|import-source
    """
)
# subcommands of CLIENT that leave the connection as it is
PLAIN_CLIENT = _names(
    """
    help
    """
)
# neither read nor write by their flags, and without effect on any key
HARMLESS = _names(
    """
    publish spublish time info lastsave role readonly readwrite asking command config slowlog
    latency acl client pubsub memory cluster script function commandlog module object xinfo lolwut
    bgsave save bgrewriteaof shutdown pfselftest
    """
)
# their reply may tell a client about what another pod has written, and that it is its turn now; a read
# tells of the first only, and if it were in here, reading again and again would never leave the master
ACQUIRING = _names(
    """
    lpop rpop lmpop blpop brpop blmove brpoplpush rpoplpush blmpop lmove spop zpopmin zpopmax
    bzpopmin bzpopmax zmpop bzmpop xreadgroup xclaim xautoclaim setnx msetnx hsetnx renamenx getdel
    getset hgetdel delex delifeq msetex eval evalsha fcall exec watch
    """
)
# positions in one server's hash table: of no meaning to another server
CURSORS = _names(
    """
    scan hscan sscan zscan clusterscan
    """
)
# how long a key lives on; a replica takes the difference to its own clock
TIMES = _names(
    """
    ttl pttl expiretime pexpiretime httl hpttl hexpiretime hpexpiretime
    """
)
# bytes, encodings, clocks and counts that differ between a master and its own replica
NODE_LOCAL = _names(
    """
    touch dump keys dbsize randomkey xpending lolwut vlinks ft.cursor
    """
)
NODE_LOCAL_CONTAINERS = _names(
    """
    object memory xinfo debug
    """
)
# begin to count anew: who sends one looks at the counts of one server next
RESETTING = _names(
    """
    config|resetstat slowlog|reset latency|reset
    """
)
# refused unless --admin-commands allow
ADMINISTRATIVE = _names(
    """
    shutdown replicaof slaveof failover debug module|load module|unload module|loadex config|set
    config|rewrite save bgsave bgrewriteaof sync psync replconf acl|setuser acl|deluser acl|load
    acl|save migrate cluster|addslots cluster|addslotsrange cluster|bumpepoch
    cluster|delslots cluster|delslotsrange cluster|failover cluster|flushslots cluster|forget
    cluster|meet cluster|replicate cluster|reset cluster|saveconfig cluster|set-config-epoch
    cluster|setslot
    """
)
# run a script by its body or by its digest, or change which scripts a server has
SCRIPT_BODIES = _names("eval eval_ro")
SCRIPT_DIGESTS = _names("evalsha evalsha_ro")
# writes that may touch keys which they do not name
EVERYTHING = _names(
    """
    eval evalsha fcall move swapdb flushall flushdb migrate
    """
)
