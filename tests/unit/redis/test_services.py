"""A service's name stands for the hosts and ports that its SRV records tell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from podmates_common.errors import ConfigError
from podmates_common.parse import Address
from podmates_common.settings import load
from podmates_redis.servers.names import looked_up
from podmates_redis.settings import PREFIX, Settings
from tests.support.name_server import NameServer

NAME = Address("_redis._tcp.redis.svc", 0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """Be the one that the system's configuration names."""
    import dns.resolver

    with NameServer({}) as server:

        def configured(resolver: dns.resolver.BaseResolver, source: object) -> None:
            resolver.nameservers, resolver.port = ["127.0.0.1"], server.port

        monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", configured)
        yield server


def test_hosts_and_ports_are_those_of_the_records(server: NameServer) -> None:
    server.services[NAME.host] = [
        "0 5 7001 127.0.0.2.",
        "0 5 7002 127.0.0.3.",
        "0 5 7003 no-such-host.invalid.",
        "0 5 0 127.0.0.4.",
        "0 0 7004 .",
    ]
    found = asyncio.run(looked_up(NAME))

    assert found == {Address("127.0.0.2", 7001): "127.0.0.2", Address("127.0.0.3", 7002): "127.0.0.3"}


def test_a_service_that_nobody_knows_or_whose_servers_are_gone_is_said(server: NameServer) -> None:
    with pytest.raises(OSError, match="does not exist"):
        asyncio.run(looked_up(NAME))
    server.services[NAME.host] = ["0 5 7003 no-such-host.invalid."]
    with pytest.raises(OSError, match="none of its servers has an address"):
        asyncio.run(looked_up(NAME))


def test_a_service_needs_no_port_and_a_host_does() -> None:
    def dns_of(text: str) -> tuple[Address, ...]:
        return load(Settings, PREFIX, ["--dns", text], {}).settings.dns

    assert dns_of("_redis._tcp.redis.svc,redis:6379") == (NAME, Address("redis", 6379))
    for wrong in ("redis", "_redis", "_redis._udp.x", "_redis._tcp", "_redis._tcp.x:y"):
        with pytest.raises(ConfigError, match="host:port"):
            dns_of(wrong)
