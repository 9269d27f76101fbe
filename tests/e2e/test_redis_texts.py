"""Every error has the words that a plain server of the master's kind and version has for it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import pytest

from tests.support.redis_texts import TEXTS
from tests.support.redis_versions import VERSIONS, Bench, bench
from tests.support.resp import RawClient, request


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> Iterator[Bench]:
    for made in bench(request.param, "--admin-commands", "allow"):
        with RawClient(made.ambassador.port) as client:
            assert client.call("CLIENT", "ID").startswith(b":")  # it has learnt what the master is
        yield made


def answer(port: int, asked: str | bytes, protocol: int) -> bytes:
    """Return all that comes back; of lines each is sent when the one before it is answered."""
    with RawClient(port, protocol=protocol) as client:
        if isinstance(asked, bytes):
            with contextlib.suppress(ConnectionError):  # closed before it had read all
                client.send(asked)
            return client.read_rest()
        found = b"".join(client.call(*line.split(" ")) for line in asked.split("|"))
        client.send(request("QUIT"))
        return found + client.read_rest()


@pytest.mark.parametrize("text", TEXTS)
def test_an_error_is_worded_as_by_a_server(version: Bench, text: str) -> None:
    for protocol in (2, 3):
        if text.startswith("ERR Can't execute") and protocol == 3:
            continue  # nothing is forbidden there
        wanted = answer(version.plain.port, TEXTS[text], protocol)
        if version.version == "redis-7.0":
            assert b"-" + text.encode() in wanted
        assert unsized(answer(version.ambassador.port, TEXTS[text], protocol)) == unsized(wanted)


def unsized(reply: bytes) -> bytes:
    """Return *reply* without the name of a script, which has the time in it."""
    return re.sub(rb"script: [0-9a-f]{40}", b"script: N", reply)
