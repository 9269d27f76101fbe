"""The proxy variables mean what they mean to Go's programs, and loopback is never behind one."""

from __future__ import annotations

import pytest

from podmates_gitsync.outbound.proxies import Proxy, ProxyError, choose

PROXY = Proxy("proxy", 3128, "")
BOTH = {"HTTP_PROXY": "http://proxy:3128", "HTTPS_PROXY": "http://proxy:3128"}


@pytest.mark.parametrize(
    ("scheme", "environ", "expected"),
    [
        ("http", {}, None),
        ("http", {"http_proxy": "http://proxy:3128"}, PROXY),
        ("http", {"HTTP_PROXY": "proxy:3128"}, PROXY),
        ("http", {"HTTP_PROXY": "", "http_proxy": "proxy:3128"}, PROXY),
        ("http", {"HTTP_PROXY": "http://proxy:3128", "http_proxy": "http://other"}, PROXY),
        ("http", {"HTTPS_PROXY": "http://proxy:3128"}, None),
        ("https", {"HTTPS_PROXY": "http://proxy:3128/"}, PROXY),
        ("https", {"https_proxy": "http://proxy"}, Proxy("proxy", 80, "")),
        ("https", {"https_proxy": "http://u:p%40@proxy"}, Proxy("proxy", 80, "u:p%40")),
        ("https", {"https_proxy": "http://[fd00::1]:3128"}, Proxy("fd00::1", 3128, "")),
        ("http", {"HTTP_PROXY": "http://proxy:3128", "REQUEST_METHOD": "GET"}, None),
        ("http", {"all_proxy": "http://proxy:3128"}, None),
    ],
)
def test_a_variable_names_the_proxy_of_its_scheme(
    scheme: str, environ: dict[str, str], expected: Proxy | None
) -> None:
    assert choose(scheme, "example.com", 80, environ) == expected


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost", "127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"]
)
def test_loopback_is_never_behind_a_proxy(host: str) -> None:
    assert choose("http", host, 80, BOTH) is None


@pytest.mark.parametrize(
    ("exempt", "host", "port", "direct"),
    [
        ("example.com", "example.com", 443, True),
        ("example.com", "EXAMPLE.com.", 443, True),
        ("example.com", "git.example.com", 443, True),
        ("example.com", "badexample.com", 443, False),
        (".example.com", "git.example.com", 443, True),
        (".example.com", "example.com", 443, False),
        ("*.example.com", "git.example.com", 443, True),
        ("example.com:8080", "example.com", 443, False),
        ("example.com:8080", "example.com", 8080, True),
        ("other , example.com", "example.com", 443, True),
        ("*", "example.com", 443, True),
        ("", "example.com", 443, False),
        (" , ,", "example.com", 443, False),
        ("10.1.2.3", "10.1.2.3", 443, True),
        ("10.1.2.3:80", "10.1.2.3", 443, False),
        ("10.0.0.0/8", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("10.0.0.0/8", "example.com", 443, False),
        ("10.0.0.0/wrong", "10.1.2.3", 443, False),
        ("fd00::1", "fd00::1", 443, True),
        ("[fd00::1]:443", "fd00::1", 443, True),
        ("[fd00::1]:444", "fd00::1", 443, False),
        ("fd00::/8", "fd00::1", 443, True),
    ],
)
def test_no_proxy_names_hosts_domains_ports_and_networks(
    exempt: str, host: str, port: int, direct: bool
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        assert (choose("https", host, port, BOTH | {name: exempt}) is None) == direct


@pytest.mark.parametrize(
    "text",
    [
        "socks5://u:secret@proxy",
        "https://u:secret@proxy",
        "http://u:secret@",
        "http://u:secret@p:x",
        "http://u:secret@[/",
    ],
)
def test_a_proxy_of_another_kind_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ProxyError, match="HTTP_PROXY") as caught:
        choose("http", "example.com", 80, {"HTTP_PROXY": text})

    assert "secret" not in str(caught.value)
