"""Files of every kind, damaged: refused with a place and a reason in one line, or understood.

SOAK=1 plays TIMES as much.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podmates_metrics import changes
from podmates_metrics.converting.statsd import convert
from podmates_metrics.converting.verb import converted
from podmates_metrics.documents import load, parse
from podmates_metrics.json_exporter.core import modules
from podmates_metrics.native.file import decode, shape
from podmates_metrics.presets.load import preset
from podmates_metrics.statsd import mapping
from podmates_metrics.tailing import state
from podmates_metrics.tree import Fault, Table, Tree
from podmates_metrics.trial.run import NoTrial
from podmates_metrics.trial.web import tried
from podmates_metrics.webconfig import decode as decode_web
from tests.support.fuzzing import often, refusal

MAPPING = """
defaults: {observer_type: histogram, histogram_options: {buckets: [.1, 1]}, ttl: 5m, match_type: glob}
mappings:
- {match: "a.*.*", name: "a_$1", labels: {ll: "${2}_x"}, match_metric_type: counter, scale: 0.5, help: H}
- {match: '^b\\.(\\w+)$', match_type: regex, name: b, action: drop, honor_labels: true}
- match: c.*
  name: c
  observer_type: summary
  summary_options: {quantiles: [{quantile: 0.9, error: 0.01}], max_age: 30s, age_buckets: 3, buf_cap: 100}
- {match: d, name: d, histogram_options: {buckets: [1, 2], native_histogram_bucket_factor: 1.1}}
"""
NATIVE = """
sources:
  page: {http: {url: "http://h:1/p", format: csv, separator: ";", timeout: 5s, headers: {A: b}}}
  lines: {log: {paths: [/var/log/*.log], format: regex, pattern: '(?P<x>\\w+) (?P<value>.*)', from: start}}
  app: {statsd: {udp: ":9125", tcp: ":9126"}}
  jvm: {jmx: {target: "h:9999"}}
  tool: {command: {argv: [/bin/x, y], format: keyvalue}}
  sock: {socket: {connect: "tcp://h:1", send: "mntr\\n", preset: zookeeper_mntr}}
defaults: {ttl: 5m}
limits: {series_per_family: 10, series_total: 1000, label_value_length: 9}

rules:
- {from: page, match: {name: "{n}*"}, name: "a_{n}_ms", type: counter, labels: {l: "{n}"}, value: "{value}"}
- {from: lines, match: {text: '~(?P<y>.*)'}, name: b, type: histogram, value: "{y}", unit: ms, ttl: 1h}
- {from: page, each: "a[*].b", name: c, type: counter, value_map: {UP: 1, "*": 0}, exemplar: {t: "{^.t}"}}
- {from: page, match: {path: x}, action: drop}
otlp: {endpoint: "http://c:4318", interval: 30s, headers: {a: b}, resource: {service.name: s}}
"""
MODULES = """
modules:
  default:
    headers: {X-A: b}
    metrics:
    - {name: a, path: "{ .a[0] }", help: H, labels: {l: "{.b}"}, valuetype: counter, epochTimestamp: "{.t}"}
    - {name: b, type: object, path: "{.c[?(@.d > 1)]}", values: {v: "{.e}", w: 1}, labels: {x: "{.f}"}}
    body: {content: '{{ .x | first }}', templatize: true}
    valid_status_codes: [200, 201]
    http_client_config:
      basic_auth: {username: u, password: p}
      tls_config: {insecure_skip_verify: true, ca_file: /f}
  other:
    http_client_config:
      oauth2: {client_id: i, client_secret: s, token_url: "http://t", scopes: [a], endpoint_params: {k: v}}
"""
# Without what the native form has no words for.
CONVERTIBLE = """
modules:
  default:
    headers: {X-A: b}
    metrics:
    - {name: a, path: "{ .a }", help: H, labels: {ll: "{.b}"}, valuetype: counter}
    - {name: b, type: object, path: "{.c[*]}", values: {v: "{.e}", w: 1}, labels: {x: "{.f}"}}
"""
BEANS = """
hostPort: h:1
lowercaseOutputName: true
rules:
- {pattern: 'k<type=(.*), name=(.*)><>(.*): (.*)', name: "k_$1_$3", value: $4, valueFactor: 3,
   labels: {ll: "$2"}, help: n, type: COUNTER}
- {pattern: '.*', name: all}
"""
WEB = f"""
tls_server_config:
  {{cert_file: a, key_file: b, client_ca_file: c, client_auth_type: VerifyClientCertIfGiven,
   min_version: TLS12, max_version: TLS13, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]}}
http_server_config: {{http2: true, headers: {{X-Frame-Options: deny}}}}
basic_auth_users: {{u: {"$2y$10$" + "a" * 53}}}
"""
PIECES = [
    *"{}[]:,-\n '\"&*!|#%@`~?<>\\\t\x00é$0",
    "\n  ",
    "- ",
    "null",
    "true",
    "1e999",
    "-1",
    ".inf",
    "0x",
    "&a ",
]
PIECES += ["*a", "<<: ", "!!binary ", "? ", "---\n", "9" * 5000, "\ud800", "𝟓", "~(", "{x}", "%"]


def understood(tree: Tree | None) -> None:
    """Look at *tree* as the adapter does with a file of its own kind."""
    told = shape(tree)
    changes.listed(tree)
    if told == "native" and tree is not None:
        decode(tree, preset)


def mapped(tree: Tree | None) -> None:
    mapping.decode(tree)
    with contextlib.suppress(Fault):  # what the native form has no words for
        native = parse(convert(tree))
        assert native is not None
        decode(native)


KINDS: dict[str, tuple[str, Callable[[Tree | None], object]]] = {
    "statsd_exporter": (MAPPING, mapped),
    "native": (NATIVE, understood),
    "json_exporter": (MODULES, modules.decode),
    "web": (WEB, decode_web),
}


@st.composite
def damaged(draw: st.DrawFn, whole: str, most: int = 4) -> str:
    """*whole* with up to *most* places changed: characters, or lines that change places."""
    text = list(whole)
    for _ in range(draw(st.integers(0, most))):
        at = draw(st.integers(0, len(text)))
        if draw(st.booleans()):
            text[at : at + draw(st.integers(0, 6))] = draw(st.sampled_from(PIECES))
            continue
        lines = "".join(text).split("\n")
        one, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        lines[one] = lines[other]
        text = list("\n".join(lines))
    return "".join(text)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=often(60), suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_file_is_refused_with_its_place_or_understood(kind: str, data: st.DataObject) -> None:
    whole, take = KINDS[kind]
    take(parse(whole))
    text = data.draw(damaged(whole))

    told = refusal(lambda: take(parse(text)), Fault)

    assert "\n" not in told
    assert len(told) < 4100


@settings(max_examples=often(60))
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(lambda t: t.encode(errors="surrogatepass")))
def test_a_file_of_noise_is_refused_in_one_line(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "noise.yaml"
    file.write_bytes(content)

    told = refusal(lambda: load(str(file)), Fault)

    assert told.startswith(f"{file}: ") or not told
    assert "\n" not in told
    for _, take in () if told else KINDS.values():
        refusal(lambda take=take: take(load(str(file))), Fault)  # type: ignore[misc]


CONVERTED = {
    "statsd_exporter": MAPPING.replace("max_age: 30s, age_buckets: 3, buf_cap: 100", ""),
    "json_exporter": CONVERTIBLE,
    "jmx_exporter": BEANS,
}


@pytest.mark.parametrize("kind", CONVERTED)
@settings(max_examples=often(60), suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_file_is_converted_to_one_that_loads_or_refused(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / f"{kind}.yaml"
    file.write_text(CONVERTED[kind])
    targets = {"": "http://h:1/p"} if kind == "json_exporter" else {}
    assert converted(str(file), kind, targets)
    file.write_bytes(data.draw(damaged(CONVERTED[kind])).encode(errors="replace"))

    told = refusal(
        lambda: decode(parse(converted(str(file), kind, targets)) or Table({}, {}, 1), preset), Fault
    )

    assert told.startswith(f"{file}: ") or not told
    assert "\n" not in told
    assert "would be wrong" not in told, file.read_text()


SAMPLES = st.sampled_from(["", "a.b.c:1|c\n", "n;value\nx;1\n", '{"a": [{"b": 1}]}', "x 5\n", "a=1"])


@settings(max_examples=often(60), suppress_health_check=[HealthCheck.too_slow])
@given(
    rules=damaged(NATIVE) | damaged(MAPPING) | st.text(max_size=20),
    sample=SAMPLES | st.text(st.characters(), max_size=30),
    source=st.sampled_from(["", "page", "lines", "app", "jvm", "tool", "sock", "x"]),
)
def test_a_trial_gives_a_page_or_says_why_not(rules: str, sample: str, source: str) -> None:
    with contextlib.suppress(Fault, NoTrial):
        tried(rules, sample, source, patience=60).text.encode()


STATE = '{"version": 1, "files": [{"device": 1, "inode": 2, "offset": 3, "size": 4, "digest": "aa"}]}'


@settings(max_examples=often(60))
@given(text=damaged(STATE, 3) | st.text(max_size=20))
def test_a_damaged_state_of_logs_is_told_or_taken(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "state.json"
    file.write_bytes(text.encode(errors="surrogatepass"))

    places, problem = state.load(str(file))

    assert (places is None) == bool(problem)
    assert state.save(str(file), {}) == "" and json.loads(Path(file).read_text())["files"] == []
