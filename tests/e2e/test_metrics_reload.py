"""Configuration files are taken up while the adapter runs: when they change, and when somebody asks."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.adapters import Adapter
from tests.support.given import Given
from tests.support.moving import put
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import script
from tests.support.statsd_sender import send_udp
from tests.support.waiting import until
from tests.support.web_server import Reply, WebServer

_GOOD = "podmates_config_last_reload_successful"
_RELOADS = 'statsd_exporter_config_reloads_total{outcome="%s"}'


def native(*sources: str, rules: str = "") -> str:
    return "sources: {" + ", ".join(sources) + "}\n" + (f"rules: [{rules}]\n" if rules else "")


def page(name: str, url: str) -> str:
    return f"{name}: {{http: {{url: '{url}/'}}}}"


def publish(volume: Path, text: str) -> None:
    """Write the volume's one file as Kubernetes does: a new directory, and a link that is swapped."""
    number = len(list(volume.glob("..2*")))
    (volume / f"..2026_{number}").mkdir(parents=True)
    (volume / f"..2026_{number}" / "rules.yaml").write_text(text)
    (volume / "..next").symlink_to(f"..2026_{number}")
    (volume / "..next").rename(volume / "..data")
    if not (volume / "rules.yaml").is_symlink():
        (volume / "rules.yaml").symlink_to("..data/rules.yaml")


def test_a_config_map_that_changes_is_taken_up_by_itself(tmp_path: Path) -> None:
    with WebServer(lambda _: Reply(body=b'{"n": 3}')) as server:
        publish(tmp_path, native(page("app", server.url), rules="{match: {path: n}, name: one}"))
        with Adapter(f"--config.file={tmp_path}") as adapter:
            adapter.wait_for({"one": 3, _GOOD: 1})

            publish(tmp_path, native(page("app", server.url), rules="{match: {path: n}, name: two}"))
            found = adapter.wait_for({"two": 3})

            assert "one" not in found
            line = adapter.wait_line("configuration loaded.*").group()
            assert 'added="series two" removed="series one"' in line


def test_a_wrong_file_leaves_all_as_it_was_until_it_is_mended(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    with WebServer(lambda _: Reply(body=b'{"n": 3}')) as server:
        put(file, native(page("app", server.url)))
        with Adapter(f"--config.file={file}", "--web.enable-lifecycle") as adapter:
            adapter.wait_for({"app_n": 3})

            put(file, "sources: {app: {htp: {}}}")
            adapter.wait_for({"app_n": 3, _GOOD: 0, _RELOADS % "failure": 1})
            adapter.wait_line("configuration not loaded, the old one stays")
            answer = adapter.get("/-/reload?strict=1", "POST")
            assert (answer.status, f"{file}: line 1: sources.app.htp" in answer.text) == (500, True)

            put(file, native(page("other", server.url)))
            found = adapter.wait_for({"other_n": 3, _GOOD: 1})
            assert "app_n" not in found
            assert 'podmates_source_up{source="app"}' not in found


def test_sources_that_stay_the_same_go_on_and_all_shapes_of_files_are_read_again(tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.yaml" for name in ("native", "mapping", "modules")}
    with WebServer(lambda _: Reply(body=b'{"n": 3}')) as server:
        put(files["native"], native(page("app", server.url)))
        put(files["mapping"], "mappings: [{match: a.*, name: before}, {match: b.*, name: same}]")
        put(files["modules"], "modules: {default: {metrics: [{name: before, path: '{.n}'}]}}")
        with Adapter(f"--config.file={tmp_path}", "--no-config.watch") as adapter:
            send_udp(adapter.address, b"a.x:1|c\nb.x:1|c")
            asked = 'podmates_records_total{source="app"}'
            before = adapter.wait_for({"before": 1, "same": 1, "app_n": 3})[asked]
            probe = f"/probe?target={server.url}/"
            assert "before 3" in adapter.get(probe).text

            for file in files.values():
                put(file, file.read_text().replace("before", "after"))
            put(files["native"], native(page("app", server.url), page("more", server.url)))
            adapter.send(signal.SIGHUP)
            adapter.wait_for({_RELOADS % "success": 1, "more_n": 3})
            line = adapter.wait_line("configuration loaded.*").group()
            send_udp(adapter.address, b"a.x:1|c")

            found = adapter.wait_for({"after": 1, "before": 1})
            assert found[asked] > before
            assert "after 3" in adapter.get(probe).text
            assert 'moved=1 such_as="a.x: before -> after"' in line
            assert "source more" in line


def test_modules_may_come_and_go(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    with (
        WebServer(lambda _: Reply(body=b'{"n": 3}')) as server,
        Adapter(f"--config.file={tmp_path}") as adapter,
    ):
        probe = f"/probe?target={server.url}/"
        assert adapter.get(probe).status == 404
        put(file, "modules: {default: {metrics: [{name: made, path: '{.n}'}]}}")
        until(lambda: "made 3" in adapter.get(probe).text, 60, "the module")
        file.unlink()
        until(lambda: adapter.get(probe).status == 404, 60, "the module to go")


def test_what_needs_a_restart_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    put(file, "sources: {lines: {statsd: {udp: '127.0.0.1:0'}}}")
    with Adapter(f"--config.file={file}", "--web.enable-lifecycle", "--no-config.watch") as adapter:
        put(file, "sources: {lines: {statsd: {udp: '127.0.0.1:1'}}}")

        answer = adapter.get("/-/reload?strict=1", "POST")

        assert (answer.status, "needs a restart" in answer.text) == (500, True)


def test_a_file_that_only_got_another_date_changes_nothing_that_lasts(tmp_path: Path) -> None:
    file = tmp_path / "mapping.yaml"
    put(file, "mappings: [{match: a.*, name: one}]")
    with Adapter(f"--statsd.mapping-config={file}", "--statsd.mapping-watch") as adapter:
        send_udp(adapter.address, b"a.x:1|c")
        adapter.wait_for({"one": 1})

        os.utime(file, (1, 1))
        adapter.wait_for({_RELOADS % "success": 1})
        send_udp(adapter.address, b"a.x:1|c")

        adapter.wait_for({"one": 2})
        line = adapter.wait_line("configuration loaded.*").group()
        assert "changed=" not in line
        assert "moved=" not in line


@pytest.mark.parametrize("verb", ["run", "json"])
def test_a_file_that_is_never_read_to_its_end_does_not_hold_up_the_end(tmp_path: Path, verb: str) -> None:
    given, port = Given(tmp_path), free_port()
    flags = [f"--config.file={given.name}", f"--web.listen-address=127.0.0.1:{port}"]
    flags += ["--statsd.listen-udp=", "--statsd.listen-tcp="] if verb == "run" else []
    with Process([*given.by, script("podmates-metrics"), verb, *flags]) as adapter:
        with given.path.open("w") as writer:
            writer.write("modules: {default: {metrics: [{name: n, path: '{.n}'}]}}")
        adapter.wait_line("ready")
        with given.path.open("w"):
            adapter.send(signal.SIGHUP)
            given.wait_read(adapter.pid)
            assert adapter.stop() == 0
