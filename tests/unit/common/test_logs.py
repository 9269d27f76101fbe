"""One event is one line, in either form, and holds no secret."""

from __future__ import annotations

import io
import json
import logging
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
