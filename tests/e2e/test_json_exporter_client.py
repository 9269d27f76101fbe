"""How the adapter in place of json_exporter asks targets: TLS, tokens, proxies."""

from __future__ import annotations

import json
import ssl
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Authority, Certificate
from tests.support.json_exporter import JsonExporter, Page, Target

METRICS = (
    "metrics: [{name: ok, path: '1', labels: {auth: '{.headers.Authorization}'}, allow_missing_key: true}]"
)
GOOD = b"{}"


def modules(**sections: str) -> str:
    """Return a file of modules with these `http_client_config`s."""
    entries = [
        f"  {name}: {{http_client_config: {{{text}}}, {METRICS}}}\n" for name, text in sections.items()
    ]
    return "modules:\n" + "".join(entries)


class Papers:
    """An authority, a certificate of a target and one of a client."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.server: Certificate = self.authority.issue("server", names="DNS:target.example")
        self.client: Certificate = self.authority.issue("client")

    def context(self, *, asks: bool = False) -> ssl.SSLContext:
        """Return what the target speaks TLS 1.2 with; *asks*: for the client's certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.server.file, self.server.key)
        context.load_verify_locations(self.authority.file)
        context.verify_mode = ssl.CERT_REQUIRED if asks else ssl.CERT_NONE
        return context


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="module")
def exporter(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JsonExporter]:
    folder = tmp_path_factory.mktemp("json")
    ca, named = f"ca_file: '{papers.authority.file}'", "server_name: target.example"
    inline = json.dumps(papers.authority.file.read_text())
    cert, key = json.dumps(papers.client.file.read_text()), json.dumps(papers.client.key.read_text())
    files = f"cert_file: '{papers.client.file}', key_file: '{papers.client.key}'"
    told = modules(
        plain="",
        named=f"tls_config: {{{ca}, {named}}}",
        unnamed=f"tls_config: {{{ca}}}",
        trusting="tls_config: {insecure_skip_verify: true}",
        newer=f"tls_config: {{{ca}, {named}, min_version: TLS13}}",
        inline=f"tls_config: {{ca: {inline}, {named}, cert: {cert}, key: {key}}}",
        files=f"tls_config: {{{ca}, {named}, {files}}}",
        gone="tls_config: {ca_file: /nowhere/ca.pem}",
        unusable="tls_config: {ca: nonsense}",
    )
    with JsonExporter(folder, told) as process:
        yield process


TLS = {
    "plain": "certificate: ",
    "named": "",
    "unnamed": "certificate: ",
    "trusting": "",
    "newer": "ERROR: ",
    "gone": "unable to read file /nowhere/ca.pem: No such file or directory",
    "unusable": "unable to use the CA certificates of ca",
}


@pytest.mark.parametrize("module", TLS)
def test_a_certificate_is_checked_as_the_module_says(
    papers: Papers, exporter: JsonExporter, module: str
) -> None:
    with Target({"/": (200, GOOD, {})}, context=papers.context()) as target:
        answer = exporter.probe(target.url("/"), module)

    assert (answer.status, TLS[module] in answer.body) == (503 if TLS[module] else 200, True)


def test_a_client_shows_its_certificate_from_files_or_the_configuration(
    papers: Papers, exporter: JsonExporter
) -> None:
    with Target({"/": (200, GOOD, {})}, context=papers.context(asks=True)) as target:
        statuses = {
            name: exporter.probe(target.url("/"), name).status for name in ("files", "inline", "named")
        }

    assert statuses == {"files": 200, "inline": 200, "named": 503}


def test_a_token_is_fetched_once_and_anew_when_the_target_does_not_take_it(tmp_path: Path) -> None:
    answer = json.dumps({"access_token": "abc", "token_type": "bearer", "expires_in": 3600}).encode()
    with Target({"/token": (200, answer, {}), "/strict": (401, GOOD, {})}) as target:
        section = (
            f"oauth2: {{client_id: me, client_secret: 'hush hush', token_url: '{target.url('/token')}',"
            " scopes: [a, b], endpoint_params: {resource: r}}"
        )
        with JsonExporter(tmp_path, modules(token=section)) as exporter:
            for _ in range(2):
                assert 'ok{auth="Bearer abc"} 1' in exporter.probe(target.url("/echo"), "token").body
            (asked,) = [request for request in target.requests if request[1] == "/token"]
            assert asked[0] == "POST"
            assert asked[2]["Authorization"].startswith("Basic ")
            form = dict(urllib.parse.parse_qsl(asked[3]))
            assert form == {"grant_type": "client_credentials", "scope": "a b", "resource": "r"}

            assert exporter.probe(target.url("/strict"), "token").status == 503
            assert exporter.probe(target.url("/echo"), "token").status == 200
            assert [request[1] for request in target.requests].count("/token") == 2
            assert "hush" not in exporter.output


UNUSABLE: dict[str, Page] = {
    "status 500": (500, b"", {}),
    "without a token": (200, b"[]", {}),
    "larger": (200, b" " * (2 << 20), {}),
    "a token without": (200, b'{"access_token": "a\\nb"}', {}),
}


def test_without_a_token_there_is_no_request(tmp_path: Path) -> None:
    with Target() as target:
        section = f"oauth2: {{client_id: me, client_secret: hushhush, token_url: '{target.url('/token')}'}}"
        with JsonExporter(tmp_path, modules(token=section)) as exporter:
            for reason, page in UNUSABLE.items():
                target.pages["/token"] = page
                answer = exporter.probe(target.url("/echo"), "token")

                assert answer.status == 503, reason
                assert "hushhush" not in answer.body
            assert {request[1] for request in target.requests} == {"/token"}
            forms = [dict(urllib.parse.parse_qsl(request[3])) for request in target.requests]
            assert forms[1]["client_secret"] == "hushhush", "what refuses the header gets it in the form"


def test_a_proxy_is_asked_and_gets_its_own_headers(tmp_path: Path) -> None:
    pages: dict[str, Page] = {"http://target.example/x": (200, GOOD, {}), "/direct": (200, GOOD, {})}
    with Target(pages) as proxy:
        where = f"http://me:hushhush@127.0.0.1:{proxy.server_port}"
        told = modules(proxied=f"proxy_url: '{where}'", listed=f"proxy_url: '{where}', no_proxy: 'a, b'")
        with JsonExporter(tmp_path, told) as exporter:
            for name in ("proxied", "listed"):
                assert exporter.probe("http://target.example/x", name).status == 200
                assert proxy.requests[-1][2]["Proxy-Authorization"] == "Basic bWU6aHVzaGh1c2g="
            assert exporter.probe(proxy.url("/direct"), "listed").status == 200
            assert proxy.requests[-1][1] == "/direct"
            answer = exporter.probe("https://target.example/x", "proxied")
            assert (answer.status, "the proxy answers with status 501" in answer.body) == (503, True)
            assert "hushhush" not in answer.body + exporter.output
