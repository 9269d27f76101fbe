"""Clients that come, do anything, and leave at any moment, in any way: what they leave behind is a leak."""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import struct
import threading
from collections.abc import Callable

from tests.support.resp import Closed, Command, RawClient, request

Visit = tuple[Command | bytes, ...]

_HALF = b"*2\r\n$3\r\nGET\r\n$5\r\nab"  # of a request
_UPLOAD = b"*3\r\n$3\r\nSET\r\n$2\r\nup\r\n$1000000\r\n" + b"x" * 100_000  # a tenth of one
VISITS: dict[str, Visit] = {
    "nothing": (),
    "a read and a write": (("SET", "k", "v"), ("GET", "k")),
    "a watch": (("WATCH", "k"), ("GET", "k")),
    "a watch that was broken": (("WATCH", "k"), ("SET", "k", "w"), ("MULTI",), ("GET", "k"), ("EXEC",)),
    "an open transaction": (("MULTI",), ("SET", "k", "v"), ("GET", "k")),
    "a transaction that subscribes": (("MULTI",), ("SUBSCRIBE", "c"), ("EXEC",)),
    "subscriptions": (("SUBSCRIBE", "c", "d"), ("PSUBSCRIBE", "*"), ("SSUBSCRIBE", "s")),
    "a wait": (("BLPOP", "nothing", 0),),
    "a wait behind a read": (("GET", "k"), ("BRPOP", "nothing", 0), ("GET", "k")),
    "a wait for replicas": (("SET", "k", "v"), ("WAIT", 9, 0)),
    "a wait for a stream": (("XREAD", "BLOCK", 0, "STREAMS", "x", "$"),),
    "a monitor": (("GET", "k"), ("MONITOR",), ("GET", "k")),
    "large replies": tuple([("GET", "big")] * 20),
    "many replies": tuple([("GET", "k"), ("INCR", "n")] * 500),
    "half a request": (("GET", "k"), _HALF),
    "half an upload": (_UPLOAD,),
    "no protocol": (("GET", "k"), b"*x\r\n"),
    "a state of its own": (("HELLO", 3), ("SELECT", 3), ("CLIENT", "SETNAME", "guest"), ("GET", "k")),
    "no replies": (("CLIENT", "REPLY", "OFF"), ("SET", "k", "v"), ("GET", "k")),
    "a cache": (("HELLO", 3), ("CLIENT", "TRACKING", "ON"), ("GET", "k"), ("SET", "k", "v")),
    "a reset": (("WATCH", "k"), ("SUBSCRIBE", "c"), ("RESET",), ("GET", "k")),
    "a farewell": (("SET", "k", "v"), ("QUIT",), ("GET", "k")),
    "a script": (("EVAL", "return redis.call('get', KEYS[1])", 1, "k"), ("EVAL_RO", "return 1", 0)),
    "a wrong command": (("NOSUCH", "a"), ("GET",), ("SET", "k")),
}


def _close(client: RawClient) -> None:
    client.close()


def _reset(client: RawClient) -> None:
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def _half_close(client: RawClient) -> None:
    """Send no more, take what comes for a moment, then go."""
    client.socket.shutdown(socket.SHUT_WR)
    client.socket.settimeout(0.05)
    client.read_rest()
    client.close()


def _after_a_reply(client: RawClient) -> None:
    client.socket.settimeout(0.05)
    client.read()
    client.close()


WAYS: tuple[Callable[[RawClient], None], ...] = (_close, _close, _reset, _half_close, _after_a_reply)


def come_and_go(port: int, draw: random.Random) -> None:
    """Pay one visit: all its commands at once or one by one, and leave somewhere among them."""
    visit = VISITS[draw.choice(list(VISITS))]
    parts = [part if isinstance(part, bytes) else request(*part) for part in visit]
    if draw.random() < 0.5:
        parts = [b"".join(parts)]
    if draw.random() < 0.2 and parts:
        parts = parts[: draw.randrange(len(parts) + 1)]
    with contextlib.suppress(OSError, Closed), contextlib.closing(RawClient(port, timeout=5)) as client:
        for part in parts:
            client.send(part)
        draw.choice(WAYS)(client)


def crowd(port: int, visits: int, seed: int, *, doors: int = 8) -> None:
    """Pay so many visits, by *doors* guests at a time."""
    left = itertools.count()
    faults: list[BaseException] = []

    def guest(number: int) -> None:
        draw = random.Random(f"{seed} {number}")
        try:
            while next(left) < visits:
                come_and_go(port, draw)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=guest, args=(number,), daemon=True) for number in range(doors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    if faults:
        raise faults[0]
    assert not any(thread.is_alive() for thread in threads), "guests that do not end"
