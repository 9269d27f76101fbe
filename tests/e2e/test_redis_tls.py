"""TLS towards servers and sentinels, with certificates and credentials of their own, rotated in use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.ambassador import Ambassador
from tests.support.certificates import Authority
from tests.support.forwarder import Forwarder
from tests.support.pods import ask, serves_reads
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import script
from tests.support.redis_groups import Sentinels
from tests.support.redis_servers import HOST, Pair, Server, raw
from tests.support.resp import RawClient
from tests.support.secured import SECURED, Papers, names, papers, reached, secure
from tests.support.waiting import until


class Tls(NamedTuple):
    """A master and a replica that also listen for TLS and ask every client there for a certificate."""

    pair: Pair
    papers: Papers

    @property
    def addresses(self) -> str:
        return ",".join(f"{HOST}:{secure(server, self.papers)}" for server in self.pair.servers)


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Tls]:
    with Pair() as pair:
        yield Tls(pair, papers(tmp_path))


def by_tls(server: Server) -> int:
    """Return how many connections the server accepted at its TLS port by now that are still there."""
    return sum(int(line["laddr"].rpartition(":")[2]) != server.port for line in server.client().client_list())


def test_everything_is_encrypted_and_certificates_are_renewed_without_a_restart(
    tls: Tls, tmp_path: Path
) -> None:
    with Ambassador("--servers", tls.addresses, *tls.papers.flags()) as ambassador:
        serves_reads(tls.pair, ambassador)
        with RawClient(ambassador.port) as standing:
            assert standing.call("SET", "k", "v") == b"+OK\r\n"
            assert by_tls(tls.pair.master) >= 2
            assert by_tls(tls.pair.replica) >= 1

            renewed = Authority(tmp_path, "renewed")
            tls.papers.ours.replace(renewed.issue("ours"))
            fresh = renewed.issue("server")
            tls.papers.authority.file.write_bytes(renewed.file.read_bytes())
            for server in tls.pair.servers:
                certificates = {"tls-cert-file": str(fresh.file), "tls-key-file": str(fresh.key)}
                server.client().config_set("tls-ca-cert-file", str(renewed.file))
                words = [word for item in certificates.items() for word in item]
                server.client().execute_command("CONFIG", "SET", *words)

            assert standing.call("GET", "k") == b"$1\r\nv\r\n"
            for server in tls.pair.servers:
                raw(server.port, "CLIENT", "KILL", "TYPE", "normal")
            until(lambda: ask(ambassador.port, "SET", "k", "w") == b"+OK\r\n", what="new connections")
            serves_reads(tls.pair, ambassador)
            ambassador.wait_readyz()


def test_a_server_that_does_not_prove_itself_hears_no_command(tls: Tls, tmp_path: Path) -> None:
    """What is wrong stands at /readyz, in the log and in a metric; there is no falling back to plain."""
    stranger = tls.papers._replace(authority=Authority(tmp_path, "stranger"))
    flags = (*stranger.flags(), "--startup-wait", "300ms")
    before = tls.pair.master.calls("info")
    with Ambassador("--servers", f"{tls.addresses},{tls.pair.master.address}", *flags) as ambassador:
        assert ask(ambassador.port, "SET", "k", "v").startswith(b"-LOADING")
        until(lambda: "TLS: unknown_ca" in ambassador.get("/readyz").body, what="the reason")
        name = "redis_ambassador_upstream_tls_failures_total"
        counted = {dict(labels)["node"]: dict(labels)["cause"] for labels in ambassador.metric(name)}
        assert counted[tls.addresses.split(",")[0]] == "unknown_ca"
    assert "unknown_ca" in ambassador.process.stderr
    assert tls.pair.master.calls("info") - before <= 1  # ours, to count them
    assert tls.pair.master.calls("set") == 0


def test_nobody_verified_is_said_aloud(tls: Tls) -> None:
    with Ambassador("--servers", tls.addresses, *tls.papers.flags(), "--tls-verify", "none") as ambassador:
        serves_reads(tls.pair, ambassador)
        assert "--tls-verify none" in ambassador.get("/readyz").body
        assert ambassador.get("/readyz").status == 200
    assert "--tls-verify none" in ambassador.process.stderr


def test_sentinels_have_certificates_and_credentials_of_their_own(tls: Tls, tmp_path: Path) -> None:
    """The servers here are plain and without users, so nothing of theirs could have been used instead."""
    others, port = papers(tmp_path, "others"), free_port()
    lines = [f"{name} {value}" for name, value in others.options(port).items()]
    lines += ["user pod on >geheimnis ~* &* +@all"]
    secret = tmp_path / "secret"
    secret.write_text("geheimnis\n")
    flags = (*others.flags("--sentinel-tls"), "--sentinel-username", "pod")
    with Sentinels(tls.pair, options=lines) as sentinels:
        named = ("--sentinels", f"{HOST}:{port}", "--sentinel-master", sentinels.name)
        env = {"PODMATES_REDIS_SENTINEL_PASSWORD_FILE": str(secret)}
        with Ambassador(*named, *flags, env=env) as ambassador:
            serves_reads(tls.pair, ambassador)
            users = raw(sentinels.ports[0], "CLIENT", "LIST").decode()
            assert "user=pod" in users
            assert by_tls(tls.pair.master) == 0
    assert "geheimnis" not in ambassador.process.stderr


@pytest.mark.parametrize("form", SECURED)
def test_a_server_that_takes_connections_and_never_greets_is_waited_for_as_long_as_promised(
    form: dict[str, str],
) -> None:
    with Pair() as pair:
        _, replica = names(pair.servers, form)
        _, _, *flags = reached(pair, form)
        flags += ("--connect-timeout", "300ms", "--master-wait", "600ms", "--on-unknown", "error")
        with (
            Forwarder(("127.0.0.1", pair.master.tls_port)) as link,
            Ambassador("--servers", f"{link.address},{replica}", *flags, env=form) as ambassador,
            RawClient(ambassador.port, timeout=60) as client,
        ):
            assert client.call("SET", "k", "v") == b"+OK\r\n"
            link.freeze()
            link.drop()
            reply = until(lambda: refusal(client), what="a refusal")
            assert reply.split()[0] in (b"-READONLY", b"-MASTERDOWN"), reply
            link.thaw()
            until(lambda: client.call("SET", "k", "w") == b"+OK\r\n", what="writes to go on")
            assert client.call("GET", "k") == b"$1\r\nw\r\n"


def refusal(client: RawClient) -> bytes:
    reply = client.call("SET", "k", "v")
    return b"" if reply.startswith((b"+OK", b"-ERR upstream")) else reply


@pytest.mark.parametrize("form", SECURED)
def test_sentinels_name_a_master_that_is_reached_by_tls(form: dict[str, str]) -> None:
    """They know of the plain ports only; where these are reached by TLS is for us to know."""
    with Pair() as pair, Sentinels(pair) as sentinels:
        _, _, *flags = reached(pair, form)
        ways = zip(pair.servers, names(pair.servers, form), strict=True)
        where = ("--address-map", ",".join(f"{server.address}={name}" for server, name in ways))
        named = ("--sentinels", sentinels.addresses, "--sentinel-master", sentinels.name)
        flags += ("--on-unknown", "error")  # a write may be on its way when the master dies
        with Ambassador(*named, *flags, *where, env=form) as ambassador:
            serves_reads(pair, ambassador)
            assert ask(ambassador.port, "SET", "k", "v") == b"+OK\r\n"
            assert by_tls(pair.master) >= 1
            pair.settle()
            pair.master.kill()
            until(lambda: ask(ambassador.port, "SET", "k", "w") == b"+OK\r\n", 60, "writes to go on")
            assert ask(ambassador.port, "GET", "k") == b"$1\r\nw\r\n"


def test_a_password_is_rotated_under_standing_connections(tmp_path: Path) -> None:
    """The server knows both for a while, as in every rotation; then the old one is gone."""
    secret = tmp_path / "secret"
    secret.write_text("eins")
    with Pair() as pair:
        for server in pair.servers:
            server.client().execute_command("ACL", "SETUSER", "pod", "on", ">eins", "~*", "&*", "+@all")
        env = {"PODMATES_REDIS_PASSWORD_FILE": str(secret)}
        with (
            Ambassador("--servers", pair.addresses, "--username", "pod", env=env) as ambassador,
            RawClient(ambassador.port) as standing,
        ):
            serves_reads(pair, ambassador)
            assert standing.call("SET", "k", "v") == b"+OK\r\n"
            secret.write_text("zwei")
            for server in pair.servers:
                server.client().execute_command("ACL", "SETUSER", "pod", "resetpass", ">zwei")
            assert standing.call("GET", "k") == b"$1\r\nv\r\n"
            for server in pair.servers:
                raw(server.port, "CLIENT", "KILL", "USER", "pod")
            # asked again when its connection is lost; a write that may have run closes its client
            until(lambda: standing.call("INFO", "server")[:1] == b"$", what="the new password")
            assert standing.call("SET", "k", "w") == b"+OK\r\n"
            ambassador.wait_readyz()


@pytest.mark.parametrize(
    ("flags", "fault"),
    [
        (("--tls-ca-file", "/absent"), "--tls-ca-file: only with --tls"),
        (("--tls", "--tls-ca-file", "/absent"), "--tls: /absent: No such file"),
        (("--tls", "--tls-key-file", "/absent"), "--tls-key-file: only with --tls-cert-file"),
        (("--sentinel-tls-verify", "ca"), "--sentinel-tls-verify: only with --sentinel-tls"),
        (("--tls-verify", "maybe"), "want one of full, ca, none"),
        (("--address-map", "a"), "want announced=reachable"),
    ],
)
def test_wrong_settings_are_told_before_anything_is_opened(flags: tuple[str, ...], fault: str) -> None:
    found = run([script("podmates-redis"), "check", "--servers", "localhost:1", *flags])

    assert found.status == 2
    assert fault in found.stderr + found.stdout
