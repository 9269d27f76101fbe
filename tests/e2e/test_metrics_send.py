"""The verb `send`: to every listener of a running adapter, from words and from standard input."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from tests.e2e.adapters import Adapter
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import script

COMMAND = (script("podmates-metrics"), "send")


def send(*words: str, lines: bytes = b"") -> tuple[int, bytes]:
    """Return exit status and standard error of `send` with *lines* on standard input."""
    ended = subprocess.run([*COMMAND, *words], input=lines, capture_output=True, timeout=60, check=False)
    assert ended.stdout == b""
    return ended.returncode, ended.stderr


def test_lines_are_sent_as_they_are() -> None:
    with Adapter() as adapter:
        flag, value = "--statsd.listen-udp", f"127.0.0.1:{adapter.lines}"

        assert send("a.b:1|c|#x:y", "c:2|g", "é:1|c", f"{flag}={value}") == (0, b"")
        assert run([*COMMAND, "d:3|g"], env={"PODMATES_METRICS_STATSD_LISTEN_UDP": value}).status == 0
        adapter.wait_for({'a_b{x="y"}': 1, "c": 2, "d": 3, "_": 1})


def test_each_listener_gets_them(tmp_path: Path) -> None:
    gram, stream = tmp_path / "gram", tmp_path / "stream"
    flags = (f"--statsd.listen-unixgram={gram}", f"--statsd.listen-unix={stream}")
    with Adapter(*flags) as adapter:
        own = [*flags, *(f"--statsd.listen-{way}=127.0.0.1:{adapter.lines}" for way in ("udp", "tcp"))]
        for way in ("udp", "tcp", "unixgram", "unix"):
            assert send(*own, f"--by={way}", f"{way}:1|c", "all:1|c") == (0, b"")
        adapter.wait_for({"udp": 1, "tcp": 1, "unixgram": 1, "unix": 1, "all": 4})


def test_without_a_word_about_it_the_first_listener_that_is_on_gets_them(tmp_path: Path) -> None:
    stream = tmp_path / "stream"
    off = ("--statsd.listen-udp=", "--statsd.listen-tcp=")
    with Adapter(*off, f"--statsd.listen-unix={stream}") as adapter:
        assert send(*off, f"--statsd.listen-unix={stream}", "a:1|c") == (0, b"")
        adapter.wait_for({"a": 1})


@pytest.mark.parametrize("way", ["udp", "tcp"])
def test_lines_of_standard_input_are_sent(way: str) -> None:
    lines = b"".join(b"n:1|c|#number:%d\n\n" % (number % 7) for number in range(2000)) + b"last:1|c"
    with Adapter() as adapter:
        address = f"--statsd.listen-{way}=127.0.0.1:{adapter.lines}"

        assert send(address, f"--by={way}", "-", lines=lines) == (0, b"")
        page = adapter.wait_for({"last": 1, "statsd_exporter_lines_total": 2001})
        assert sum(value for name, value in page.items() if name.startswith("n{")) == 2000


def test_a_line_is_sent_before_the_next_is_there() -> None:
    with Adapter() as adapter:
        words = [*COMMAND, f"--statsd.listen-udp=127.0.0.1:{adapter.lines}", "-"]
        with subprocess.Popen(words, stdin=subprocess.PIPE) as sender:
            assert sender.stdin is not None
            sender.stdin.write(b"first:1|c\nsec")
            sender.stdin.flush()
            adapter.wait_for({"first": 1})
            sender.stdin.write(b"ond:1|c\n")
            sender.stdin.close()
            assert sender.wait(60) == 0
        adapter.wait_for({"second": 1})


def test_every_type_is_sent_by_its_name_with_rate_and_tags() -> None:
    with Adapter("--statsd.dogstatsd-extensions") as adapter:
        flag = f"--statsd.listen-tcp=127.0.0.1:{adapter.lines}"
        for words in (
            ("--type=counter", "hits"),
            ("--type=counter", "--rate=0.5", "--tag=route:cart", "--tag=new", "hits", "2", "3"),
            ("--type", "gauge", "depth", "-4"),
            ("--type=gauge", "--relative", "depth", "-1.5"),
            ("--type=timer", "--rate=0.1", "took", "250"),
            ("--type=histogram", "size", "7"),
            ("--type=distribution", "spread", "1", "2"),
            ("--type=set", "online", "ann", "bob", "ann"),
        ):
            assert send(flag, "--by=tcp", *words) == (0, b""), words
        wanted = {"hits": 1, 'hits{new="true",route="cart"}': 10, "depth": -5.5, "took_sum": 2.5}
        adapter.wait_for({**wanted, "took_count": 10, "size_sum": 7, "spread_count": 2, "online": 2})


FAULTS = {
    ("--statsd.listen-udp=no-such-host.invalid:9125", "a:1|c"): "no-such-host.invalid:9125",
    (): "want lines, or - for those of standard input",
    ("--statsd.listen-udp=", "--statsd.listen-tcp=", "a:1|c"): "there is nothing to send to",
    (
        "--by=tcp",
        "--statsd.listen-tcp=",
        "a:1|c",
    ): "there is nothing to send to: --statsd.listen-tcp is empty",
    ("--by=pigeon", "a:1|c"): "--by=pigeon: want one of udp, tcp, unixgram, unix",
    ("--by=unix", "--statsd.listen-unix=/nowhere/at/all", "a:1|c"): "No such file or directory",
    ("--type=metre", "a"): "--type=metre: want one of counter, gauge",
    ("--type=gauge", "a"): "a gauge wants a value",
    ("--rate=0.5", "a:1|c"): "--rate wants --type beside it",
    ("--bogus", "a:1|c"): "unknown long flag '--bogus'",
    ("--statsd.listen-udp=nowhere", "a:1|c"): "--statsd.listen-udp",
}


@pytest.mark.parametrize(("words", "reason"), FAULTS.items(), ids=lambda part: str(part)[:40])
def test_why_it_cannot_is_said_in_one_line(words: tuple[str, ...], reason: str) -> None:
    status, told = send(*words)

    assert (status, told.count(b"\n")) == (1, 1), told
    assert reason in told.decode()


@pytest.mark.parametrize("way", ["udp", "tcp"])
def test_where_nobody_listens_it_fails(way: str) -> None:
    told = send(f"--statsd.listen-{way}=127.0.0.1:{free_port()}", f"--by={way}", "a:1|c")

    assert told[0] == 1
    assert b"Connection refused" in told[1]


def test_a_stream_that_nobody_reads_to_its_end_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = [*COMMAND, f"--statsd.listen-tcp=127.0.0.1:{server.getsockname()[1]}", "--by=tcp", "a:1|c"]
        with subprocess.Popen(words, stderr=subprocess.PIPE) as sender:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(100) == b"a:1|c\n"
                connection.sendall(b"HTTP/1.1 400 Bad Request")
            assert sender.stderr is not None
            told = sender.stderr.read()
        assert (sender.wait(60), b"no StatsD server" in told) == (1, True)


def test_a_line_without_an_end_is_not_gathered_for_ever() -> None:
    status, told = send(f"--statsd.listen-udp=127.0.0.1:{free_port()}", "-", lines=b"x" * 200_000)

    assert (status, b"longer than 65535 bytes" in told) == (1, True)


def test_help_is_about_this_verb() -> None:
    ended = run([*COMMAND, "--help"])

    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.startswith("usage: podmates-metrics send")
