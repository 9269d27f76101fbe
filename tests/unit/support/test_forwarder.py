"""The forwarder moves every byte in order, and makes the link as bad as it is told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.forwarder import Forwarder


@pytest.fixture
def link() -> Iterator[Forwarder]:
    """A forwarder before a server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_echo, args=(server,), daemon=True)
        thread.start()
        with Forwarder(server.getsockname()) as forwarder:
            yield forwarder
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _echo(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_send_back, args=(connection,), daemon=True).start()


def _send_back(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            return


def _send_and_end(connection: socket.socket, payload: bytes) -> None:
    connection.sendall(payload)
    connection.shutdown(socket.SHUT_WR)


def connect(link: Forwarder) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=30)


def read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (part := connection.recv(size - len(data))):
        data += part
    return data


def test_every_byte_comes_back_and_the_end_is_passed_on(link: Forwarder) -> None:
    payload = bytes(range(256)) * 8000
    with connect(link) as connection:
        sender = threading.Thread(target=_send_and_end, args=(connection, payload))
        sender.start()

        assert read(connection, len(payload) + 1) == payload
        sender.join(10)


def test_a_delay_holds_each_direction_back(link: Forwarder) -> None:
    link.delay(50)
    with connect(link) as connection:
        start = time.monotonic()
        connection.sendall(b"ping")

        assert read(connection, 4) == b"ping"
        assert time.monotonic() - start >= 0.1


def test_a_throttle_moves_no_more_than_it_allows(link: Forwarder) -> None:
    link.throttle(100_000)
    with connect(link) as connection:
        start = time.monotonic()
        connection.sendall(b"x" * 20_000)

        assert len(read(connection, 20_000)) == 20_000
        assert time.monotonic() - start >= 0.15


def test_a_frozen_link_keeps_connections_and_loses_nothing(link: Forwarder) -> None:
    with connect(link) as connection:
        link.freeze()
        connection.sendall(b"held")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(4)
        connection.settimeout(30)
        link.thaw()

        assert read(connection, 4) == b"held"


def test_a_muted_link_carries_what_is_said_and_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Forwarder(server.getsockname()) as link:
        link.mute()
        with connect(link) as near, server.accept()[0] as far:
            near.sendall(b"said")
            assert read(far, 4) == b"said"
            far.sendall(b"held")
            near.settimeout(0.2)
            with pytest.raises(TimeoutError):
                near.recv(4)
            near.settimeout(30)
            link.thaw()

            assert read(near, 4) == b"held"


def test_a_cut_link_resets_and_refuses_until_it_is_mended(link: Forwarder) -> None:
    with connect(link) as connection:
        connection.sendall(b"ping")
        assert read(connection, 4) == b"ping"
        link.cut()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(link)
    link.mend()
    with connect(link) as connection:
        connection.sendall(b"pong")

        assert read(connection, 4) == b"pong"
