"""Commands about all keys, asked of every shard in turn: how one reply is made of theirs. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable

from podmates_redis.wire import texts
from podmates_redis.wire.replies import flat_strings

Combine = Callable[[list[bytes]], bytes]

_TAG_BITS = 12  # of a cursor that is handed out: the number of the shard that it belongs to
MOST_SHARDS = 1 << _TAG_BITS
_KEYSPACE = re.compile(rb"(?m)^(db\d+):keys=(\d+),expires=(\d+),avg_ttl=(\d+)(.*?)\r?$")
_MODES = (
    (b"redis_mode:cluster", b"redis_mode:standalone"),
    (b"server_mode:cluster", b"server_mode:standalone"),
    (b"cluster_enabled:1", b"cluster_enabled:0"),
)


def _first(replies: list[bytes]) -> bytes:
    return replies[0]


def _sum(replies: list[bytes]) -> bytes:
    return texts.number(sum(int(reply[1:]) for reply in replies))


def _least(replies: list[bytes]) -> bytes:
    return min(replies, key=lambda reply: int(reply[1:]) if reply[:1] == b":" else 0)


def _joined(replies: list[bytes]) -> bytes:
    heads = [reply.partition(b"\r\n") for reply in replies]
    count = sum(int(head[1:]) for head, _, _ in heads)
    return b"%b%d\r\n%b" % (replies[0][:1], count, b"".join(body for _, _, body in heads))


def _either(replies: list[bytes]) -> bytes:
    columns = zip(*(flat_strings(reply) for reply in replies), strict=False)
    found = [texts.number(max(map(int, column))) for column in columns]
    return b"*%d\r\n%b" % (len(found), b"".join(found))


def _named(replies: list[bytes]) -> bytes:
    words = [flat_strings(reply) for reply in replies]
    pairs = [
        (name, sum(int(one[at + 1]) for one in words)) for at, name in enumerate(words[0]) if at % 2 == 0
    ]
    body = b"".join(texts.bulk(name) + texts.number(count) for name, count in pairs)
    return b"*%d\r\n%b" % (2 * len(pairs), body)


def _granted(replies: list[bytes]) -> bytes:
    return next((reply for reply in replies if reply[:1] != b"-"), replies[0])


def _found(replies: list[bytes]) -> bytes:
    return replies[-1]


COMBINE: dict[str, Combine] = {
    "dbsize": _sum,
    "keys": _joined,
    "randomkey": _found,
    "pubsub|shardchannels": _joined,
    "pubsub|shardnumsub": _named,
    "script|exists": _either,
    "script|kill": _granted,
    "function|kill": _granted,
    "wait": _least,
    "waitaof": _first,
    "latency|reset": _sum,
    **dict.fromkeys(
        [
            "flushall",
            "flushdb",
            "script|load",
            "script|flush",
            "function|load",
            "function|delete",
            "function|flush",
            "function|restore",
            "config|set",
            "config|resetstat",
            "config|rewrite",
            "slowlog|reset",
            "memory|purge",
            "acl|setuser",
            "acl|deluser",
            "acl|load",
            "acl|save",
        ],
        _first,
    ),
}
_SOUGHT = frozenset(["randomkey"])  # answered by the first that has something
_TRIED = frozenset(["script|kill", "function|kill"])  # an error of one is no error of all


def enough(name: str, reply: bytes) -> bool:
    """Tell whether after *reply* of one shard no other one is asked."""
    if reply[:1] == b"-":
        return name not in _TRIED
    return name in _SOUGHT and not reply.startswith((b"$-1", b"_"))


def taken_apart(cursor: bytes) -> tuple[int, int] | None:
    """Return the shard's number and its own cursor in one that was handed out; None: it is none of ours.

    The shard's number is 0 for the cursor that begins a scan.
    """
    if not cursor.isdigit() or len(cursor) > 20:
        return None
    value = int(cursor)
    return value & (MOST_SHARDS - 1), value >> _TAG_BITS


def scanned(reply: bytes, number: int, following: int) -> bytes:
    """Return the reply of shard *number* to SCAN as the client gets it; *following*: the next shard, or 0."""
    head, _, rest = reply.partition(b"\r\n")
    length, _, rest = rest.partition(b"\r\n")
    cursor, _, body = rest.partition(b"\r\n")
    if head[:1] != b"*" or length[:1] != b"$" or not cursor.isdigit():
        return reply
    own = int(cursor)
    handed = (own << _TAG_BITS | number) if own else following
    return b"%b\r\n%b%b" % (head, texts.bulk(b"%d" % handed), body)


def told(replies: list[bytes], protocol: int) -> bytes:
    """Return the first shard's INFO as that of one plain server with the keys of all of *replies*."""
    if any(reply[:1] == b"-" for reply in replies):
        return next(reply for reply in replies if reply[:1] == b"-")
    bodies = [_body(reply) for reply in replies]
    text = bodies[0]
    for old, new in _MODES:
        text = text.replace(old, new)
    if len(bodies) > 1:
        text = _KEYSPACE.sub(b"", text).rstrip(b"\r\n") + b"\r\n" + _keyspace(bodies)
    return texts.verbatim(text, protocol)


def _body(reply: bytes) -> bytes:
    text = reply.partition(b"\r\n")[2].removesuffix(b"\r\n")
    return text[4:] if reply[:1] == b"=" else text


def _keyspace(bodies: list[bytes]) -> bytes:
    sums: dict[bytes, list[int]] = {}
    rest: dict[bytes, bytes] = {}
    for body in bodies:
        for name, *numbers, more in _KEYSPACE.findall(body):
            keys, expires, ttl = map(int, numbers)
            found = sums.setdefault(name, [0, 0, 0])
            rest.setdefault(name, more)
            found[0], found[1], found[2] = found[0] + keys, found[1] + expires, found[2] + ttl * expires
    lines = [
        b"%b:keys=%d,expires=%d,avg_ttl=%d%b\r\n" % (name, keys, expires, ttl // max(expires, 1), rest[name])
        for name, (keys, expires, ttl) in sorted(sums.items())
    ]
    return b"".join(lines)
