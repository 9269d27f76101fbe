"""Towards servers: who has to prove what, and how a failed handshake is called; never plain instead."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from podmates_common.parse import Address
from podmates_redis.servers.asking import Asker, Unanswered
from podmates_redis.servers.dialing import Dialer
from podmates_redis.servers.mapping import rule
from podmates_redis.servers.tls import Tls, Wanted, cause
from podmates_redis.servers.upstream import Greeting, Upstream
from tests.support.certificates import Authority, Certificate
from tests.support.upstreams import Nobody


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while line := await reader.readline():
            if line[:1] != b"*":
                writer.write(b"-ERR unknown command\r\n")
                break
            for _ in range(2 * int(line[1:])):
                await reader.readline()
            writer.write(b"+OK\r\n")
    writer.close()


@contextlib.asynccontextmanager
async def serving(
    certificate: Certificate | None, clients: Path | None = None, **limits: ssl.TLSVersion
) -> AsyncIterator[Address]:
    """A server that says OK to everything, by TLS with *certificate*; *clients*: who vouches for them."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key)
        for name, value in limits.items():
            setattr(context, name, value)
        if clients:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_REQUIRED
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, ssl=context)
    yield Address("127.0.0.1", server.sockets[0].getsockname()[1])
    server.close()


async def asked(address: Address, wanted: Wanted) -> str:
    """Return what asking the server at *address* comes to: OK, or the cause in one word."""
    dialer = Dialer(Tls(wanted))
    asker = Asker(address, lambda: (b"", None), dialer)
    try:
        return str((await asker.ask(("PING",)))[0].decode())
    except Unanswered as error:
        told = str(error)
    finally:
        asker.close()
    assert dialer.failures, told
    ((node, why),) = dialer.failures
    assert (node, told.startswith(f"TLS: {why}: ")) == (str(address), True)
    return why


def test_a_server_proves_what_is_asked_of_it(folder: Path, authority: Authority) -> None:
    stranger = Authority(folder, "stranger")
    good, other = authority.issue("good"), authority.issue("other", names="DNS:other")
    past = authority.issue("past", expired=True)
    known, strange = str(authority.file), str(stranger.file)
    cases = [
        (good, Wanted(ca_file=known), "OK"),
        (good, Wanted(ca_file=strange), "unknown_ca"),
        (good, Wanted(), "unknown_ca"),
        (other, Wanted(ca_file=known), "name"),
        (other, Wanted(ca_file=known, server_name="other"), "OK"),
        (good, Wanted(ca_file=known, server_name="other"), "name"),
        (other, Wanted(ca_file=known, verify="ca"), "OK"),
        (other, Wanted(ca_file=strange, verify="ca"), "unknown_ca"),
        (other, Wanted(ca_file=strange, verify="none"), "OK"),
        (past, Wanted(ca_file=known), "expired"),
        (None, Wanted(ca_file=known), "not_tls"),
        (None, Wanted(verify="none"), "not_tls"),
    ]

    async def test() -> None:
        for certificate, wanted, result in cases:
            async with serving(certificate) as address:
                assert await asked(address, wanted) == result, (wanted, result)

    asyncio.run(test())


def test_we_prove_who_we_are_to_a_server_that_asks(folder: Path, authority: Authority) -> None:
    server, ours = authority.issue("server"), authority.issue("ours")
    foreign = Authority(folder, "foreigner").issue("ours")
    known = str(authority.file)

    async def test() -> None:
        async with serving(server, authority.file) as address:
            own = Wanted(ca_file=known, cert_file=str(ours.file), key_file=str(ours.key))
            assert await asked(address, own) == "OK"
            assert await asked(address, Wanted(ca_file=known)) in ("refused", "closed")
            wrong = Wanted(ca_file=known, cert_file=str(foreign.file), key_file=str(foreign.key))
            assert await asked(address, wrong) in ("refused", "closed")

    asyncio.run(test())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_next_connection_resumes_the_session(authority: Authority, version: ssl.TLSVersion) -> None:
    certificate = authority.issue(f"resumed-{version.name}")

    async def test() -> None:
        async with serving(certificate, maximum_version=version) as address:
            dialer, resumed = Dialer(Tls(Wanted(ca_file=str(authority.file)))), []
            for _ in range(2):
                greeting = Greeting([], [], lambda fields: "")
                upstream = await Upstream.open(address, Nobody(), greeting, dialer, limit=60.0)
                assert upstream._transport is not None
                resumed.append(upstream._transport.get_extra_info("ssl_object").session_reused)
                upstream.close()
            assert resumed == [False, True]

    asyncio.run(test())


def test_no_version_below_1_2(authority: Authority) -> None:
    context = Tls(Wanted(ca_file=str(authority.file))).context()

    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_files_are_read_again_when_they_changed_and_the_last_good_ones_serve_meanwhile(
    folder: Path, authority: Authority
) -> None:
    ours, renewed = authority.issue("renewing"), authority.issue("renewed")
    tls = Tls(Wanted(ca_file=str(authority.file), cert_file=str(ours.file), key_file=str(ours.key)))
    first = tls.context()
    assert tls.context() is first

    good = ours.file.read_bytes()
    ours.file.write_bytes(renewed.file.read_bytes())  # its key is not there yet
    assert tls.context() is first
    ours.file.write_bytes(good)
    assert tls.context() is not first

    second = tls.context()
    ours.file.unlink()
    assert tls.context() is second
    ours.file.write_bytes(good)
    ours.replace(renewed)
    assert tls.context() is not second


def test_files_that_never_were_good_are_an_error_that_names_them(folder: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        Tls(Wanted(ca_file=str(folder / "absent"))).context()
    odd = folder / "odd"
    odd.write_text("nothing of use")
    with pytest.raises(OSError, match=r"."):
        Tls(Wanted(cert_file=str(odd))).context()


def test_other_errors_are_none_of_tls() -> None:
    assert cause(OSError("no route")) == ""
    assert cause(None) == ""


def test_a_server_is_reached_where_the_map_says_and_verified_by_the_name_it_announced(
    authority: Authority,
) -> None:
    certificate = authority.issue("announced", names="DNS:redis-0.example")

    async def test() -> None:
        async with serving(certificate) as at:
            tls = Tls(Wanted(ca_file=str(authority.file)))
            dialer = Dialer(tls, [rule(f"redis-0.example:7000={at}")])
            asker = Asker(Address("redis-0.example", 7000), lambda: (b"", None), dialer)
            assert await asker.ask(("PING",)) == [b"OK"]
            asker.close()
            assert dialer.arguments(Address("redis-0.example", 1))["host"] == "redis-0.example"

    asyncio.run(test())


def test_a_server_that_says_nothing_is_no_fault_of_tls(authority: Authority) -> None:
    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            dialer = Dialer(Tls(Wanted(ca_file=str(authority.file))))
            asker = Asker(Address(*silent.getsockname()), lambda: (b"", None), dialer)
            with pytest.raises(Unanswered):
                await asker.ask(("PING",))
            assert not dialer.failures

    asyncio.run(test())
