"""json_exporter's files: defaults, what is refused, what is passed over and told."""

from __future__ import annotations

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.json_exporter.core.client import Authorization, Basic, Client
from podmates_metrics.json_exporter.core.modules import Module, Modules, decode
from podmates_metrics.json_exporter.core.secrets import Hidden
from podmates_metrics.json_exporter.requests import Unsendable, own_headers, secret_headers
from podmates_metrics.tree import Fault


def read(inside: str) -> Modules:
    return decode(parse("modules:\n  default:\n" + "".join(f"    {line}\n" for line in inside.splitlines())))


def default(inside: str) -> Module:
    return read(inside).by_name["default"]


def test_defaults_are_those_of_the_original() -> None:
    (metric,) = default("metrics: [{name: m, path: '{.a}'}]").metrics

    assert (metric.kind, metric.help, metric.each, metric.lenient) == ("untyped", "m", None, False)
    assert default("metrics: []").client == Client(follow_redirects=False)
    assert default("http_client_config: {}").client.follow_redirects
    assert not default("http_client_config: {follow_redirects: false}").client.follow_redirects


def test_an_empty_file_and_an_empty_module_are_valid() -> None:
    assert decode(None).by_name == {}
    assert decode(parse("modules:\n  a:\n  b: {}\n")).by_name == {"a": Module("a"), "b": Module("b")}


def test_unknown_keys_are_passed_over_and_told_with_their_place() -> None:
    notes = read(
        "metrics:\n- {name: m, path: '{.a}', epochTimestamp: '{.t}'}\ncolour: red\n"
        "http_client_config: {tls_config: {shade: 1}}"
    ).notes

    assert notes == (
        "line 4: modules.default.metrics[0].epochTimestamp: unknown, without effect",
        "line 6: modules.default.http_client_config.tls_config.shade: unknown, without effect",
        "line 5: modules.default.colour: unknown, without effect",
    )


def test_a_path_that_cannot_be_read_is_told_and_does_not_keep_it_from_starting() -> None:
    told = read("metrics: [{name: m, path: '{.a[', labels: {x: '{'}}]")

    assert len(told.by_name["default"].metrics) == 1
    assert told.notes[0].endswith("metrics[0].path: '{.a[' cannot be read: unterminated array")
    assert told.notes[1].endswith("metrics[0].x: '{' cannot be read: unclosed action")


def test_a_body_that_cannot_be_read_is_told() -> None:
    told = read("body: {content: '{{ .x', templatize: true}")

    assert told.notes == ("line 3: modules.default.body.content: sent as it stands, for {{ without its }}",)


def test_an_unknown_type_makes_its_module_yield_nothing() -> None:
    module = default("metrics: [{name: a, path: '1'}, {name: b, path: '1', type: list}]")

    assert module.metrics == ()
    assert module.fault == "Unknown metric type: 'list', for metric: 'b'"


REFUSED = {
    "metrics: 5": "modules.default.metrics: want a list",
    "metrics: [{path: '{.a}'}]": "metrics[0].name: a metric needs a name",
    "metrics: [{name: m, labels: {__a: x}}]": "'__a' cannot be the name of a label",
    "metrics: [{name: m, labels: {a-b: x, a.b: y}}]": "two names are equal",
    "metrics: [{name: m, allow_missing_key: 3}]": "cannot unmarshal !!int `3` into bool",
    "valid_status_codes: [abc]": "valid_status_codes: cannot unmarshal !!str `abc`",
    'headers: {X: "a\\nb"}': "headers: 'X' cannot be sent as a header",
    "headers: {'X: secret': a}": "headers: a name that is no header's",
    "body: {content: '{{ env `HOME` }}', templatize: true}": "body.content: {{ env `HOME` }}: env is not",
    "http_client_config: {bearer_token: a, bearer_token_file: b}": "at most one of bearer_token & bearer",
    "http_client_config: {bearer_token: a, basic_auth: {}}": "at most one of basic_auth & bearer_token",
    "http_client_config: {authorization: {type: Basic}}": 'cannot be set to "basic"',
    "http_client_config: {tls_config: {min_version: TLS09}}": "unknown TLS version: TLS09",
    "http_client_config: {tls_config: {cert_file: a}}": "exactly one of cert and key",
    "http_client_config: {http_headers: {Date: {values: [x]}}}": "setting this header is not allowed",
    "http_client_config: {http_headers: {X: {values: 5}}}": "X.values: want a list of texts",
    "http_client_config: {basic_auth: {password_ref: x}}": "there is no manager of secrets",
    "http_client_config: {proxy_url: 'socks5://p'}": "proxy_url: want the address of an HTTP proxy",
    "http_client_config: {no_proxy: h}": "no_proxy: if no_proxy is configured, proxy_url must also",
    "http_client_config: {proxy_from_environment: true, no_proxy: h}": "no_proxy must not be configured",
    "http_client_config: {proxy_from_environment: true, proxy_url: 'http://p'}": "proxy_url must not be",
    "http_client_config: {proxy_connect_header: {X: [y]}}": "proxy_url or proxy_from_environment must also",
    "http_client_config: {oauth2: {client_id: x}}": "oauth2.token_url: oauth2 token_url must be configured",
    "http_client_config: {oauth2: {token_url: x}}": "oauth2 client_id must be configured",
    "http_client_config: {oauth2: {client_id: x, token_url: x}}": "want an address with http or https",
    "http_client_config: {oauth2: {grant_type: jwt}}": "want client_credentials with a secret",
    "http_client_config: {oauth2: {}, basic_auth: {}}": "at most one of basic_auth & oauth2",
    (
        "http_client_config: {oauth2: {token_url: http://b, client_id: a,"
        " client_secret: c, client_secret_file: d}}"
    ): ("at most one of client_secret"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.items(), ids=[text[:50] for text in REFUSED])
def test_what_cannot_be_had_is_refused_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(Fault) as caught:
        read(text)

    assert reason in str(caught.value)
    assert str(caught.value).startswith("line ")


def test_secrets_show_themselves_to_nobody() -> None:
    module = default(
        "http_client_config:\n  basic_auth: {username: me, password: hush}\n"
        "  http_headers: {X-Key: {secrets: [hush]}}\n  tls_config: {key: hush, cert: c}\n"
    )

    assert "hush" not in repr(module)
    assert module.client.auth == Basic(Hidden("me"), Hidden("hush"))


def test_headers_are_those_of_the_file_with_accept_and_secrets_read_now(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    file = tmp_path_factory.mktemp("s") / "token"
    module = default(f"headers: {{X: '1'}}\nhttp_client_config: {{bearer_token_file: '{file}'}}")

    assert dict(own_headers(module))["Accept"] == "application/json"
    with pytest.raises(Unsendable, match="No such file"):
        secret_headers(module.client)
    for token in ("first", "second"):
        file.write_text(token + "\n")
        assert secret_headers(module.client) == [("Authorization", f"Bearer {token}")]
    file.write_text("a\nb")
    with pytest.raises(Unsendable, match="the value of Authorization cannot be sent"):
        secret_headers(module.client)


def test_other_schemes_of_authorization_are_sent_as_written() -> None:
    module = default("http_client_config: {authorization: {type: Token, credentials: abc}}")

    assert module.client.auth == Authorization("Token", Hidden("abc"))
    assert secret_headers(module.client) == [("Authorization", "Token abc")]
