"""The adapter in place of json_exporter, as a process: command line, probes, targets that misbehave."""

from __future__ import annotations

import base64
import gzip
import json
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.adapters import Adapter
from tests.support.json_exporter import JsonExporter, Target, command
from tests.support.moving import put
from tests.support.waiting import until

_CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "support" / "json_cases.jsonl").read_text().splitlines()
]
MODULES = """
modules:
  default:
    headers: {X-Dummy: one}
    metrics: [{name: up, path: '{.up}', labels: {who: '{.who}'}}]
  following:
    http_client_config: {basic_auth: {username: me, password: hushhush}, http_headers: {X-Key: {values: [k]}}}
    metrics: [{name: ok, path: '1', labels: {auth: '{.headers.Authorization}'}}]
  posting:
    body: {content: '{"who": "{{ .who | first }}"}', templatize: true}
    metrics: [{name: ok, path: '1', labels: {method: '{.method}', body: '{.body}'}}]
  strict: {valid_status_codes: [404], metrics: [{name: ok, path: '1'}]}
  wrong: {metrics: [{name: ok, path: '1', type: list}]}
"""
GOOD = b'{"up": true, "who": "x"}'


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    packed = gzip.compress(GOOD)
    pages: dict[str, tuple[int, bytes, dict[str, str]]] = {
        "/good": (200, GOOD, {}),
        "/packed": (200, packed, {"Content-Encoding": "gzip"}),
        "/bomb": (200, gzip.compress(b" " * (40 << 20)), {"Content-Encoding": "gzip"}),
        "/cut": (200, packed[:-9], {"Content-Encoding": "gzip"}),
        "/not-packed": (200, GOOD, {"Content-Encoding": "gzip"}),
        "/empty": (200, b"", {}),
        "/html": (200, b"<html>", {}),
        "/surrogate": (200, b'{"up": 1, "who": "\\ud800"}', {}),
        "/fails": (500, GOOD, {}),
        "/moved": (302, b"", {"Location": "/echo"}),
        "/loop": (302, b"", {"Location": "/loop"}),
        "/astray": (302, b"", {"Location": "http://u:psst@[::1"}),
        "/missing": (404, b"{}", {}),
    }
    with Target(pages) as server:
        yield server


@pytest.fixture(scope="module")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JsonExporter]:
    with JsonExporter(tmp_path_factory.mktemp("json"), MODULES) as process:
        yield process


def test_the_observed_cases_through_one_process(tmp_path: Path) -> None:
    told = [case["config_yaml"].removeprefix("modules:\n") for case in _CASES]
    modules = "modules:\n" + "".join(
        text.replace("  default:", f"  case{number}:", 1) for number, text in enumerate(told)
    )
    pages: dict[str, tuple[int, bytes, dict[str, str]]] = {
        f"/{number}": (case["document_status"], case["document"].encode(), {})
        for number, case in enumerate(_CASES)
    }
    with Target(pages) as server, JsonExporter(tmp_path, modules) as exporter:
        for number, case in enumerate(_CASES):
            where = "" if case["document_path"] is None else server.url(f"/{number}")
            answer = exporter.probe(where, f"case{number}")

            assert answer.status == case["status"], case["id"]
            if answer.status == 200:
                assert answer.body == case["body"], case["id"]
        assert "Traceback" not in exporter.output


STATUSES: dict[str, tuple[str, str, int, str]] = {
    "good": ("/good", "default", 200, 'up{who="x"} 1'),
    "the default module": ("/good", "", 200, 'up{who="x"} 1'),
    "gzip": ("/packed", "default", 200, 'up{who="x"} 1'),
    "half a character": ("/surrogate", "default", 200, 'up{who="\ufffd"} 1'),
    "empty": ("/empty", "default", 200, ""),
    "no JSON": ("/html", "default", 200, ""),
    "unknown module": ("/good", "nope", 400, 'Unknown module "nope"'),
    "status": ("/fails", "default", 503, "ERROR: 500 Internal Server Error"),
    "a redirect": ("/moved", "default", 503, "ERROR: 302 Found"),
    "a redirect without end": ("/loop", "following", 503, "stopped after 10 redirects"),
    "a redirect to nowhere": ("/astray", "following", 503, "ERROR: the address cannot be used"),
    "a status that is wanted": ("/missing", "strict", 200, "ok 1"),
    "a status that is not": ("/good", "strict", 503, "ERROR: 200 OK"),
    "a bomb": ("/bomb", "default", 503, "larger than 33554432 bytes"),
    "cut": ("/cut", "default", 503, "the answer ends too early"),
    "not gzip": ("/not-packed", "default", 503, "gzip and is not"),
    "an unknown type": ("/good", "wrong", 200, ""),
}


@pytest.mark.parametrize("name", STATUSES)
def test_a_probe_has_the_originals_status(target: Target, exporter: JsonExporter, name: str) -> None:
    path, module, status, told = STATUSES[name]

    answer = exporter.probe(target.url(path), module)

    assert answer.status == status
    assert told in answer.body
    assert bool(answer.body) == bool(told)


@pytest.mark.parametrize(
    ("address", "reason"),
    {
        "": "Target parameter is missing",
        "localhost": "unsupported protocol scheme ''",
        "file:///etc/passwd": "unsupported protocol scheme 'file'",
        "http://": "no host in the address",
        "http://h:99999/": "the address cannot be used",
        "http://user:hushhush@127.0.0.1:1/": "TARGET: http://***@127.0.0.1:1/, ERROR: 127.0.0.1:1: Conn",
    }.items(),
)
def test_a_target_that_cannot_be_asked(exporter: JsonExporter, address: str, reason: str) -> None:
    answer = exporter.probe(address)

    assert answer.status == (503 if address else 400)
    assert reason in answer.body
    assert "hushhush" not in answer.body + exporter.output


def test_headers_are_sent_with_a_default_for_accept(target: Target, exporter: JsonExporter) -> None:
    exporter.probe(target.url("/good?q=1"))
    method, path, headers, body = target.requests[-1]

    assert (method, path, body) == ("GET", "/good?q=1", "")
    assert (headers["Accept"], headers["X-Dummy"]) == ("application/json", "one")


def test_redirects_are_followed_and_strangers_get_no_secrets(target: Target, exporter: JsonExporter) -> None:
    answer = exporter.probe(target.url("/moved"), "following")
    assert 'ok{auth="Basic bWU6aHVzaGh1c2g="} 1' in answer.body

    own = target.url("/echo").replace("http://", "http://you:psst@")
    assert 'ok{auth="Basic bWU6aHVzaGh1c2g="} 1' in exporter.probe(own, "following").body, (
        "as in the original"
    )

    with Target() as other:
        target.pages["/away"] = (307, b"", {"Location": other.url("/echo")})
        assert 'ok{auth=""} 1' in exporter.probe(target.url("/away"), "following").body
        assert not {"Authorization", "X-Key"} & set(other.requests[-1][2])


def test_a_body_is_posted_with_what_the_query_says(target: Target, exporter: JsonExporter) -> None:
    answer = exporter.probe(target.url("/echo"), "posting", who="me")
    assert 'ok{body="{\\"who\\": \\"me\\"}",method="POST"} 1' in answer.body
    assert "Content-Type" not in target.requests[-1][2]  # what the body is only the file's headers can tell

    answer = exporter.probe(target.url("/echo"), "posting")
    assert "{{ .who | first }}" in answer.body
    exporter.wait_line("module posting: body: first: ")


def test_a_target_that_hangs_ends_with_the_scrapers_patience(target: Target, exporter: JsonExporter) -> None:
    address = f"http://127.0.0.1:{exporter.web}/probe?target={target.url('/hang')}"
    request = urllib.request.Request(address, headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.5"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    with caught.value as answer:
        assert answer.code == 503
        assert "no answer within 0.25 s" in answer.read().decode()
    assert exporter.probe(target.url("/good")).status == 200


def test_how_probes_went_is_on_the_page_of_metrics(target: Target, exporter: JsonExporter) -> None:
    exporter.probe(target.url("/good"))
    exporter.probe(target.url("/html"))
    page = exporter.get("/metrics").body

    assert 'podmates_probes_total{module="default",outcome="success"}' in page
    assert 'podmates_probes_total{module="default",outcome="not_json"}' in page
    assert "process_resident_memory_bytes" in page
    assert "statsd_exporter" not in page
    exporter.wait_line("module default: document: not JSON")
    assert exporter.get("/").status == 200
    assert exporter.get("/nope").status == 404


def test_a_page_may_say_how_its_probe_went(target: Target, tmp_path: Path) -> None:
    modules = MODULES + "  own: {metrics: [{name: probe_success, path: '7'}]}\n"
    with JsonExporter(tmp_path, modules, "--json.probe-metrics") as exporter:
        good = exporter.probe(target.url("/good")).body
        assert 'up{who="x"} 1' in good
        assert "\nprobe_success 1\n" in good
        assert "probe_duration_seconds 0." in good
        for path in ("/html", "/fails"):
            answer = exporter.probe(target.url(path))
            assert (answer.status, "\nprobe_success 0\n" in answer.body) == (200, True), path
        own = exporter.probe(target.url("/good"), "own").body
        assert own.count("# TYPE probe_success ") == 1
        assert exporter.probe(target.url("/good"), "nope").status == 400
    with Adapter(f"--config.file={exporter.file}", "--json.probe-metrics") as adapter:
        assert "probe_success 0" in adapter.get(f"/probe?target={target.url('/fails')}").text


# What servers may take for /good, as they decode, cut parameters off, or know other slashes.
UP = (
    "/below/..%2Fgood",
    "/below/%252e%252e%252fgood",
    "/below/a/..%2F..%2Fgood",
    "/below/..;/good",
    "/below/..%3Bx/good",
    "/below/..%5Cgood",
    "/below/..%00/good",
    "/below%2F..%2Fgood",
    "/below/%25252525252e%25252525252e/good",
)
BELOW = ("/below/a%2Fb", "/below/a..b", "/below/100%25", "/below/%C3%A9;v=1")


def test_targets_may_be_limited_and_redirects_with_them(target: Target, tmp_path: Path) -> None:
    target.pages["/below/x"] = target.pages["/good"]
    target.pages["/below/out"] = (302, b"", {"Location": "/good"})
    for path in (*UP, *BELOW):
        target.pages[path] = target.pages["/good"]
    start = target.url("/below")
    with JsonExporter(tmp_path, MODULES, f"--json.allow-target={start}") as exporter:
        for path in ("/below/x", *BELOW):
            assert exporter.probe(target.url(path)).status == 200, path
        for path in ("/good", "/belowx", "/below/../good", "/below/%2e%2e/good", *UP):
            answer = exporter.probe(target.url(path))
            assert (answer.status, "not a target that is allowed" in answer.body) == (503, True), path
        assert "not a target that is allowed" in exporter.probe(target.url("/below/out"), "following").body
        assert exporter.probe(start.replace("http://", "http://user@")).status == 503, "no page there"


def test_a_page_is_what_prometheus_reads(target: Target, exporter: JsonExporter) -> None:
    odd = 'a"b\\c\nd é'
    target.pages["/odd"] = (200, json.dumps({"up": 1e21, "who": odd}).encode(), {})
    (family,) = text_string_to_metric_families(exporter.probe(target.url("/odd")).body)

    assert [(sample.labels, sample.value) for sample in family.samples] == [({"who": odd}, 1e21)]


def test_the_web_port_may_ask_for_a_password(target: Target, tmp_path: Path) -> None:
    config = tmp_path / "web.yml"
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    config.write_text(f"basic_auth_users: {{me: '{hashed}'}}\n")
    with JsonExporter(tmp_path, MODULES, f"--web.config.file={config}") as exporter:
        assert exporter.probe(target.url("/good")).status == 401
        assert exporter.get("/metrics").status == 401
        where = f"http://127.0.0.1:{exporter.web}/probe?target={target.url('/good')}"
        told = {"Authorization": "Basic " + base64.b64encode(b"me:secret").decode()}
        with urllib.request.urlopen(urllib.request.Request(where, headers=told), timeout=30) as answer:
            assert answer.status == 200

    config.write_text("basic_auth_users: 5\n")
    ended = command(tmp_path, f"--config.file={exporter.file}", f"--web.config.file={config}")
    assert (ended.status, str(config) in ended.stderr) == (1, True)


def test_a_file_is_read_again_on_sighup_and_a_bad_one_is_not_taken(target: Target, tmp_path: Path) -> None:
    with JsonExporter(tmp_path, MODULES) as exporter:
        put(exporter.file, "modules: 5")
        exporter.send(signal.SIGHUP)
        exporter.wait_line("configuration not loaded")
        assert exporter.probe(target.url("/good")).status == 200

        put(exporter.file, "modules: {other: {metrics: [{name: o, path: '2'}]}}")
        exporter.send(signal.SIGHUP)
        until(lambda: "o 2" in exporter.probe(target.url("/good"), "other").body, 30, "the new module")
        assert exporter.probe(target.url("/good")).status == 400
        assert exporter.stop() == 0


def test_its_modules_are_served_beside_all_else(target: Target, tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text(MODULES + "colour: red\n")
    with Adapter(f"--config.file={file}") as adapter:
        answer = adapter.get(f"/probe?target={target.url('/good')}")
        assert (answer.status, 'up{who="x"} 1' in answer.text) == (200, True)
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4; charset=utf-8")
        adapter.wait_for({'podmates_probes_total{module="default",outcome="success"}': 1})
        adapter.wait_line("colour: unknown, without effect")
    with Adapter() as adapter:
        assert adapter.get("/probe?target=x").status == 404
