"""What sources do with servers, files and programs that are well, odd, slow and gone."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from podmates_metrics.sources import files
from tests.support.metrics_sources import Talk, scrape, scraped, serving, source
from tests.support.waiting import until


def sending(*parts: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return talk


def asked_for(wanted: bytes, answer: bytes, *, stay: bool = False) -> Talk:
    def talk(connection: socket.socket) -> None:
        got = b""
        while len(got) < len(wanted):
            got += connection.recv(4096)
        connection.sendall(answer if got == wanted else b"? 1\n")
        while stay and connection.recv(4096):
            pass

    return talk


def over_tcp(port: int, more: str) -> str:
    return f"sources: {{s: {{socket: {{connect: 'tcp://127.0.0.1:{port}', format: keyvalue, {more}}}}}}}"


SOCKETS = {
    "to the end": (asked_for(b"stats\r\n", b"a 1\r\nb 2\r\n"), 'send: "stats\\r\\n"'),
    "to a terminator": (
        asked_for(b"stats\r\n", b"a 1\r\nb 2\r\nEND\r\nmore 3\r\n", stay=True),
        'send: "stats\\r\\n", until: "END\\r\\n"',
    ),
    "a terminator in pieces": (sending(b"a 1\nb 2\n.", b".", b".", b"x 4\n"), 'until: "..."'),
    "of a size": (asked_for(b"", b"a 1\r\nb 2\r\nmore 3\r\n", stay=True), "size: 8"),
}


@pytest.mark.parametrize("name", SOCKETS)
def test_a_socket_is_read(name: str) -> None:
    talk, keys = SOCKETS[name]
    with serving(talk) as port:
        assert scrape(over_tcp(port, keys)) == (["s_a 1", "s_b 2"], "")


def test_a_unix_socket_is_read_with_a_request_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "request"
    secret.write_text("AUTH x\n")
    with serving(asked_for(b"AUTH x\n", b"a=1\n"), tmp_path / "socket"):
        found = scrape(
            f"sources: {{s: {{socket: {{connect: 'unix://{tmp_path}/socket', format: keyvalue,"
            f" send: {{file: {secret}}}}}}}}}"
        )
    assert found == (["s_a 1"], "")


def hang(connection: socket.socket) -> None:
    connection.recv(1)


BAD_SOCKETS = {
    "ends early": (sending(b"a 1\n"), 'until: "END"', "the connection ended in the answer, after 4 bytes"),
    "is too large": (sending(b"a 1\n" * 1000), "max_size: 1000", "the answer is larger than 1000 bytes"),
    "says nothing": (hang, "timeout: 100ms", "no answer within 0.1 s"),
    "is something else": (sending(b"-NOAUTH\r\n"), "separator: ':'", "none of its 1 lines could be read"),
    "needs a secret": (hang, "send: {file: /nonexistent}", "/nonexistent: No such file or directory"),
}


@pytest.mark.parametrize("name", BAD_SOCKETS)
def test_a_socket_that_gives_less_is_a_problem(name: str) -> None:
    talk, keys, reason = BAD_SOCKETS[name]
    with serving(talk) as port:
        series, problem = scrape(over_tcp(port, keys))

    assert series == []
    assert reason in problem


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert scrape(over_tcp(port, "timeout: 20s")) == ([], f"127.0.0.1:{port}: Connection refused")
    gone = f"sources: {{s: {{socket: {{connect: 'unix://{tmp_path}/gone', format: keyvalue}}}}}}"
    assert scrape(gone) == ([], f"{tmp_path}/gone: No such file or directory")


def test_the_last_answer_counts_for_a_while_where_it_is_told() -> None:
    async def body(keys: str) -> list[list[str]]:
        with serving(sending(b"a 1\n")) as port:
            kept = source(over_tcp(port, keys))
            first = await scraped(kept)
        second = await scraped(kept)
        assert kept.problem
        return [first, second]

    assert asyncio.run(body("stale_after: 1h")) == [["s_a 1"], ["s_a 1"]]
    assert asyncio.run(body("timeout: 20s")) == [["s_a 1"], []]


def in_files(folder: Path, more: str = "") -> str:
    return f"sources: {{s: {{file: {{paths: ['{folder}/*.kv'], format: keyvalue, {more}}}}}}}"


def test_files_are_read_when_they_change(tmp_path: Path) -> None:
    async def body() -> None:
        files = source(in_files(tmp_path))
        assert (await scraped(files), files.problem) == ([], "no file is there")
        (tmp_path / "a.kv").write_text("a=1\n")
        (tmp_path / "b.kv").write_text("b=1\n")
        assert (await scraped(files), files.problem) == (["s_a 1", "s_b 1"], "")
        records = files.totals()["podmates_records_total"]
        assert (await scraped(files), files.totals()["podmates_records_total"]) == (
            ["s_a 1", "s_b 1"],
            records,
        )
        (tmp_path / "new").write_text("a=22\n")
        (tmp_path / "new").rename(tmp_path / "a.kv")
        assert await scraped(files) == ["s_a 22", "s_b 1"]
        (tmp_path / "a.kv").rename(tmp_path / "away")
        assert await scraped(files) == ["s_b 1"]
        (tmp_path / "b.kv").rename(tmp_path / "b")
        assert (await scraped(files), files.problem) == ([], "no file is there")
        (tmp_path / "b").rename(tmp_path / "b.kv")
        assert (await scraped(files), files.problem) == (["s_b 1"], "")

    asyncio.run(body())


def test_what_is_wrong_with_a_file_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "good.kv").write_text("a=1\n")
    (tmp_path / "old.kv").write_text("b=1\n")
    os.utime(tmp_path / "old.kv", (1, 1))
    assert scrape(in_files(tmp_path, "stale_after: 1h")) == (
        ["s_a 1"],
        f"{tmp_path}/old.kv: not written for more than 3600 s",
    )
    assert scrape(in_files(tmp_path)) == (["s_a 1", "s_b 1"], "")
    (tmp_path / "old.kv").write_text("nonsense\n")
    assert scrape(in_files(tmp_path)) == (["s_a 1"], "none of its 1 lines could be read as keyvalue")
    (tmp_path / "old.kv").unlink()
    os.mkfifo(tmp_path / "old.kv")
    assert scrape(in_files(tmp_path)) == (["s_a 1"], f"{tmp_path}/old.kv: not a file")


def test_a_file_that_is_too_large_leaves_the_others(tmp_path: Path) -> None:
    for name, text in {"a": "a=1\n", "b": "b=12345\n", "c": "c=1\n", "d": "d=1\n"}.items():
        (tmp_path / f"{name}.kv").write_text(text)
    told = f"{tmp_path}/%s.kv: the files are larger than %d bytes"
    assert scrape(in_files(tmp_path, "max_size: 12")) == (["s_a 1", "s_b 12345"], told % ("c", 12))
    assert scrape(in_files(tmp_path, "max_size: 11")) == (["s_a 1", "s_c 1"], told % ("b", 11))
    assert scrape(in_files(tmp_path, "max_size: 3")) == ([], told % ("a", 3))


def test_more_files_than_allowed_leave_so_many(tmp_path: Path) -> None:
    for number in range(files.MAX_FILES + 1):
        (tmp_path / f"{number}.kv").write_text(f"a{number}=1\n")
    series, problem = scrape(in_files(tmp_path))
    assert (len(series), problem) == (files.MAX_FILES, f"more than {files.MAX_FILES} files")


def test_a_record_knows_its_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text('{"jobs": [{"done": 3}], "size": 1}')
    text = f"""
sources: {{s: {{file: {{paths: ['{tmp_path}/*.json'], format: json}}}}}}
rules:
- {{each: "jobs[*]", match: {{"@file": "{tmp_path}/{{name}}.json"}}, name: done, value: "{{done}}",
   labels: {{job: "{{name}}"}}}}
- {{match: {{path: size}}, name: size, labels: {{file: "{{@file}}"}}}}
"""
    assert scrape(text) == (
        [
            'done{job="a"} 3',
            'done{job="b"} 3',
            f'size{{file="{tmp_path}/a.json"}} 1',
            f'size{{file="{tmp_path}/b.json"}} 1',
        ],
        "",
    )


def test_a_broken_file_stays_a_problem_until_it_changes(tmp_path: Path) -> None:
    async def body() -> None:
        files = source(in_files(tmp_path))
        for text, series in (("nonsense", []), ("a=1", ["s_a 1"])):
            (tmp_path / "a.kv").write_text(text)
            for _ in range(2):
                assert (await scraped(files), bool(files.problem)) == (series, not series)

    asyncio.run(body())


def running(program: str, more: str = "") -> str:
    argv = [sys.executable, "-S", "-c", program]
    return f"sources: {{s: {{command: {{argv: {argv!r}, format: keyvalue, {more}}}}}}}"


def test_a_program_is_run_without_a_shell_and_its_status_shown() -> None:
    async def body(text: str) -> tuple[list[str], str, object]:
        command = source(text)
        return await scraped(command), command.problem, command.totals()["podmates_command_exit_status"]

    exits = "print('a', 5); raise SystemExit(3)"
    assert asyncio.run(body(running("print('a', 5)"))) == (["s_a 5"], "", {("s",): 0})
    assert asyncio.run(body(running(exits))) == ([], "ended with status 3", {("s",): 3})
    assert asyncio.run(body(running(exits, "statuses: [0, 3]"))) == (["s_a 5"], "", {("s",): 3})
    killed = "import os; os.kill(os.getpid(), 9)"
    assert asyncio.run(body(running(killed))) == ([], "ended with status 137", {("s",): 137})


BAD_PROGRAMS = {
    "hangs": ("import signal; signal.pause()", "timeout: 200ms", "did not end within 0.2 s"),
    "prints without end": (
        "while True: print('a 1' * 1000)",
        "max_size: 100000, timeout: 60s",
        "more than 100000",
    ),
}


@pytest.mark.parametrize("name", BAD_PROGRAMS)
def test_a_program_that_does_not_end_is_ended(name: str) -> None:
    program, keys, reason = BAD_PROGRAMS[name]
    series, problem = scrape(running(program, keys))

    assert series == []
    assert reason in problem


def test_what_a_program_leaves_behind_is_ended_too(tmp_path: Path) -> None:
    left = tmp_path / "left"
    program = (
        "import os, signal, sys; child = os.fork()\n"
        f"if child: open({str(left)!r}, 'w').write(str(child)); print('a', 1); sys.exit()\n"
        "signal.pause()"
    )
    assert scrape(running(program, "timeout: 60s")) == (["s_a 1"], "")

    def gone() -> bool:
        try:
            return Path(f"/proc/{left.read_text()}/stat").read_text().split(") ")[1][0] == "Z"
        except FileNotFoundError:
            return True

    until(gone, 30, "the child to end")


def test_a_program_that_is_not_there() -> None:
    text = "sources: {s: {command: {argv: [/nonexistent/program], format: json}}}"

    assert scrape(text) == ([], "/nonexistent/program: No such file or directory")
