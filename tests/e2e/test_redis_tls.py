"""TLS towards servers and sentinels, with certificates and credentials of their own, rotated in use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.ambassador import Ambassador
from tests.support.certificates import Authority, Certificate
from tests.support.pods import ask, serves_reads
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import need, script
from tests.support.redis_groups import Sentinels
from tests.support.redis_servers import HOST, Pair, Server, raw
from tests.support.resp import RawClient
from tests.support.waiting import until


class Tls(NamedTuple):
    """A master and a replica that also listen for TLS and ask every client there for a certificate."""

    pair: Pair
    ports: list[int]
    authority: Authority
    server: Certificate
    ours: Certificate

    @property
    def addresses(self) -> str:
        return ",".join(f"{HOST}:{port}" for port in self.ports)

    def flags(self, prefix: str = "--tls") -> tuple[str, ...]:
        files = ("-cert-file", str(self.ours.file), f"{prefix}-key-file", str(self.ours.key))
        return (prefix, f"{prefix}-ca-file", str(self.authority.file), prefix + files[0], *files[1:])


def options(authority: Authority, certificate: Certificate, port: int) -> dict[str, str]:
    return {
        "tls-ca-cert-file": str(authority.file),
        "tls-cert-file": str(certificate.file),
        "tls-key-file": str(certificate.key),
        "tls-auth-clients": "yes",
        "tls-port": str(port),
    }


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Tls]:
    need("redis-server", "redis-server")  # the embedded server of the wheel has no TLS
    authority = Authority(tmp_path)
    server, ours = authority.issue("server"), authority.issue("ours")
    with Pair() as pair:
        ports = []
        for each in pair.servers:
            ports.append(free_port())
            for name, value in options(authority, server, ports[-1]).items():
                each.client().config_set(name, value)
        yield Tls(pair, ports, authority, server, ours)


def by_tls(server: Server) -> int:
    """Return how many connections the server accepted at its TLS port by now that are still there."""
    return sum(int(line["laddr"].rpartition(":")[2]) != server.port for line in server.client().client_list())


def test_everything_is_encrypted_and_certificates_are_renewed_without_a_restart(
    tls: Tls, tmp_path: Path
) -> None:
    with Ambassador("--servers", tls.addresses, *tls.flags()) as ambassador:
        serves_reads(tls.pair, ambassador)
        with RawClient(ambassador.port) as standing:
            assert standing.call("SET", "k", "v") == b"+OK\r\n"
            assert by_tls(tls.pair.master) >= 2
            assert by_tls(tls.pair.replica) >= 1

            renewed = Authority(tmp_path, "renewed")
            tls.ours.replace(renewed.issue("ours"))
            fresh = renewed.issue("server")
            tls.authority.file.write_bytes(renewed.file.read_bytes())
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
    stranger = tls._replace(authority=Authority(tmp_path, "stranger"))
    flags = (*stranger.flags(), "--startup-wait", "300ms")
    before = tls.pair.master.calls("info")
    with Ambassador("--servers", f"{tls.addresses},{tls.pair.master.address}", *flags) as ambassador:
        assert ask(ambassador.port, "SET", "k", "v").startswith(b"-LOADING")
        until(lambda: "TLS: unknown_ca" in ambassador.get("/readyz").body, what="the reason")
        name = "redis_ambassador_upstream_tls_failures_total"
        counted = {dict(labels)["node"]: dict(labels)["cause"] for labels in ambassador.metric(name)}
        assert counted[f"{HOST}:{tls.ports[0]}"] == "unknown_ca"
    assert "unknown_ca" in ambassador.process.stderr
    assert tls.pair.master.calls("info") - before <= 1  # ours, to count them
    assert tls.pair.master.calls("set") == 0


def test_nobody_verified_is_said_aloud(tls: Tls) -> None:
    with Ambassador("--servers", tls.addresses, *tls.flags(), "--tls-verify", "none") as ambassador:
        serves_reads(tls.pair, ambassador)
        assert "--tls-verify none" in ambassador.get("/readyz").body
        assert ambassador.get("/readyz").status == 200
    assert "--tls-verify none" in ambassador.process.stderr


def test_sentinels_have_certificates_and_credentials_of_their_own(tls: Tls, tmp_path: Path) -> None:
    """The servers here are plain and without users, so nothing of theirs could have been used instead."""
    others, port = Authority(tmp_path, "others"), free_port()
    file = options(others, others.issue("sentinel"), port)
    lines = [f"{name} {value}" for name, value in file.items()]
    lines += ["user pod on >geheimnis ~* &* +@all"]
    secret = tmp_path / "secret"
    secret.write_text("geheimnis\n")
    mine = others.issue("mine")
    flags = (*tls._replace(authority=others, ours=mine).flags("--sentinel-tls"), "--sentinel-username", "pod")
    with Sentinels(tls.pair, options=lines) as sentinels:
        named = ("--sentinels", f"{HOST}:{port}", "--sentinel-master", sentinels.name)
        env = {"PODMATES_REDIS_SENTINEL_PASSWORD_FILE": str(secret)}
        with Ambassador(*named, *flags, env=env) as ambassador:
            serves_reads(tls.pair, ambassador)
            users = raw(sentinels.ports[0], "CLIENT", "LIST").decode()
            assert "user=pod" in users
            assert by_tls(tls.pair.master) == 0
    assert "geheimnis" not in ambassador.process.stderr


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
