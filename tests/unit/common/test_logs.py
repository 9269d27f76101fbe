"""One event is one line, in either form, and holds no secret."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from podmates_common import logs
from podmates_common.redact import Redactor

log = logging.getLogger("podmates.test")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers[:], logging.raiseExceptions = handlers, raising
    root.setLevel(level)


def configured(form: str, redactor: Redactor | None = None) -> io.StringIO:
    stream = io.StringIO()
    logs.setup(form=form, redactor=redactor, stream=stream)
    return stream


def test_json_has_the_message_and_the_fields() -> None:
    stream = configured("json")
    log.info("ready listen=%s", "x:1", extra={"fields": {"tries": 3, "who": "me"}})

    entry: dict[str, Any] = json.loads(stream.getvalue())
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "info",
        "logger": "podmates.test",
        "message": "ready listen=x:1",
        "tries": 3,
        "who": "me",
    }


@pytest.mark.parametrize("form", ["json", "logfmt", "text"])
def test_an_event_is_one_line_whatever_it_holds(form: str) -> None:
    stream = configured(form)
    log.warning("peer sent %s", "a\nFAKE line\r\x1b[31m\u2028")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        log.exception("failed")

    assert len(stream.getvalue().splitlines()) == 2
    assert stream.getvalue().count("\n") == 2
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "logfmt", "text"])
def test_secrets_are_masked_wherever_they_stand(form: str) -> None:
    redactor = Redactor()
    redactor.add('hunter"2')
    stream = configured(form, redactor)
    log.info('tried hunter"2', extra={"fields": {"url": "http://me:pw@host/x"}})
    try:
        raise ValueError('no hunter"2')
    except ValueError:
        log.exception("failed")

    assert "hunter" not in stream.getvalue()
    assert "pw" not in stream.getvalue()
    assert "http://***@host/x" in stream.getvalue()


def test_logfmt_quotes_what_is_more_than_a_word() -> None:
    stream = configured("logfmt")
    log.info("ready now", extra={"fields": {"tries": 3, "who": "me", "nobody": "", "sum": "a=b"}})

    line = stream.getvalue().split(" ", 1)[1]
    assert line == ('level=info logger=podmates.test msg="ready now" tries=3 who=me nobody="" sum="a=b"\n')


def test_below_the_level_nothing_is_written() -> None:
    stream = configured("text")
    log.debug("detail")

    assert stream.getvalue() == ""


def test_a_lasting_trouble_is_logged_when_it_begins_changes_and_ends() -> None:
    stream, now = configured("text"), iter([0.0, 12.0])
    condition = logs.Condition(log, "master", clock=lambda: next(now))
    for reason in ("refused", "refused", "refused", "timed out"):
        condition.fail(reason)
    condition.ok()
    condition.ok()

    texts = [line.split(" ", 2)[2].strip() for line in stream.getvalue().splitlines()]
    assert texts == ["master: refused", "master: timed out", "master: works again after 12.0 s, tries=4"]


def test_a_flood_of_one_kind_of_line_is_thinned_out_and_others_pass() -> None:
    now = [0.0]
    rated = logs.Rated(2.0, clock=lambda: now[0])

    def record(line: int, text: str) -> logging.LogRecord:
        return logging.LogRecord("x", logging.WARNING, "x.py", line, "said %s", (text,), None)

    passed = [rated.filter(record(1, str(number))) for number in range(1000)]
    assert sum(passed) == 50 and all(passed[:50])
    assert rated.filter(record(2, "another place"))
    now[0] += 0.5
    late = record(1, "late")
    assert rated.filter(late) and not rated.filter(record(1, "too soon"))
    assert late.getMessage() == "said late (left out before: 950 like it)"
    now[0] += 1000
    again = record(1, "again")
    assert rated.filter(again)
    assert again.getMessage() == "said again (left out before: 1 like it)"
    assert sum(rated.filter(record(1, "x")) for _ in range(1000)) == 49


def test_nobody_waits_for_a_reader_of_the_log_that_stands_still() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with open(writing, "w", encoding="utf-8") as stream:
        logs.setup(stream=stream)
        _fill(writing)
        os.set_blocking(writing, True)
        waiting = threading.Thread(target=_write_three, daemon=True)
        waiting.start()
        waiting.join(30)
        stuck = waiting.is_alive()
        os.read(reading, 1 << 20)
        waiting.join(30)
        assert not stuck

        for word in ("long", "longer"):
            log.info("%s", word * 5000)
        log.info("short")
        lines = os.read(reading, 1 << 20).decode().splitlines()
        left_out = "lines left out, since nobody read the log"
        assert f"3 {left_out}" in lines[0] and lines[1].endswith("long" * 5000)
        assert f"1 {left_out}" in lines[2] and lines[3].endswith("short") and len(lines) == 4
    os.close(reading)


def _write_three() -> None:
    for number in range(3):
        log.info("unread %d", number)


def _fill(pipe: int) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(pipe, b"x")
