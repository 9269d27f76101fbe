"""What listens here and has statistics is known by its words, and becomes a file that loads."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from podmates_metrics.detecting.asking import Found, detect
from podmates_metrics.detecting.fingerprints import listening
from podmates_metrics.detecting.verb import native
from podmates_metrics.documents import parse
from podmates_metrics.native.file import decode
from podmates_metrics.presets.load import preset
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import script
from tests.support.web_server import Asked, Reply, WebServer

PAGES = {
    "nginx": ("/stub_status", b"Active connections: 1 \nserver accepts handled requests\n 1 1 1 \n"),
    "apache": ("/server-status?auto", b"localhost\nTotal Accesses: 3\nScoreboard: __W\n"),
    "haproxy": ("/stats;csv", b"# pxname,svname,qcur\nfront,FRONTEND,1\n"),
    "exporter": ("/metrics", b"# HELP a b\n# TYPE a counter\na 1\n"),
    "status": ("/stats", b'{"queue": {"length": 3}}'),
}
# What is waited for, and what comes back.
SPEAKERS = {
    "memcached": (b"stats\r\n", b"STAT pid 1\r\nSTAT uptime 3\r\nEND\r\n"),
    "redis": (b"INFO\r\nQUIT\r\n", b"$40\r\n# Server\r\nredis_version:7.0.15\r\nrole:master\r\n\r\n+OK\r\n"),
    "zookeeper": (b"mntr", b"zk_version\t3.8.0-1\nzk_avg_latency\t0\n"),
    "jvm": (b"JRMI\x00\x02\x4b", b"N\x00\x09127.0.0.1\x00\x00\xa0\x00"),
}


def web(path: str, body: bytes) -> WebServer:
    def answer(asked: Asked) -> Reply:
        return Reply(body=body) if asked.path == path else Reply(404)

    return WebServer(answer)


@contextmanager
def speaker(wanted: bytes, answer: bytes) -> Iterator[int]:
    """Answer those who say *wanted* and keep the connection open; send others away."""
    server = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            kept.append(line)
            right = line.recv(4096) == wanted
            line.sendall(answer if right else b"ERROR\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)
        for line in kept:
            line.close()


LIMIT = 60.0  # seconds; the verb itself gives it one


def loads(found: list[Found]) -> bool:
    tree = parse(native(found))
    return tree is not None and bool(decode(tree, preset))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_known_by_its_words(name: str) -> None:
    with web(*PAGES[name]) as server:
        found = asyncio.run(detect([server.port], everywhere=True, limit=LIMIT))

    assert [(one.port, one.name) for one in found] == [(server.port, name)]
    assert f"http://localhost:{server.port}{PAGES[name][0]}" in found[0].entry
    assert loads(found)


@pytest.mark.parametrize("name", SPEAKERS)
def test_a_server_of_another_protocol_is_known_by_its_words(name: str) -> None:
    with speaker(*SPEAKERS[name]) as port:
        found = asyncio.run(detect([port], everywhere=True, limit=LIMIT))

    assert [(one.port, one.name) for one in found] == [(port, name)]
    assert loads(found)


def test_a_port_that_says_nothing_or_nonsense_holds_nobody_up() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        web("/", b"<html>") as server,
        web(*PAGES["exporter"]) as page,
    ):
        ports = [silent.getsockname()[1], server.port, free_port(), page.port, page.port]
        found = asyncio.run(detect(ports, everywhere=False, limit=8.0))

    assert [one.name for one in found] == ["exporter"]


def test_several_of_one_kind_have_names_of_their_own() -> None:
    found = [Found(port, "jvm", f'{{jmx: {{target: "localhost:{port}"}}}}') for port in (1, 2)]

    assert native(found).splitlines()[1:] == [
        '  jvm: {jmx: {target: "localhost:1"}}',
        '  jvm_2: {jmx: {target: "localhost:2"}}',
    ]


def test_ports_that_somebody_listens_on_are_read_from_the_systems_table() -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n"
        "   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000\n"
    )

    assert listening([table, "header only"]) == {8080}


def test_the_verb_says_when_there_is_nothing_and_when_it_is_called_wrongly() -> None:
    ended = run([script("podmates-metrics"), "detect", f"--ports={free_port()}"])
    assert (ended.status, ended.stdout, ended.stderr) == (1, "", "podmates-metrics: nothing found\n")
    for flag in ("--ports=0", "--ports=a", "--ports=", "--bogus", "--ports=" + "1," * 200 + "1"):
        assert run([script("podmates-metrics"), "detect", flag]).status == 2, flag
