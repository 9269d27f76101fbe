"""Settings change under running clients: they are taken up, or refused as a whole, and nobody is dropped."""

from __future__ import annotations

import json
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.ambassador import Ambassador
from tests.support.pods import prepare
from tests.support.processes import Process
from tests.support.programs import script
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient
from tests.support.secured import SECURED, names, reached
from tests.support.shared_path import FORMS
from tests.support.waiting import until

RELOADS = "redis_ambassador_reloads_total"


class Configured:
    """An ambassador whose settings are in a file."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None, **settings: object) -> None:
        self.path = folder / "redis.toml"
        self.write(**settings)
        self.ambassador = Ambassador("--config", str(self.path), env=env)

    def write(self, **settings: object) -> None:
        self.swap("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()).encode())

    def swap(self, content: bytes) -> None:
        """Put a whole new file in the old one's place, as a mounted ConfigMap is swapped."""
        new = self.path.with_suffix(".new")
        new.write_bytes(content)
        new.rename(self.path)

    def outcomes(self, outcome: str) -> float:
        return self.ambassador.total(RELOADS, outcome=outcome)

    def reload(self, **settings: object) -> None:
        """Change the settings and see them taken up."""
        before = self.outcomes("success")
        self.write(**settings)
        until(lambda: self.outcomes("success") > before, what="the reload")

    def setting(self, name: str) -> Any:
        rows = json.loads(self.ambassador.get("/config").body)
        return next(row for row in rows if row["name"] == name)


@pytest.fixture
def configured(redis_pair: Pair, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Configured]:
    form = getattr(request, "param", None)
    configured = Configured(tmp_path, form, servers=redis_pair.addresses)
    with configured.ambassador:
        prepare(redis_pair, configured.ambassador, "SET k v")
        yield configured


@pytest.mark.parametrize("configured", FORMS, indirect=True)
def test_a_changed_file_is_taken_up_under_a_connected_client(
    redis_pair: Pair, configured: Configured
) -> None:
    ambassador, servers = configured.ambassador, redis_pair.addresses
    with RawClient(ambassador.port) as client:
        number = client.call("CLIENT", "ID")
        assert client.call("SHUTDOWN").startswith(b"-NOPERM")
        configured.reload(servers=servers, consistency="strict", admin_commands="allow", route="STRLEN=deny")
        before = redis_pair.replica.calls("get")
        for _ in range(20):
            assert client.call("GET", "k") == b"$1\r\nv\r\n"
        assert redis_pair.replica.calls("get") == before
        assert client.call("CONFIG", "SET", "maxmemory", "0") == b"+OK\r\n"
        assert client.call("STRLEN", "k").startswith(b"-NOPERM")
        assert client.call("CLIENT", "ID") == number

    assert configured.setting("consistency") == {
        "name": "consistency",
        "value": "strict",
        "from": "file key consistency",
    }


BAD = {
    "no TOML": "servers = [",
    "an unknown name": 'servers = "a:1"\nsrevers = "b:1"\n',
    "a value of the wrong kind": 'servers = "a:1"\nmaster_wait = "soon"\n',
    "two ways to find servers": 'servers = "a:1"\ndns = "b:1"\n',
    "none": "",
    "a secret": 'servers = "a:1"\npassword = "hush-hush"\n',
    "no text": b"\xff\xfe".decode("latin-1"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_makes_no_sense_changes_nothing_and_is_told(configured: Configured, name: str) -> None:
    ambassador = configured.ambassador
    with RawClient(ambassador.port) as client:
        assert client.call("GET", "k") == b"$1\r\nv\r\n"
        configured.swap(BAD[name].encode("latin-1"))
        until(lambda: configured.outcomes("failure") == 1, what="the refusal")
        assert client.call("GET", "k") == b"$1\r\nv\r\n"
        assert client.call("SET", "k", "v") == b"+OK\r\n"
    ready = ambassador.get("/readyz")

    assert ready.status == 200
    assert "settings: cannot be reloaded" in ready.body
    ambassador.process.wait_line("settings stay as they were")
    assert configured.outcomes("success") == 0
    everything = ambassador.process.output + ready.body + ambassador.get("/config").body
    assert "hush-hush" not in everything and "Traceback" not in everything
    configured.reload(servers=configured.setting("servers")["value"])
    assert "settings: ok" in ambassador.get("/readyz").body


def test_a_signal_reads_the_file_at_once(configured: Configured, redis_pair: Pair) -> None:
    configured.ambassador.process.send(signal.SIGHUP)
    configured.ambassador.process.wait_line("settings reloaded: asked by a signal.*changed=nothing")
    configured.write(servers=redis_pair.addresses, master_wait="7s")
    configured.ambassador.process.send(signal.SIGHUP)
    configured.ambassador.process.wait_line("settings reloaded: .*changed=master_wait")


def test_a_signal_without_a_file_is_no_end(redis_pair: Pair) -> None:
    with Ambassador("--servers", redis_pair.addresses) as ambassador, RawClient(ambassador.port) as client:
        ambassador.process.send(signal.SIGHUP)
        ambassador.process.wait_line("settings reloaded")
        assert client.call("PING") == b"+PONG\r\n"


def test_a_signal_that_comes_too_soon_is_no_end(redis_pair: Pair) -> None:
    """Whoever has written the file may send it before the process has come to hear it."""
    anywhere = ("--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
    with Process([script("podmates-redis"), "--servers", redis_pair.addresses, *anywhere]) as process:
        until(lambda: ignores(process.pid), what="signals to be ignored, as its first deed")
        process.send(signal.SIGHUP)
        process.wait_line("ready listen=")


def ignores(pid: int) -> bool:
    """Tell whether SIGHUP is neither heard nor an end."""
    mask = re.search(r"^SigIgn:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return mask is not None and bool(int(mask[1], 16) >> (signal.SIGHUP - 1) & 1)


def test_servers_come_and_go_under_a_connected_client(redis_pair: Pair, tmp_path: Path) -> None:
    master, replica = redis_pair.master, redis_pair.replica
    configured = Configured(tmp_path, servers=master.address)
    with configured.ambassador as ambassador, RawClient(ambassador.port) as client:
        client.call("SET", "k", "v")
        redis_pair.settle()
        before = replica.calls("get")
        assert client.call("GET", "k") == b"$1\r\nv\r\n"
        assert replica.calls("get") == before
        configured.reload(servers=redis_pair.addresses)
        until(lambda: client.call("GET", "k") and replica.calls("get") > before, what="a read at the replica")
        configured.reload(servers=master.address)
        assert ambassador.metric("redis_ambassador_upstream_up").keys() == {
            (("node", master.address), ("role", "master"), ("zone", ""))
        }
        before = replica.calls("get")
        assert client.call("GET", "k") == b"$1\r\nv\r\n"
        assert replica.calls("get") == before


def test_what_needs_a_restart_is_named_and_the_rest_is_taken_up(
    redis_pair: Pair, configured: Configured
) -> None:
    ambassador = configured.ambassador
    configured.reload(servers=redis_pair.addresses, auth="passthrough", max_clients=1)
    ambassador.process.wait_line("settings reloaded.*changed=max_clients restart=auth")
    with RawClient(ambassador.port) as client, RawClient(ambassador.port) as other:
        assert client.call("PING") == b"+PONG\r\n"
        assert other.read_rest() == b"-ERR max number of clients reached\r\n"
    assert configured.setting("auth")["value"] == "fixed"


def test_time_limits_and_the_log_follow(redis_pair: Pair, configured: Configured) -> None:
    with RawClient(configured.ambassador.port) as client:
        client.call("PING")
        configured.write(servers=redis_pair.addresses, client_idle_timeout="1s", log_format="json")
        configured.ambassador.process.wait_line(r'\{"time".*settings reloaded')
        assert client.read_rest() == b""  # though it was idle when there was no limit


@pytest.mark.parametrize("form", SECURED)
def test_what_clients_share_is_encrypted_from_the_moment_that_it_is_asked_for(
    form: dict[str, str], tmp_path: Path
) -> None:
    with Pair() as pair:
        _, _, *flags = reached(pair, form)
        files = dict(zip(("tls_ca_file", "tls_cert_file", "tls_key_file"), flags[2::2], strict=True))
        ways = zip(pair.servers, names(pair.servers, form), strict=True)
        where = ",".join(f"{server.address}={name}" for server, name in ways)
        plain = {"servers": pair.addresses, "tls": False}
        by_tls = {**plain, **files, "tls": True, "address_map": where}
        env = {name: value for name, value in form.items() if name != "PODMATES_REDIS_TLS"}
        configured = Configured(tmp_path, env, **plain)
        with configured.ambassador as ambassador, RawClient(ambassador.port) as client:

            def ports() -> set[str]:
                lines = pair.master.client().client_list()
                return {line["laddr"].rpartition(":")[2] for line in lines if line["cmd"] == "set"}

            def writes(port: int) -> bool:
                assert client.call("SET", "k", "v") == b"+OK\r\n"
                return ports() == {str(port)}

            until(lambda: writes(pair.master.port), what="a plain connection")
            configured.reload(**by_tls)
            until(lambda: writes(pair.master.tls_port), what="one by TLS, and no other")
            configured.reload(**plain)
            until(lambda: writes(pair.master.port), what="a plain connection again, and no other")
            assert ambassador.total("redis_ambassador_clients_closed_total", reason="upstream") == 0


@pytest.mark.parametrize("configured", FORMS, indirect=True)
def test_nobody_notices_reloads_under_load(redis_pair: Pair, configured: Configured) -> None:
    wrong: list[bytes] = []
    over = threading.Event()

    def load() -> None:
        with RawClient(configured.ambassador.port) as client:
            while not over.is_set():
                client.pipeline([("SET", "k", "v"), ("GET", "k"), ("STRLEN", "k")])
                replies = client.read_many(3)
                if replies != [b"+OK\r\n", b"$1\r\nv\r\n", b":1\r\n"]:
                    wrong.extend(replies)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    choices = ("any", "master", "replica_preferred", "nearest")
    for number in range(8):
        configured.write(servers=redis_pair.addresses, read_from=choices[number % 4])
        configured.ambassador.process.send(signal.SIGHUP)
        until(lambda number=number: configured.outcomes("success") > number, what="a reload")  # type: ignore[misc]
    over.set()
    for thread in threads:
        thread.join(60)

    assert wrong == []
    assert configured.ambassador.total("redis_ambassador_clients_closed_total", reason="upstream") == 0
