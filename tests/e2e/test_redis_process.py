"""The ambassador as a process: its flags, its verbs, an absent master, and how it ends."""

from __future__ import annotations

import signal
import time

import pytest

from tests.support.ambassador import Ambassador
from tests.support.pods import ask
from tests.support.ports import free_port
from tests.support.processes import Finished, Process, run
from tests.support.programs import script
from tests.support.redis_servers import Pair, Server
from tests.support.resp import RawClient, request
from tests.support.waiting import until

BAD = {
    "a value": (["--servers", "nowhere", "--listen", "x:y"], ["--servers", "--listen"]),
    "an unknown flag": (["--servers", "h:1", "--no-such-flag", "1"], ["--no-such-flag"]),
    "a choice": (["--servers", "h:1", "--consistency", "perhaps"], ["--consistency"]),
    "three at once": (
        ["--servers", "h:x", "--master-wait", "5", "--admin-listen", "q"],
        ["--servers", "--master-wait", "--admin-listen"],
    ),
    "a unit": (["--servers", "h:1", "--drain-timeout", "10"], ["--drain-timeout"]),
    "no server": ([], ["--servers"]),
    "a host with an empty part": (["--servers", "h:1", "--listen", "a..b:1"], ["--listen"]),
}

SOON = 15.0  # seconds: much less than --drain-timeout, and enough for a loaded machine


def ambassador(*words: str, env: dict[str, str] | None = None) -> Finished:
    return run([script("podmates-redis"), *words], env=env)


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("verb", ["run", "check"])
def test_each_fault_is_one_line_and_the_status_is_2(verb: str, name: str) -> None:
    flags, faults = BAD[name]
    finished = ambassador(verb, *flags)

    assert finished.status == 2
    assert finished.stdout == ""
    lines = finished.stderr.strip().splitlines()
    assert len(lines) == len(faults), lines
    for fault in faults:
        assert any(fault in line for line in lines), (fault, lines)
    assert "Traceback" not in finished.stderr


def test_an_unknown_variable_of_ours_is_a_fault_and_one_of_a_service_is_not() -> None:
    env = {"PODMATES_REDIS_SERVERS": "h:1", "PODMATES_REDIS_SERVICE_HOST": "10.0.0.1"}
    assert ambassador("check", env=env).status == 0
    finished = ambassador("check", env={**env, "PODMATES_REDIS_SERVRES": "h:1"})

    assert finished.status == 2
    assert "PODMATES_REDIS_SERVRES" in finished.stderr


def test_check_shows_each_setting_with_its_origin_and_no_secret() -> None:
    env = {"PODMATES_REDIS_PASSWORD": "hush-hush", "PODMATES_REDIS_CONSISTENCY": "strict"}
    finished = ambassador("check", "--servers", "h:1,h:2", env=env)

    assert finished.status == 0
    assert "hush-hush" not in finished.stdout + finished.stderr
    [line] = [line for line in finished.stdout.splitlines() if line.startswith("consistency")]
    assert "strict" in line and "PODMATES_REDIS_CONSISTENCY" in line
    [line] = [line for line in finished.stdout.splitlines() if line.startswith("servers")]
    assert "--servers" in line


def test_a_secret_is_never_a_flag() -> None:
    finished = ambassador("check", "--servers", "h:1", "--password", "hush-hush")

    assert finished.status == 2
    assert "hush-hush" not in finished.stderr


def test_the_version_is_told() -> None:
    finished = ambassador("--version")

    assert finished.status == 0
    assert finished.stdout.startswith("podmates-redis ")


def test_probes_ask_the_running_process(redis_pair: Pair) -> None:
    with Ambassador("--servers", redis_pair.addresses) as running:
        env = {"PODMATES_REDIS_ADMIN_LISTEN": running.admin.removeprefix("http://")}
        for kind in ("live", "ready", "started"):
            assert ambassador("probe", kind, env=env).status == 0
        for path in ("/livez", "/readyz", "/startupz", "/version", "/metrics"):
            assert running.get(path).status == 200

    assert ambassador("probe", "live", env=env).status == 1


def test_an_absent_master_is_said_everywhere_and_waited_for() -> None:
    port = free_port()
    with Ambassador("--servers", f"127.0.0.1:{port}", "--master-wait", "300ms", ready=False) as running:
        until(lambda: running.get("/readyz").status == 503, what="unreadiness")
        assert "master" in running.get("/readyz").body
        assert running.get("/livez").status == 200
        env = {"PODMATES_REDIS_ADMIN_LISTEN": running.admin.removeprefix("http://")}
        assert ambassador("probe", "ready", env=env).status == 1
        with Server(port=port):
            running.wait_readyz()
            assert ask(running.port, "SET", "k", "v") == b"+OK\r\n"
        until(lambda: running.get("/readyz").status == 503, what="unreadiness")
        lines = [line for line in running.process.stderr.splitlines() if "master" in line.lower()]
        assert len(lines) <= 8, lines  # once per event, not once per try


def test_commands_wait_for_a_master_that_comes_soon() -> None:
    port = free_port()
    with (
        Ambassador("--servers", f"127.0.0.1:{port}", ready=False) as running,
        RawClient(running.port) as client,
    ):
        client.pipeline([("SET", "k", "v"), ("GET", "k")])
        with Server(port=port):
            assert client.read_many(2) == [b"+OK\r\n", b"$1\r\nv\r\n"]


def test_a_password_is_used_and_never_shown() -> None:
    with Pair(password="hush-hush") as pair:
        flags = ("--servers", pair.addresses)
        with Ambassador(*flags, env={"PODMATES_REDIS_PASSWORD": "hush-hush"}) as running:
            assert ask(running.port, "SET", "k", "v") == b"+OK\r\n"
            assert ask(running.port, "GET", "k") == b"$1\r\nv\r\n"
            assert "hush-hush" not in running.process.output + running.get("/metrics").body
        with Ambassador(*flags, env={"PODMATES_REDIS_PASSWORD": "wrong-one"}, ready=False) as running:
            until(lambda: running.get("/readyz").status == 503, what="unreadiness")
            assert "wrong-one" not in running.process.output + running.get("/readyz").body


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_with_idle_blocked_and_subscribed_clients(redis_pair: Pair, number: int) -> None:
    with Ambassador("--servers", redis_pair.addresses) as running:
        clients = [RawClient(running.port) for _ in range(6)]
        try:
            clients[0].call("PING")
            clients[1].send(request("BLPOP", "never", 0))
            clients[2].call("SUBSCRIBE", "c")
            clients[3].call("MULTI")
            clients[4].send(b"*2\r\n$3\r\nGET\r\n$5\r\nab")
            until(lambda: redis_pair.master.info("clients")["blocked_clients"] == 1, what="the block")
            start = time.monotonic()
            status = running.process.stop(number)
            taken = time.monotonic() - start
            rests = [client.read_rest() for client in clients]
        finally:
            for client in clients:
                client.close()

    assert status == 0
    assert taken < SOON
    assert rests[0] == b""
    assert "Traceback" not in running.process.output


def test_what_is_under_way_is_answered_before_the_end(redis_pair: Pair) -> None:
    with Ambassador("--servers", redis_pair.addresses) as running, RawClient(running.port) as client:
        client.call("PING")
        client.pipeline(
            [("EVAL", "local n = 0; for i = 1, 3e6 do n = n + 1 end; return n", 0), ("ECHO", "end")]
        )
        until(lambda: running.metric("redis_ambassador_commands_total"), what="a metric")
        status = running.process.stop()

        assert client.read_many(2) == [b":3000000\r\n", b"$3\r\nend\r\n"]
        assert status == 0


def test_a_second_signal_ends_it_at_once(redis_pair: Pair) -> None:
    with Ambassador("--servers", redis_pair.addresses) as running, RawClient(running.port) as client:
        client.call("PING")
        with redis_pair.master.stalled():
            client.send(request("SET", "k", "v"))  # in flight, and it stays so
            running.process.send(signal.SIGTERM)
            until(lambda: _refuses(running.port), what="the draining")
            start = time.monotonic()
            status = running.process.stop(signal.SIGTERM)
            taken = time.monotonic() - start

    assert status in (128 + signal.SIGTERM, -signal.SIGTERM)
    assert taken < SOON


def _refuses(port: int) -> bool:
    try:
        RawClient(port).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_port_that_is_taken_is_one_line_and_no_traceback() -> None:
    with Server() as server:
        argv = [script("podmates-redis"), "--servers", server.address, "--listen", server.address]
        with Process([*argv, "--admin-listen", f"127.0.0.1:{free_port()}"]) as process:
            status = process.wait(30)

    assert status in (1, 2)
    assert len(process.stderr.splitlines()) == 1
    assert str(server.port) in process.stderr
    assert "Traceback" not in process.stderr
