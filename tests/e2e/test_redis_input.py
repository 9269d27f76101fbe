"""Broken, hostile and old-fashioned input: answered byte for byte as a server answers it, and never fatal."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.redis_raw import END, KIB, RAW
from tests.support.redis_versions import VERSIONS, Bench, bench
from tests.support.resp import RawClient, request

# Where Valkey 9 no longer answers as Redis does, the ambassador keeps to Redis.
AS_REDIS = {
    "inline, text after a quote": (
        b'GET "k"x\r\n',
        b"-ERR Protocol error: unbalanced quotes in request\r\n",
    ),
    "no CRLF after a bulk": (
        b"*2\r\n$4\r\nECHOxx$1\r\nayy" + request("PING"),
        b"$1\r\na\r\n+PONG\r\n$3\r\nend\r\n+OK\r\n",
    ),
}


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from bench(request.param)


@pytest.fixture
def ambassador(version: Bench) -> Ambassador:
    return version.ambassador


def answer(port: int, data: bytes, cut: int | None = None, protocol: int = 2) -> bytes:
    """Return all that comes back for *data* and a last command; up to *cut* it is sent byte by byte.

    No other follows an endless line: whether a server sees it depends on how much it reads at once.
    """
    last = b"" if len(data) > 64 * KIB else END + request("QUIT")
    with RawClient(port, protocol=protocol) as client:
        try:
            for index in range(cut or 0):
                client.send(data[index : index + 1])
            client.send(data[cut or 0 :] + last)
        except ConnectionError:
            pass  # closed before it had read all
        return client.read_rest()


@pytest.mark.parametrize("name", RAW)
def test_raw_input_is_answered_as_by_a_server(version: Bench, name: str) -> None:
    wanted = answer(version.plain.port, RAW[name])

    assert answer(version.ambassador.port, RAW[name]) == wanted
    assert answer(version.ambassador.port, RAW[name], cut=min(60, len(RAW[name]))) == wanted


@pytest.mark.parametrize("name", RAW)
def test_also_in_the_third_protocol(version: Bench, name: str) -> None:
    wanted = answer(version.plain.port, RAW[name], protocol=3)

    assert answer(version.ambassador.port, RAW[name], protocol=3) == wanted


@pytest.mark.parametrize("name", AS_REDIS)
def test_raw_input_is_answered_as_by_redis(ambassador: Ambassador, name: str) -> None:
    data, wanted = AS_REDIS[name]

    assert answer(ambassador.port, data) == wanted


def test_no_refused_login_is_left_unanswered(ambassador: Ambassador) -> None:
    """Redis 8.0 and Valkey 8.1 say nothing to one behind another command, and all later replies shift."""
    login, refused = (
        request("AUTH", "a", "b"),
        b"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
    )

    assert (
        answer(ambassador.port, request("GET", "none") + login)
        == b"$-1\r\n" + refused + b"$3\r\nend\r\n+OK\r\n"
    )


def test_random_bytes_kill_nobody(ambassador: Ambassador) -> None:
    draw = random.Random(7)
    good = request("SET", "k", "v") + request("GET", "k") + b"PING\r\n"
    with RawClient(ambassador.port) as bystander:
        for number in range(150):
            if number % 2:
                data = draw.randbytes(draw.randrange(1, 2000))
            else:  # nearly right
                spoilt = bytearray(good * 3)
                for _ in range(draw.randrange(1, 4)):
                    spoilt[draw.randrange(len(spoilt))] = draw.choice(b"*$\r\n0919-+x\0")
                data = bytes(spoilt)
            with RawClient(ambassador.port) as client:
                client.send(data)
            assert bystander.call("ECHO", number) == b"$%d\r\n%d\r\n" % (len(str(number)), number)

    assert ambassador.process.returncode is None
    assert "Traceback" not in ambassador.process.output
