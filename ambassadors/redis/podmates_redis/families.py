"""Commands that need more than their flags say, by name (`container|sub`). No I/O."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


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
# may not be answered for long; XREAD and XREADGROUP join them with BLOCK
BLOCKING = _names(
    """
    blpop brpop blmove brpoplpush blmpop bzpopmin bzpopmax bzmpop wait waitaof
    """
)
# subcommands of CLIENT that leave the connection as it is
PLAIN_CLIENT = _names(
    """
    id info list getname kill unblock unpause pause trackinginfo getredir help
    """
)
# neither read nor write by their flags, and without effect on any key
HARMLESS = _names(
    """
    publish spublish time info lastsave role readonly readwrite asking command config slowlog
    latency acl client pubsub memory cluster script module object xinfo lolwut bgsave save
    bgrewriteaof shutdown
    """
)
# their reply may tell a client about what another pod has written
ACQUIRING = _names(
    """
    lpop rpop lmpop blpop brpop blmove brpoplpush rpoplpush blmpop lmove spop zpopmin zpopmax
    bzpopmin bzpopmax zmpop bzmpop xreadgroup xclaim xautoclaim setnx msetnx hsetnx renamenx getdel
    getset hgetdel delex delifeq msetex eval evalsha eval_ro evalsha_ro fcall fcall_ro exec watch
    """
)
# positions in one server's hash table: of no meaning to another server
CURSORS = _names(
    """
    scan hscan sscan zscan
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
# refused unless --admin-commands allow
ADMINISTRATIVE = _names(
    """
    shutdown replicaof slaveof failover debug module|load module|unload module|loadex config|set
    config|rewrite save bgsave bgrewriteaof sync psync replconf acl|setuser acl|deluser acl|load
    acl|save client|pause migrate cluster|addslots cluster|addslotsrange cluster|bumpepoch
    cluster|delslots cluster|delslotsrange cluster|failover cluster|flushslots cluster|forget
    cluster|meet cluster|replicate cluster|reset cluster|saveconfig cluster|set-config-epoch
    cluster|setslot
    """
)
# writes that may touch keys which they do not name
EVERYTHING = _names(
    """
    eval evalsha fcall move swapdb flushall flushdb migrate
    """
)
