"""Presets: files of their own, and keys and rules that a source takes over."""

from __future__ import annotations

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.formats.base import Format
from podmates_metrics.native.file import Native, decode
from podmates_metrics.native.logs import Log
from podmates_metrics.native.pulls import Http, Said, Socket
from podmates_metrics.presets.load import names, preset
from podmates_metrics.tree import Fault

NAMES = (
    "apache_auto", "haproxy_csv", "memcached", "nginx_access_log", "nginx_stub_status", "redis_info",
    "zookeeper_mntr",
)  # fmt: skip


def native(text: str) -> Native:
    tree = parse(text)
    assert tree is not None
    return decode(tree, preset)


def test_there_are_these_presets() -> None:
    assert names() == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_a_rule_file_that_can_be_used_as_it_is(name: str) -> None:
    tree = preset(name)
    assert tree is not None
    native = decode(tree)

    assert len(native.pulls) + len(native.logs) == 1
    assert all(rule.help or rule.action == "drop" for rule in native.rules), "every family is explained"


@pytest.mark.parametrize("name", NAMES)
def test_a_source_takes_its_rules_after_those_of_the_file(name: str) -> None:
    kind = "log" if name == "nginx_access_log" else "http" if name[-1] == "s" and "stub" in name else "socket"
    kind = "http" if name in ("apache_auto", "haproxy_csv") else kind
    found = native(
        f"sources: {{a: {{{kind}: {{preset: {name}}}}}}}\nrules: [{{from: a, match: {{text: x}}, name: y}}]"
    )

    assert [rule.index for rule in found.rules] == list(range(len(found.rules)))
    assert len(found.rules) > 3
    assert {rule.source for rule in found.rules} == {"a"}


def test_keys_of_the_source_beat_those_of_the_preset() -> None:
    [pull] = native(
        "sources: {a: {socket: {connect: 'unix:///run/m', preset: memcached, timeout: 1s}}}"
    ).pulls

    assert pull.via == Socket("/run/m", "", 0, Said("stats\r\n"), b"END\r\n")
    assert (pull.timeout, pull.format) == (1.0, Format("keyvalue", " "))


def test_another_way_takes_only_the_format() -> None:
    text = "sources: {a: {socket: {connect: 'unix:///run/h', send: \"show stat\\n\", preset: haproxy_csv}}}"
    [pull] = native(text).pulls

    assert pull.via == Socket("/run/h", "", 0, Said("show stat\n"))
    assert pull.format == Format("csv", cells="both")


def test_a_format_of_its_own_beats_the_preset_whole() -> None:
    found = native("sources: {a: {http: {preset: nginx_stub_status, format: json}}}")

    assert found.pulls[0].format == Format("json")
    assert found.pulls[0].via == Http("http://localhost/stub_status")


def test_a_log_has_a_preset_too() -> None:
    [log] = native("sources: {a: {log: {paths: [/l], preset: nginx_access_log}}}").logs

    assert isinstance(log, Log)
    assert (log.paths, log.format.kind) == (("/l",), "regex")


def test_a_preset_that_is_not_there_is_named() -> None:
    with pytest.raises(Fault, match=r"sources\.a\.http\.preset: there is no preset \.\./x"):
        native("sources: {a: {http: {preset: ../x}}}")
