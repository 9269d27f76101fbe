"""Input to be answered byte for byte as a server answers it: broken, hostile, old-fashioned."""

from __future__ import annotations

from tests.support.resp import request

END = request("ECHO", "end")
KIB = 1024


def pipe(*lines: str) -> bytes:
    """Return the commands of *lines*, which have no blanks inside words."""
    return b"".join(request(*line.split(" ")) for line in lines)


RAW = {
    "inline": b"PING\r\nSET k v\r\nGET k\n",
    "inline, empty lines": b"\r\n\n\r\nPING\r\n",
    "inline, quotes": b'SET "a b" \'it\\\'s\'\r\nGET "a b"\r\nECHO "\\x41\\n\\r\\t\\"\\\\"\r\n',
    "inline, spaces": b"   ECHO    x   \r\n",
    "inline, unbalanced quotes": b'GET "k\r\nPING\r\n',
    "inline, too long": b"x" * (65 * KIB),
    "inline, a zero in it and too long": b"\0\n" + b"x\n" * (33 * KIB),
    "inline then array": b"PING\r\n" + request("GET", "k"),
    "inline, unknown": b"FOO bar 'b c'\r\n",
    "count not a number": b"*a\r\n",
    "count with a plus": b"*+1\r\n$4\r\nPING\r\n",
    "count with a zero": b"*01\r\n$4\r\nPING\r\n",
    "count too large": b"*2147483648\r\n",
    "count nothing": b"*\r\n",
    "count zero": b"*0\r\n" + request("PING"),
    "count negative": b"*-1\r\n*-10\r\n" + request("PING"),
    "count too small for a number": b"*-9223372036854775809\r\n",
    "count endless": b"*" + b"1" * (65 * KIB),
    "element no bulk": b"*1\r\nPING\r\n",
    "element an integer": b"*2\r\n$4\r\nECHO\r\n:1\r\n",
    "length not a number": b"*1\r\n$x\r\n",
    "length negative": b"*1\r\n$-1\r\n",
    "length with a zero": b"*1\r\n$04\r\nPING\r\n",
    "length too large": b"*1\r\n$536870913\r\n",
    "length endless": b"*1\r\n$" + b"1" * (65 * KIB),
    "a web browser": b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET k evil\r\n",
    "a host header": b"Host: localhost\r\nPING\r\n",
    "a web browser that gets": b"GET / HTTP/1.1\r\n",
    "unknown command": request("FOO", "a", "b"),
    "unknown, long name": request("F" * 300, "a"),
    "unknown, many long words": request("FOO", *["x" * 50] * 20),
    "unknown, line ends": request("FO\r\nO", "a\r\nb"),
    "unknown, binary": request(b"\xff\x00", b"\x80"),
    "empty command name": request(""),
    "unknown subcommand": request("CLIENT", "FOO"),
    "unknown subcommand of an object": request("OBJECT", "FOO", "k"),
    "wrong arity": pipe("GET", "SET k", "CLIENT SETNAME", "ECHO"),
    "mixed case": pipe("gEt k", "cLiEnT gEtNaMe", "hGeTaLl k"),
    "quit drops what follows": pipe("QUIT", "SET k no"),
    "silence for replies only": pipe(
        "CLIENT REPLY SKIP", "SUBSCRIBE x", "PING", "UNSUBSCRIBE", "CLIENT REPLY OFF", "SUBSCRIBE y"
    )
    + pipe("PING", "GET k", "UNSUBSCRIBE", "GET k", "CLIENT REPLY ON"),
    "names": pipe("CLIENT SETNAME a\tb", "CLIENT SETNAME ok", "CLIENT GETNAME"),
    "ping": request("PING", "a", "b") + request("PING", b"\0\r\n") + request("ECHO"),
    "hello": pipe("HELLO x", "HELLO 4", "HELLO 3 FOO", "HELLO 3 SETNAME"),
    "authentication": pipe("AUTH x", "AUTH default x", "AUTH a b c"),
    "authentication, wrong": pipe("AUTH a b"),
    "authentication, wrong while greeting": pipe("HELLO 3 AUTH a b"),
    "database": pipe("SELECT 16", "SELECT -1", "SELECT x", "SELECT 15"),
    "transaction without a start": pipe("EXEC", "DISCARD", "UNWATCH"),
    "nested transaction": pipe("MULTI", "MULTI", "EXEC"),
    "watch inside": pipe("MULTI", "WATCH k", "EXEC"),
    "error inside": pipe("MULTI", "GET", "SET k v", "EXEC"),
    "unknown inside": pipe("MULTI", "FOO", "EXEC", "GET k"),
    "failure inside": pipe("MULTI", "SET k v", "LPOP k", "EXEC"),
    "select inside": pipe("MULTI", "SELECT 3", "SET k 3", "EXEC", "GET k", "SELECT 0", "GET k"),
    "subscribe inside": pipe("MULTI", "SUBSCRIBE c", "EXEC", "GET k"),
    "blocking inside": pipe("MULTI", "BLPOP none 0", "EXEC"),
    "reset inside": pipe("MULTI", "SET k no", "RESET", "GET k"),
    "reset after words of ours": pipe("PING", "RESET", "ECHO x", "AUTH x", "RESET", "PING"),
    "quit inside": pipe("MULTI", "SET k no", "QUIT", "GET k"),
    "watch, then quit": pipe("WATCH k", "QUIT", "GET k"),
    "exec with nothing": pipe("MULTI", "EXEC", "WATCH k", "MULTI", "EXEC"),
    "discard": pipe("WATCH k", "MULTI", "SET k no", "DISCARD", "GET k", "EXEC"),
    "patterns inside": pipe("MULTI", "PSUBSCRIBE p*", "UNSUBSCRIBE", "EXEC", "PUNSUBSCRIBE", "GET k"),
    "names inside": pipe("MULTI", "CLIENT SETNAME x", "CLIENT GETNAME", "EXEC", "CLIENT GETNAME"),
    "protocol inside": pipe("MULTI", "HELLO 3 SETNAME", "EXEC", "HGETALL k"),
    "hello inside": pipe("MULTI", "HELLO 9", "EXEC"),
    "negative timeout": pipe("BLPOP none -1", "BLPOP none x"),
    "cluster commands": pipe("CLUSTER INFO", "READONLY", "ASKING"),
    "unsubscribe of nothing": pipe("UNSUBSCRIBE", "PUNSUBSCRIBE p"),
    "client errors": pipe("CLIENT REPLY X", "CLIENT KILL ID x", "CLIENT"),
    "evalsha unknown": pipe(f"EVALSHA {'f' * 40} 0", f"EVALSHA_RO {'e' * 40} 0"),
    "number of keys": pipe("EVAL return 5", "EVAL return -1", "EVAL return x"),
}
