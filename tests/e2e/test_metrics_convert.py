"""The verb convert as a process: what it prints is a file that the adapter loads and serves."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.adapters import Adapter
from tests.support.json_exporter import Target
from tests.support.jvm import Jvm
from tests.support.processes import run
from tests.support.programs import script

MAPPING = "mappings: [{match: 'a.*', name: 'a_$1', labels: {what: $1}, ttl: 1m}]"


def test_what_is_printed_is_a_file_that_loads(tmp_path: Path) -> None:
    old, new = tmp_path / "mapping.yaml", tmp_path / "rules.yaml"
    old.write_text(MAPPING)

    ended = run([script("podmates-metrics"), "convert", old])

    assert (ended.status, ended.stderr) == (0, "")
    new.write_text(ended.stdout)
    checked = run([script("podmates-metrics"), "check", f"--config.file={new}"])
    assert (checked.status, "rules: 0 for StatsD, 1 native" in checked.stdout) == (0, True)


def test_what_cannot_be_converted_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file.yaml"
    for text, reason in (
        ("modules: {}", "there is no module in it"),
        ("sources: {}", "a file of native; want one of statsd_exporter, jmx_exporter, json_exporter"),
        ("{lowercaseOutputName: true}", "hostPort or jmxUrl is missing: say which JVM it is for by --target"),
        ("mappings: [{match: a, name: b, scale: 0}]", "line 1: mappings[0].scale"),
        ("- a", "want a table"),
    ):
        file.write_text(text)
        ended = run([script("podmates-metrics"), "convert", file])

        assert (ended.status, ended.stdout) == (2, "")
        assert f"{file}: " in ended.stderr
        assert reason in ended.stderr
    bad = (
        (),
        ("a", "b"),
        ("--bogus",),
        ("--kind=other", "a"),
        ("--target=a", "--target=b", "c"),
        ("--target=", "c"),
    )
    for argv in bad:
        assert run([script("podmates-metrics"), "convert", *argv]).status == 2


def test_a_file_of_the_agent_is_converted_for_the_jvm_that_is_said(tmp_path: Path) -> None:
    beans = str(Path(__file__).parents[1] / "support" / "jmx_beans.tsv")
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    rule = {"pattern": "name=(.*)><>Count", "name": "Seen", "labels": {"who": "$1"}}
    old.write_text(
        json.dumps({"lowercaseOutputName": True, "includeObjectNames": ["awk.dup:*"], "rules": [rule]})
    )
    with Jvm("Constant", arguments=[beans]) as jvm:
        ended = run([script("podmates-metrics"), "convert", f"--target={jvm.address}", old])
        assert (ended.status, ended.stderr) == (0, "")
        new.write_text(ended.stdout)
        with Adapter(f"--config.file={new}") as adapter:
            found = adapter.wait_for({'seen{who="three"}': -5, 'seen{who="one"}': 1})

    assert found['podmates_rule_matches_total{rule="0",source="jvm"}'] >= 3
    assert not [name for name in found if name.startswith("awk_")]


def test_modules_are_converted_for_the_page_that_is_said(tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text("modules: {shop: {metrics: [{name: orders, path: '{.orders.open}'}]}}")
    with Target({"/status": (200, b'{"orders": {"open": 3}}', {})}) as target:
        url = target.url("/status")
        ended = run([script("podmates-metrics"), "convert", f"--target=shop={url}", old])
        assert (ended.status, ended.stderr) == (0, "")
        new.write_text(ended.stdout)
        with Adapter(f"--config.file={new}") as adapter:
            adapter.wait_for({"orders": 3})


def test_the_kind_of_a_file_can_be_said(tmp_path: Path) -> None:
    file = tmp_path / "file.yaml"
    file.write_text("rules: []")
    argv = [script("podmates-metrics"), "convert", "--target=localhost:9999"]

    assert run([*argv, file]).status == 2
    assert "unmapped: drop" in run([*argv, "--kind=jmx_exporter", file]).stdout
