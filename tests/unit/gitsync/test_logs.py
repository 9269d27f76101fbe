"""A line of the log is one JSON object with git-sync's keys in its order, and holds no secret."""

from __future__ import annotations

import io
import json
from typing import Any

from podmates_common.redact import Redactor
from podmates_gitsync.reports.logs import Log


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_info_line_has_its_level_before_the_message() -> None:
    stream = io.StringIO()
    Log(stream=stream).info(0, "update required", ref="main", paths=["a"])

    (line,) = lines(stream)
    assert list(line) == ["logger", "ts", "caller", "level", "msg", "ref", "paths"]
    assert line["caller"]["file"] == "test_logs.py"
    assert (line["logger"], line["level"], line["paths"]) == ("", 0, ["a"])


def test_an_error_line_has_no_level_and_its_reason_after_the_message() -> None:
    stream = io.StringIO()
    log = Log(stream=stream)
    log.error(ValueError("why"), "error syncing repo, will retry", failCount=1)
    log.error(None, "no reason")

    first, second = lines(stream)
    assert list(first) == ["logger", "ts", "caller", "msg", "error", "failCount"]
    assert (first["error"], second["error"]) == ("why", None)


def test_lines_above_the_verbosity_are_left_out() -> None:
    stream = io.StringIO()
    log = Log(2, stream=stream)
    log.info(2, "seen")
    log.info(3, "not seen")

    assert [line["msg"] for line in lines(stream)] == ["seen"]


def test_a_named_log_tells_no_observer() -> None:
    seen: list[tuple[str, str | None]] = []
    stream = io.StringIO()
    log = Log(stream=stream).observed(lambda message, error, _: seen.append((message, error)))
    log.error("bad", "message")
    log.named("exechook").error("bad", "hook failed")

    assert seen == [("message", "bad")]
    assert [line["logger"] for line in lines(stream)] == ["", "exechook"]


def test_secrets_and_credentials_in_urls_are_masked_wherever_they_stand() -> None:
    redactor, stream = Redactor(), io.StringIO()
    redactor.add('pass"word')
    seen: list[object] = []
    log = Log(redactor=redactor, stream=stream).observed(lambda *told: seen.append(told))
    log.info(0, "x", url="https://user:token@host/r", flags=['--x=pass"word'])
    log.error('git said pass"word', "y", words=['pass"word'], more={"url": "https://token@host"})

    for text in (stream.getvalue(), str(seen)):
        assert "token" not in text
        assert "word" not in text.replace("words", "")


def test_a_log_that_nobody_can_take_stops_nothing() -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    seen: list[str] = []
    log = Log(stream=Broken()).observed(lambda message, *_: seen.append(message))
    log.info(0, "x")
    log.error("why", "y")

    assert seen == ["y"]


def test_a_log_that_is_closed_and_all_made_from_it_say_nothing_more() -> None:
    seen, stream = list[str](), io.StringIO()
    log = Log(9, stream=stream)
    observed = log.bound(repo="a").observed(lambda message, *_: seen.append(message))
    hook = observed.named("hook")
    log.close()
    for each in (log, observed, hook, hook.bound(b="c")):
        each.error("why", "x")
        each.info(0, "y")

    assert (seen, stream.getvalue()) == ([], "")
