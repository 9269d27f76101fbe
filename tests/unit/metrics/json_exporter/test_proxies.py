"""Which requests go through a proxy, as Go decides it."""

from __future__ import annotations

import pytest
from yarl import URL

from podmates_metrics.json_exporter.core.proxy import Proxy
from podmates_metrics.json_exporter.core.secrets import Hidden
from podmates_metrics.json_exporter.proxies import bypassed, through
from podmates_metrics.json_exporter.requests import Unsendable

ENTRIES = {
    "example.org": {"example.org": True, "a.example.org": True, "badexample.org": False},
    ".example.org": {"example.org": False, "a.example.org": True},
    "*.example.org": {"example.org": False, "a.example.org": True},
    "*": {"anything": True, "10.0.0.1": True},
    "10.0.0.0/8": {"10.1.2.3": True, "11.1.2.3": False, "ten": False},
    "10.0.0.1": {"10.0.0.1": True, "10.0.0.2": False},
    "example.org:80": {"example.org": True},
    "example.org:81": {"example.org": False},
    "10.0.0.1:80": {"10.0.0.1": True},
    "[::1]:80": {"::1": True},
    "EXAMPLE.org.": {"example.org": False},
}


@pytest.mark.parametrize(("entry", "hosts"), ENTRIES.items())
def test_no_proxy_names_hosts_domains_networks_and_ports(entry: str, hosts: dict[str, bool]) -> None:
    for host, expected in hosts.items():
        assert bypassed(host, 80, [entry]) is expected, host


def test_a_proxy_is_for_everything_until_there_is_a_list() -> None:
    own = URL("http://127.0.0.1/")
    proxy = Proxy("http://p:1", headers=(("X", (Hidden("y"),)),))

    assert through(None, own) == {}
    told = through(proxy, own)
    assert (told["proxy"], dict(told["proxy_headers"])) == (URL("http://p:1"), {"X": "y"})
    listed = Proxy("http://p:1", ("example.org",))
    for host, proxied in (("localhost", False), ("example.org", False), ("other", True)):
        assert bool(through(listed, URL(f"http://{host}/"))) is proxied, host


def test_the_environment_may_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy(environment=True)
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    assert through(proxy, URL("http://t/")) == {}
    monkeypatch.setenv("http_proxy", "p:3128")
    monkeypatch.setenv("no_proxy", "direct")
    assert through(proxy, URL("http://t/"))["proxy"] == URL("http://p:3128")
    for address in ("https://t/", "http://direct/", "http://localhost/"):
        assert through(proxy, URL(address)) == {}, address
    monkeypatch.setenv("http_proxy", "socks5://p:3128")
    with pytest.raises(Unsendable, match="does not speak HTTP"):
        through(proxy, URL("http://t/"))
