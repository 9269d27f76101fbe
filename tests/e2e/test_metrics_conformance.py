"""What was observed of statsd_exporter's sockets, paths and signals holds for the process."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.adapters import Adapter
from tests.support import statsd_cases
from tests.support.given import Given
from tests.support.statsd_cases import Case
from tests.support.statsd_sender import send_udp
from tests.support.waiting import until
from tests.unit.metrics.test_statsd_conformance import CASES as INSIDE

CASES = {case["id"]: case for case in statsd_cases.cases() if case["id"] not in INSIDE}


class Played:
    """An adapter that does what the steps of a case say, on sockets in *folder*."""

    def __init__(self, case: Case, folder: Path) -> None:
        self._file, self._socket = folder / "mapping.yaml", folder / "statsd.sock"
        self._target = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._target.bind(("127.0.0.1", 0))
        self._target.settimeout(30)
        flags = [
            flag.replace("{unixgram}", str(self._socket)).replace(
                "{relay}", f"127.0.0.1:{self._target.getsockname()[1]}"
            )
            for flag in case.get("flags", [])
        ]
        if "config_yaml" in case:
            self._file.write_text(case["config_yaml"])
            flags.append(f"--statsd.mapping-config={self._file}")
        self.adapter = Adapter(*flags)

    def close(self) -> None:
        self._target.close()

    def play(self, step: dict[str, Any]) -> None:
        """Do what *step* says, and wait for what it wants."""
        if "send" in step:
            self._send(step)
        elif "write_config" in step:
            self._file.write_text(step["write_config"])
        elif "signal" in step:
            self.adapter.send(getattr(signal, step["signal"]))
        elif "http" in step:
            self._ask(step["http"])
        elif "exits" in step:
            assert self.adapter.wait() == step["exits"]
        elif "file_mode" in step:
            assert oct(self._socket.stat().st_mode & 0o777) == step["file_mode"]
        elif "relay_receives" in step:
            assert [self._target.recv(100).decode() for _ in step["relay_receives"]] == step["relay_receives"]
        else:
            path = "/metrics"
            until(
                lambda: not statsd_cases.problems(step, statsd_cases.read(self.adapter.get(path).text)),
                what=f"{step} on the page of {self.adapter.output}",
            )

    def _send(self, step: dict[str, Any]) -> None:
        packets = [packet.encode() for packet in step["send"]]
        if step.get("transport") == "unixgram":
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                for packet in packets:
                    sender.sendto(packet, str(self._socket))
        else:
            send_udp(self.adapter.address, *packets)

    def _ask(self, wanted: dict[str, Any]) -> None:
        answer = self.adapter.get(wanted["path"], wanted.get("method", "GET"))
        assert answer.status == wanted.get("status", answer.status)
        assert answer.text == wanted.get("body", answer.text)
        assert wanted.get("body_contains", "") in answer.text
        assert answer.headers.get("Content-Type", "").startswith(wanted.get("content_type", ""))


@pytest.mark.parametrize("name", CASES)
def test_the_process_does_what_the_original_does(name: str, tmp_path: Path) -> None:
    played = Played(CASES[name], tmp_path)
    try:
        with played.adapter:
            for step in statsd_cases.steps(CASES[name]):
                played.play(step)
    finally:
        played.close()


def test_a_wish_to_reload_during_the_start_is_kept(tmp_path: Path) -> None:
    file, given = tmp_path / "mapping.yaml", Given(tmp_path)
    file.write_text("mappings: [{match: a.*, name: two}]")
    flags = f"--web.config.file={given.name}", f"--statsd.mapping-config={file}"
    adapter = Adapter(*flags, by=given.by)
    with given.path.open("w"):  # reading it holds the start
        given.wait_read(adapter.pid)
        adapter.send(signal.SIGHUP)

    with adapter:
        adapter.wait_for({'statsd_exporter_config_reloads_total{outcome="success"}': 1})
        send_udp(adapter.address, b"a.x:1|c")
        adapter.wait_for({"two": 1})


def test_a_unix_stream_takes_lines_and_frames(tmp_path: Path) -> None:
    path = tmp_path / "statsd.sock"
    flags = (f"--statsd.listen-unix={path}", "--statsd.unixsocket-mode=700")
    frame = b"framed:1|c\nframed:2|c|#a:b"
    with Adapter(*flags) as adapter:
        for pieces in (
            (b"li", b"nes:1|c\r\nlines:2|c"),
            (len(frame).to_bytes(4, "little") + frame[:5], frame[5:] + b"\x08"),
            (b"\xff\xff\xff\x00never:1|c\n",),
            (b"a" * 5000,),
        ):
            with socket.socket(socket.AF_UNIX) as sender:
                sender.connect(str(path))
                for piece in pieces:
                    sender.sendall(piece)
        own = "podmates_statsd_unix_"
        wanted = {"lines": 3, "framed": 1, 'framed{a="b"}': 2, f"{own}connections_total": 4}
        page = adapter.wait_for(wanted | {f"{own}too_long_total": 2})

        assert "never" not in page
        assert path.stat().st_mode & 0o777 == 0o700
        adapter.send(signal.SIGKILL)
        adapter.wait()

    with Adapter(*flags, "--statsd.listen-udp=", "--statsd.listen-tcp=") as adapter:
        assert adapter.stop() == 0
    assert not path.exists()


def test_a_changed_mapping_file_is_taken_up_and_what_moves_is_said(tmp_path: Path) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text("mappings: [{match: a.*, name: one}]")
    with Adapter(f"--statsd.mapping-config={file}", "--statsd.mapping-watch") as adapter:
        send_udp(adapter.address, b"a.x:1|c")
        adapter.wait_for({"one": 1})
        fresh = tmp_path / "fresh.yaml"
        fresh.write_text("mappings: [{match: a.*, name: two}]")
        fresh.rename(file)  # at once, as a ConfigMap changes

        adapter.wait_for({'statsd_exporter_config_reloads_total{outcome="success"}': 1})
        adapter.wait_line("moved=1 such_as=.*a.x: one -> two")
        send_udp(adapter.address, b"a.x:1|c")
        adapter.wait_for({"one": 1, "two": 1})
