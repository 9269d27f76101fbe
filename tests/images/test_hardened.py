"""Each image under the strictest conditions: any user, nothing writable, no capability, no way to get one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.engine import HARDENED, Container, Network, built, docker, fetch
from tests.support.origin import Origin
from tests.support.statsd_sender import send_udp
from tests.support.waiting import until

# A process of the container that leaves a child behind; the child ends when its parent, who would have to
# collect it, has ended. Prints the child's number.
ORPHAN = """
import os, signal
if (child := os.fork()):
    print(child, flush=True)
else:
    os.close(1), os.close(2)
    while os.getppid() != 1: pass
"""
STOP_SECONDS = 2.0
STATUS = {"gitsync": 143, "redis-ambassador": 0, "metrics-adapter": 0}
COMMANDS = {
    "gitsync": "podmates-gitsync",
    "redis-ambassador": "podmates-redis",
    "metrics-adapter": "podmates-metrics",
}


@contextmanager
def running(name: str, network: Network) -> Iterator[Container]:
    """Start service *name* hardened, with what it needs to become ready."""
    flags = [*HARDENED, f"--network={network.name}"]
    match name:
        case "gitsync":
            volume = docker("volume", "create", "--opt=type=tmpfs", "--opt=device=tmpfs", "--opt=o=mode=1777")
            env = {
                "GITSYNC_REPO": Origin.url,
                "GITSYNC_REF": "main",
                "GITSYNC_PERIOD": "1s",
                "GITSYNC_HTTP_BIND": ":9101",
            }
            mount = f"--mount=type=volume,source={volume},target=/git,volume-nocopy"
            try:
                with Origin(network) as origin:
                    origin.push("hello")
                    with Container(built(name), *flags, mount, env=env) as container:
                        yield container
            finally:
                docker("volume", "rm", "--force", volume)
        case "redis-ambassador":
            alias = "--network-alias=server"
            command = ["redis-server", "--save", "", "--protected-mode", "no"]
            with (
                Container(built("standin-redis"), f"--network={network.name}", alias, command=command),
                Container(built(name), *flags, env={"PODMATES_REDIS_SERVERS": "server:6379"}) as container,
            ):
                yield container
        case "metrics-adapter":
            with Container(built(name), *flags) as container:
                yield container


@pytest.mark.parametrize("name", STATUS)
def test_it_answers_its_probe_reaps_orphans_and_stops_in_time(name: str, network: Network) -> None:
    with running(name, network) as container:
        command = COMMANDS[name]
        container.wait_answer(command, "probe", "ready")
        assert container.execute(command, "probe", "live").status == 0
        assert container.execute(command, "probe", "started").status == 0
        assert "Read-only file system" in container.execute("python3", "-c", "open('/tmp/x', 'w')").output

        orphan = container.execute("python3", "-I", "-c", ORPHAN).stdout
        assert orphan.isdigit()
        look = f"import os; raise SystemExit(os.path.exists('/proc/{orphan}'))"
        until(
            lambda: container.execute("python3", "-I", "-c", look).status == 0,
            what="the orphan to be collected",
        )

        ended = container.stop()

        assert ended.status == STATUS[name], container.logs
        assert ended.seconds < STOP_SECONDS


@pytest.mark.parametrize("name", ["redis-ambassador", "metrics-adapter"])
def test_the_engine_sees_it_healthy(name: str, network: Network) -> None:
    with running(name, network) as container:
        until(lambda: container.state["State"]["Health"]["Status"] == "healthy", 90, "the HEALTHCHECK")


def test_gitsync_publishes_with_nothing_writable_but_its_root(network: Network) -> None:
    with running("gitsync", network) as container:
        container.wait_answer("test", "-e", "/git/site.git/index.html")

        assert container.execute("cat", "/git/site.git/index.html").stdout == "hello"


def test_the_ambassador_serves_its_neighbour(network: Network) -> None:
    with running("redis-ambassador", network) as container:
        container.wait_answer("podmates-redis", "probe", "ready")
        neighbour = f"--network=container:{container.id}"

        said = docker("run", "--rm", neighbour, built("standin-redis"), "redis-cli", "SET", "key", "value")

        assert said == "OK"


def test_blocked_and_subscribed_clients_do_not_hold_up_its_end(network: Network) -> None:
    with running("redis-ambassador", network) as container:
        container.wait_answer("podmates-redis", "probe", "ready")
        neighbour, client = f"--network=container:{container.id}", built("standin-redis")
        with (
            Container(client, neighbour, command=["redis-cli", "BLPOP", "queue", "0"]),
            Container(client, neighbour, command=["redis-cli", "SUBSCRIBE", "news"]) as subscriber,
        ):
            until(lambda: "subscribe" in subscriber.logs, what="the subscription")

            ended = container.stop()

    assert ended.status == 0
    assert ended.seconds < STOP_SECONDS


def test_the_adapter_shows_what_it_is_sent(network: Network) -> None:
    with running("metrics-adapter", network) as container:
        container.wait_answer("podmates-metrics", "probe", "ready")
        send_udp((container.address, 9125), b"visits:3|c")

        until(
            lambda: "\nvisits 3\n" in fetch(f"http://{container.address}:9102/metrics").body,
            what="the counter",
        )


@pytest.mark.parametrize("name", STATUS)
def test_a_wrong_flag_ends_it_before_anything_else(name: str, network: Network) -> None:
    with Container(built(name), *HARDENED, "--network=none", command=["--no-such-flag"]) as container:
        status = docker("wait", container.id, timeout=30)

        assert status == {"gitsync": "2", "redis-ambassador": "2", "metrics-adapter": "1"}[name]
        assert "no-such-flag" in container.logs
