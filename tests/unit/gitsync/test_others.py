"""What others would print as plain text is a line of the log."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from podmates_common.redact import Redactor
from podmates_gitsync.reports import others
from podmates_gitsync.reports.logs import Log


class Heard:
    def __init__(self) -> None:
        self.stream, redactor = io.StringIO(), Redactor()
        redactor.add("hunter2")
        others.listen(Log(stream=self.stream, redactor=redactor))

    def line(self) -> dict[str, Any]:
        return dict(json.loads(self.stream.getvalue()))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)  # to have it back
    handlers = list(logging.getLogger().handlers)
    yield Heard()
    logging.getLogger().handlers[:] = handlers


def test_a_thread_that_dies_is_a_line_with_its_name(heard: Heard) -> None:
    def die() -> None:
        raise LookupError("password hunter2")

    thread = threading.Thread(target=die, name="http")
    thread.start()
    thread.join(30)
    line = heard.line()

    assert (line["msg"], line["error"], line["thread"]) == (
        "thread died",
        "LookupError: password ***",
        "http",
    )
    assert any(part.endswith("in die") for part in line["trace"])
    assert "hunter2" not in heard.stream.getvalue()


def test_what_a_library_warns_of_is_a_line_and_what_it_notes_is_none(heard: Heard) -> None:
    logging.getLogger("aiohttp.server").info("nothing")
    try:
        raise KeyError("x")
    except KeyError:
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", "::1")
    line = heard.line()

    assert (line["msg"], line["error"]) == ("Error handling request from ::1", "KeyError: 'x'")
    assert line["library"] == "aiohttp.server"
