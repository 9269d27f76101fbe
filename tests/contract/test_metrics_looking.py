"""Files of the web port are looked at for as long as it is there, whatever keeps one look from its end."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from podmates_common.admin import About
from podmates_metrics import access, command, config
from podmates_metrics.access import Access
from podmates_metrics.app import App
from podmates_metrics.jmx_exporter.encryption import Encryption
from podmates_metrics.jmx_exporter.serving import Serving
from podmates_metrics.keystores.store import PEM, Store
from podmates_metrics.statsd import hot
from podmates_metrics.webconfig import WebConfig
from tests.support.certificates import Authority


def test_stores_that_no_thread_could_read_are_read_at_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: object) -> None:
        raise RuntimeError("can't start new thread")

    certificate, store = Authority(tmp_path).issue("server"), tmp_path / "store.pem"
    store.write_bytes(Path(certificate.file).read_bytes() + Path(certificate.key).read_bytes())
    serving = Serving(Encryption(own=Store(str(store), "", PEM)))
    before = serving.context

    async def body() -> None:
        os.utime(store, ns=(1, 1))
        await serving.look()  # it may still be being written
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            with pytest.raises(RuntimeError):
                await serving.look()
        assert serving.context is before
        await serving.look()
        assert serving.context is not before

    asyncio.run(body())


def test_users_that_could_not_be_read_are_read_at_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def read(_: str) -> WebConfig:
        raise OSError("not now")

    caplog.set_level("INFO")
    file = tmp_path / "web.yaml"
    file.write_text("")
    subject = Access(str(file))

    async def body() -> None:
        file.write_text("http_server_config: {}\n")
        await subject.look()
        with monkeypatch.context() as patch:
            patch.setattr(access, "read", read)
            with pytest.raises(OSError, match="not now"):
                await subject.look()
        await subject.look()

    asyncio.run(body())
    assert "web configuration loaded" in caplog.text


def test_a_look_that_fails_is_told_and_not_the_last(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop, looks = asyncio.Event(), list[object]()

    async def look(subject: object) -> None:
        looks.append(subject)
        if len(looks) == 3:
            stop.set()
        raise RuntimeError("hidden42")

    monkeypatch.setattr(Access, "look", look)
    flags = ["--web.listen-address=127.0.0.1:0", "--statsd.listen-tcp=", "--statsd.listen-udp=127.0.0.1:0"]
    settings = command.load(command.words(flags), {}).settings
    files = config.read(settings, {})

    async def body() -> None:
        app = App(settings, files, hot, About("a", "1", {"parser": "python"}), read=lambda: files)
        async with asyncio.timeout(60):
            await app.run(stop)

    asyncio.run(body())
    assert caplog.text.count("looking at the web port's files: RuntimeError") == 1
    assert "hidden42" not in caplog.text
