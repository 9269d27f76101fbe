"""DogStatsD's extensions and the drawing of globs, as the process has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.adapters import Adapter
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import script
from tests.support.statsd_sender import send_udp

LINES = b"users:alice|s\nusers:bob|s|#\nusers:alice|s\n_e{1,1}:a|b|t:error\n_sc|db|2\na:1|c|#urgent"
WANTED = {
    "users": 2,
    'statsd_events_total{alert_type="error",priority="normal"}': 1,
    'service_check_status{name="db"}': 2,
    'a{urgent="true"}': 1,
    'statsd_exporter_events_total{type="set"}': 3,
}


def test_the_extensions_are_switched_on() -> None:
    with Adapter("--statsd.dogstatsd-extensions") as adapter:
        send_udp(adapter.address, LINES)

        page = adapter.wait_for(WANTED)
    assert not [name for name in page if name.startswith("statsd_exporter_sample_errors_total")]


def test_a_native_statsd_source_has_the_extensions(tmp_path: Path) -> None:
    file, port = tmp_path / "rules.yaml", free_port()
    file.write_text(f"sources: {{app: {{statsd: {{udp: '127.0.0.1:{port}'}}}}}}\n")
    with Adapter(f"--config.file={file}") as adapter:
        send_udp(("127.0.0.1", port), LINES)

        adapter.wait_for({'statsd_exporter_events_total{type="set"}': 3})


@pytest.mark.parametrize("words", [[], ["--check-config"]])
def test_the_globs_are_drawn(tmp_path: Path, words: list[str]) -> None:
    file, drawing = tmp_path / "mapping.yaml", tmp_path / "globs.dot"
    file.write_text("mappings: [{match: a.*, name: one}]")
    flag = f"--statsd.mapping-config={file}"

    if words:
        ended = run([script("podmates-metrics"), flag, f"--debug.dump-fsm={drawing}", *words])
        assert ended.status == 0
    else:
        with Adapter(flag, f"--debug.dump-fsm={drawing}"):
            pass
    assert '[shape=box, label="0: one"]' in drawing.read_text()

    ended = run([script("podmates-metrics"), flag, f"--debug.dump-fsm={tmp_path}", "--check-config"])
    assert ended.status == 0
    assert "debug.dump-fsm" in ended.stderr and "Is a directory" in ended.stderr
