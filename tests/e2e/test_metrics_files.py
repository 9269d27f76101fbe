"""Foreign files that a native one names: loaded in the same process, and read again with it."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.adapters import Adapter
from tests.support.moving import put
from tests.support.processes import run
from tests.support.programs import script
from tests.support.statsd_sender import send_udp
from tests.support.web_server import Reply, WebServer

RULES = """
sources: {page: {http: {url: "%s/"}}}
rules: [{from: page, match: {path: n}, name: page_n}]
files: [foreign/mapping.yaml, foreign/modules.yaml]
"""
MAPPING = "mappings: [{match: 'a.*', name: %s, labels: {what: $1}}]"
GOOD = "podmates_config_last_reload_successful"
MODULES = "modules: {default: {metrics: [{name: probed, path: '{.n}'}]}}"


def test_foreign_files_run_beside_native_sources_and_are_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "foreign"
    folder.mkdir()
    put(folder / "mapping.yaml", MAPPING % "before")
    put(folder / "modules.yaml", MODULES)
    with WebServer(lambda _: Reply(body=b'{"n": 3}')) as server:
        put(tmp_path / "rules.yaml", RULES % server.url)
        with Adapter(f"--config.file={tmp_path / 'rules.yaml'}") as adapter:
            send_udp(adapter.address, b"a.x:1|c")
            adapter.wait_for({'before{what="x"}': 1, "page_n": 3})
            assert "probed 3" in adapter.get(f"/probe?target={server.url}/").text

            put(folder / "mapping.yaml", MAPPING % "after")
            line = adapter.wait_line("configuration loaded.*").group()
            assert 'added="series after" removed="series before"' in line
            send_udp(adapter.address, b"a.x:1|c")
            adapter.wait_for({'after{what="x"}': 1, "page_n": 3})

            put(folder / "mapping.yaml", "mappings: [{match: b, name: b, bogus: 1}]")
            line = adapter.wait_line("configuration not loaded, the old one stays.*").group()
            assert f"{tmp_path}/rules.yaml: {folder}/mapping.yaml: line 1: mappings[0].bogus" in line
            send_udp(adapter.address, b"a.x:1|c")
            adapter.wait_for({'after{what="x"}': 2, "podmates_config_last_reload_successful": 0})


def test_try_and_check_read_them_too(tmp_path: Path) -> None:
    put(tmp_path / "mapping.yaml", MAPPING % "a")
    put(tmp_path / "rules.yaml", "files: [mapping.yaml]")
    (tmp_path / "sample").write_text("a.x:2|c")
    rules = tmp_path / "rules.yaml"

    tried = run([script("podmates-metrics"), "try", rules, f"--input={tmp_path / 'sample'}"])
    checked = run([script("podmates-metrics"), "check", f"--config.file={rules}"])

    assert (tried.status, 'a{what="x"} 2' in tried.stdout) == (0, True)
    assert (checked.status, "rules: 1 for StatsD, 0 native" in checked.stdout) == (0, True)


def test_a_trial_over_http_reads_no_file(tmp_path: Path) -> None:
    with Adapter("--web.enable-lifecycle") as adapter:
        answer = adapter.post("/-/try", '{"rules": "files: [/etc/passwd]", "sample": ""}')

    assert (answer.status, "files are not read here" in answer.text) == (422, True)


def test_a_file_that_is_named_before_it_is_there_is_taken_up_when_it_comes(tmp_path: Path) -> None:
    put(tmp_path / "rules.yaml", "sources: {}")
    with Adapter(f"--config.file={tmp_path / 'rules.yaml'}") as adapter:
        adapter.wait_for({GOOD: 1})
        put(tmp_path / "rules.yaml", "{sources: {}, files: [mapping.yaml]}")
        adapter.wait_for({GOOD: 0})

        put(tmp_path / "mapping.yaml", "mappings: [{match: 'a.*', nam: odd}]")
        adapter.wait_for({GOOD: 0, 'statsd_exporter_config_reloads_total{outcome="failure"}': 2})
        put(tmp_path / "mapping.yaml", MAPPING % "named")
        adapter.wait_for({GOOD: 1, "statsd_exporter_loaded_mappings": 1})


def test_a_wrong_file_that_comes_to_a_folder_is_taken_up_when_it_is_mended_in_place(tmp_path: Path) -> None:
    with Adapter(f"--config.file={tmp_path}") as adapter:
        (tmp_path / "mapping.yaml").write_text("mappings: [{match: 'a.*', nam: odd}]")
        adapter.wait_for({GOOD: 0})

        (tmp_path / "mapping.yaml").write_text(MAPPING % "named")
        adapter.wait_for({GOOD: 1, "statsd_exporter_loaded_mappings": 1})
