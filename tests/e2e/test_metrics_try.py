"""Rules are tried: by the verb, with an exit status for CI, and by the web port."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest

from tests.e2e.adapters import Adapter
from tests.support.processes import run
from tests.support.programs import script

RULES = """\
sources: {shop: {http: {url: "http://127.0.0.1:1/status"}}}
rules:
- match: {path: "requests.{verb}"}
  name: http_requests_total
  type: counter
  labels: {verb: "{verb}"}
- each: mode
  name: shop_mode
  value_map: {normal: 0, closed: 1}
"""
GOOD = {"requests": {"get": 3}, "mode": "normal", "other": 1}
PAGE = 'http_requests_total{verb="get"} 3\nshop_mode 0\n'


def write(folder: Path, **files: str) -> dict[str, str]:
    for name, text in files.items():
        (folder / name).write_text(text)
    return {name: str(folder / name) for name in files}


def test_a_good_trial_prints_a_page_with_notes_and_ends_with_0(tmp_path: Path) -> None:
    names = write(tmp_path, rules=RULES, sample=json.dumps(GOOD), wanted=f"# a comment\n\n{PAGE}")
    flags = [f"--input={names['sample']}", f"--expect={names['wanted']}", "--from=shop"]

    ended = run([script("podmates-metrics"), "try", names["rules"], *flags])

    assert (ended.status, ended.stderr) == (0, "")
    assert [line for line in ended.stdout.splitlines() if not line.startswith("#")] == PAGE.splitlines()
    assert "# rules[0] http_requests_total: 1 record\n#   requests.get\n" in ended.stdout
    assert "# no rule: 1 record\n#   other\n" in ended.stdout


def test_the_sample_comes_from_standard_input_without_a_file(tmp_path: Path) -> None:
    names = write(tmp_path, rules=RULES)

    command = [script("podmates-metrics"), "try", names["rules"]]
    ended = subprocess.run(command, input=json.dumps(GOOD), capture_output=True, text=True, timeout=60)

    assert (ended.returncode, PAGE.splitlines()[0] in ended.stdout) == (0, True)


BAD = {
    "a record that its rule cannot use": ({"mode": "odd"}, "", 1, "#   unmapped_value: odd"),
    "nothing came of it": ({}, "", 1, ""),
    "a series too much and one too few": (GOOD, "shop_mode 1\n", 1, "expected and not there: shop_mode 1"),
}


@pytest.mark.parametrize(("sample", "wanted", "status", "text"), BAD.values(), ids=BAD)
def test_a_bad_trial_ends_with_1_and_says_why(
    tmp_path: Path, sample: object, wanted: str, status: int, text: str
) -> None:
    names = write(tmp_path, rules=RULES, sample=json.dumps(sample), wanted=wanted)
    flags = [f"--input={names['sample']}", *([f"--expect={names['wanted']}"] if wanted else [])]

    ended = run([script("podmates-metrics"), "try", names["rules"], *flags])

    assert ended.status == status
    assert text in ended.stdout + ended.stderr


UNUSABLE = {
    "a key that is unknown": ("rules: [{nam: x}]", [], "rules: line 1: rules[0].nam: field nam not found"),
    "no JSON": (RULES, [], "the sample: this is not JSON"),
    "a source that is not there": (RULES, ["--from=x"], "there is no source x"),
    "no source": ("rules: [{name: x}]", [], "which source does the sample come from?"),
    "a foreign file": ("modules: {}", [], "a file of json_exporter"),
    "no sample": (RULES, ["--input=/nowhere"], "/nowhere: No such file"),
    "two files": (RULES, ["another"], "want one rule file"),
    "a flag that is unknown": (RULES, ["--verbose"], "unknown long flag '--verbose'"),
}


@pytest.mark.parametrize(("rules", "flags", "text"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_tried_ends_with_2_and_one_line(
    tmp_path: Path, rules: str, flags: list[str], text: str
) -> None:
    names = write(tmp_path, rules=rules, sample="{")
    flags = (
        flags if any(flag.startswith("--input") for flag in flags) else [*flags, f"--input={names['sample']}"]
    )

    ended = run([script("podmates-metrics"), "try", names["rules"], *flags])

    assert (ended.status, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert text in ended.stderr


def test_the_web_port_tries_rules_when_it_may() -> None:
    with Adapter("--web.enable-lifecycle") as adapter:
        answer = adapter.post("/-/try", json.dumps({"rules": RULES, "sample": json.dumps(GOOD)}))
        assert (answer.status, answer.headers["X-Try"]) == (200, "good")
        assert PAGE.splitlines()[0] in answer.text
        assert "# rules[0] http_requests_total: 1 record\n" in answer.text

        bad = adapter.post(
            "/-/try", json.dumps({"rules": RULES, "sample": '{"mode": "odd"}', "from": "shop"})
        )
        assert (bad.status, bad.headers["X-Try"]) == (200, "bad")
        for body, status, text in (
            ("{", 400, "want a JSON object"),
            (json.dumps({"rules": 1, "sample": ""}), 400, "want a JSON object"),
            (json.dumps({"rules": RULES, "sample": "", "file": "x"}), 400, "want a JSON object"),
            (json.dumps({"rules": "rules: [{nam: x}]", "sample": ""}), 422, "field nam not found"),
            (json.dumps({"rules": "rules: \ud800", "sample": ""}), 422, "line 1: '\\ud800' is no character"),
            (json.dumps({"rules": RULES, "sample": "", "from": "\ud800"}), 422, "no source ?"),
            (json.dumps({"rules": _bomb(), "sample": ""}), 422, "too large"),
            (json.dumps({"rules": RULES, "sample": "x" * 70_000}), 413, ""),
        ):
            refused = adapter.post("/-/try", body)
            assert (refused.status, text in refused.text) == (status, True), body[:80]
        assert adapter.get("/-/try").status == 405
        assert "Traceback" not in adapter.output


def _bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    return "\n".join(lines)


def test_whoever_leaves_in_the_middle_of_a_question_is_no_failure() -> None:
    with Adapter("--web.enable-lifecycle") as adapter:
        head = b"POST /-/try HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"
        with socket.create_connection(("127.0.0.1", adapter.web), 30) as connection:
            connection.sendall(head)
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")  # it reads on now
            connection.sendall(b"{")
        assert adapter.post("/-/try", "{").status == 400
        assert adapter.stop() == 0
        assert "Traceback" not in adapter.output


def test_the_web_port_tries_nothing_unless_it_may() -> None:
    with Adapter() as adapter:
        assert adapter.post("/-/try", "{}").status == 404


def test_lines_that_no_series_came_of_make_a_bad_trial(tmp_path: Path) -> None:
    rules = "sources: {app: {statsd: {udp: ':1'}}}\nrules: [{match: {metric: 'a.{x}'}, name: a_total}]\n"
    names = write(tmp_path, rules=rules, sample="a.b:1|c\na.b:2|c\nnonsense\n")

    ended = run([script("podmates-metrics"), "try", names["rules"], f"--input={names['sample']}"])

    assert (ended.status, ended.stderr) == (1, "")
    assert "\na_total 3\n" in ended.stdout
    assert "# rules[0] a_total: 2 records\n" in ended.stdout
    assert "# malformed_line: 1 of the lines\n" in ended.stdout


def test_lines_of_a_log_and_a_preset_are_tried(tmp_path: Path) -> None:
    log = "sources: {web: {log: {preset: nginx_access_log}}}"
    line = '::1 - - [26/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl"\n'
    names = write(tmp_path, rules=log, sample=line * 2)

    ended = run([script("podmates-metrics"), "try", names["rules"], f"--input={names['sample']}"])

    assert 'nginx_access_requests_total{method="GET",status="200"} 2\n' in ended.stdout
    assert "nginx_access_sent_bytes_total 10\n" in ended.stdout
    assert ended.status == 0, ended.stdout
    names = write(tmp_path, rules=log, sample="nonsense\n")
    ended = run([script("podmates-metrics"), "try", names["rules"], f"--input={names['sample']}"])
    assert (ended.status, "1 lines could not be read as regex" in ended.stdout) == (1, True)


def test_a_mapping_file_is_tried_with_lines(tmp_path: Path) -> None:
    mapping = 'mappings: [{match: "a.*", name: a_total, labels: {what: $1}}]'
    names = write(tmp_path, rules=mapping, sample="a.b:1|c\na.b:2|c\nother:1|c\n")

    ended = run([script("podmates-metrics"), "try", names["rules"], f"--input={names['sample']}"])

    assert (ended.status, ended.stderr) == (0, "")
    assert 'a_total{what="b"} 3\n' in ended.stdout
    assert ended.stdout.endswith("# map: 2 events\n# unmapped: 1 events\n")
