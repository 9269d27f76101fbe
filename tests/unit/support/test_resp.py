"""Replies are cut where they end, whatever they hold."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.support.resp import Closed, RawClient, bag, elements, request

REPLIES = [
    b"+OK\r\n",
    b"-ERR no\r\n",
    b":12\r\n",
    b"$-1\r\n",
    b"*-1\r\n",
    b"$6\r\na\r\nb\r\n\r\n",
    b"*3\r\n*1\r\n:1\r\n$0\r\n\r\n*0\r\n",
    b"%1\r\n+k\r\n~2\r\n,1.5\r\n#t\r\n",
    b"|1\r\n+ttl\r\n:3\r\n$1\r\nx\r\n",
    b">2\r\n+message\r\n_\r\n",
    b"=7\r\ntxt:abc\r\n",
]


def test_replies_come_back_one_by_one_however_they_were_cut() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_drip, args=(server, b"".join(REPLIES) + b"$5\r\nab"))
        thread.start()
        with RawClient(server.getsockname()[1]) as client:
            assert client.read_many(len(REPLIES)) == REPLIES
            with pytest.raises(Closed, match="ab"):
                client.read()
        thread.join(30)


def _drip(server: socket.socket, data: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for index in range(len(data)):
            connection.send(data[index : index + 1])


def test_a_request_is_an_array_of_bulk_strings() -> None:
    assert request("SET", b"\0", 1) == b"*3\r\n$3\r\nSET\r\n$1\r\n\0\r\n$1\r\n1\r\n"


def test_elements_may_be_compared_without_their_order() -> None:
    one, other = b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", b"*2\r\n*1\r\n:1\r\n$1\r\na\r\n"

    assert elements(one) == [b"$1\r\na\r\n", b"*1\r\n:1\r\n"]
    assert bag(one) == bag(other)
    assert bag(one, 2) != bag(other, 2)
    assert bag(b"-ERR a\r\n") != bag(b"-ERR b\r\n")
