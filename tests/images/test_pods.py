"""Every published Pod spec, native and classic: the main job, probes, and an end in order."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.engine import Container, Network, built, docker, fetch, substitutes
from tests.support.origin import Origin
from tests.support.pod import Pod
from tests.support.waiting import until

IMAGES = Path(__file__).parents[2] / "images"
FORMS = pytest.mark.parametrize("form", ["pod.yaml", "pod-classic.yaml"], ids=["native", "classic"])
SITE = "https://git.example.com/team/site.git"
PASSWORD = "change-me"  # as the Secret in the file has it
OURS = ("gitsync", "redis-ambassador", "metrics-adapter", "example-app", "example-jvm")


@pytest.fixture(autouse=True)
def _images(network: Network) -> None:
    for name in OURS:
        built(name)


@FORMS
def test_gitsync_nginx_serves_the_branch(form: str, network: Network) -> None:
    with Origin(network) as origin:
        origin.push("first")
        with Pod(
            IMAGES / "gitsync" / form, network, {SITE: Origin.url, '"10s"': '"1s"', **substitutes()}
        ) as pod:
            if form == "pod.yaml":  # gated by the startup probe: the page was there before nginx
                assert pod.containers["gitsync"].execute("test", "-e", "/git/current/index.html").status == 0
            pod.wait_ready()
            page = f"http://{pod.address}:8080/"
            until(lambda: fetch(page).body == "first", what="the first page")

            commit = origin.push("second")

            until(lambda: fetch(page).body == "second", what="the new page")
            link = pod.containers["gitsync"].execute("readlink", "/git/current").stdout
            assert link.endswith(commit)
            assert fetch(page + ".git").status in {403, 404}
            assert "git_sync_count" in fetch(f"http://{pod.address}:9101/metrics").body
            assert pod.dead() == []
            assert {name: end.status for name, end in pod.stop().items()} == {"nginx": 0, "gitsync": 143}


def test_gitsync_a_signed_push_is_on_the_page_within_a_second(network: Network) -> None:
    with Origin(network) as origin:
        origin.push("first")
        with Pod(IMAGES / "gitsync" / "pod.yaml", network, {SITE: Origin.url, **substitutes()}) as pod:
            pod.wait_ready()
            page, receiver = f"http://{pod.address}:8080/", f"http://{pod.address}:9102/push"
            until(lambda: fetch(page).body == "first", what="the first page")
            taken = []
            for text in ("second", "third", "fourth", "fifth"):
                origin.push(text)
                began = time.monotonic()
                assert announce(receiver, PASSWORD, f'{{"text": "{text}"}}') == 202
                until(lambda text=text: fetch(page).body == text, 20, text)  # type: ignore[misc]
                taken.append(time.monotonic() - began)

            assert min(taken) < 1  # the others are what a busy machine makes of it
            assert announce(receiver, "wrong", "{}") == 401
            assert PASSWORD not in pod.containers["gitsync"].logs


def announce(url: str, secret: str, body: str) -> int:
    """Send a push as any sender may: with a signature of the body; return the status of the answer."""
    proof = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    request = urllib.request.Request(url, body.encode(), {"X-Signature-256": f"sha256={proof}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@contextmanager
def master_and_replica(network: Network) -> Iterator[tuple[Container, Container]]:
    """Start the two servers under the names that the Pod spec has for them."""

    def server(name: str, *more: str) -> Container:
        command = ["redis-server", "--save", "", "--requirepass", PASSWORD, "--masterauth", PASSWORD, *more]
        flags = (f"--network={network.name}", f"--network-alias={name}")
        return Container(built("standin-redis"), *flags, command=command)

    with (
        server("redis-0.redis", "--repl-diskless-sync-delay", "0") as master,
        server("redis-1.redis", "--replicaof", "redis-0.redis", "6379") as replica,
    ):
        yield master, replica


@FORMS
def test_redis_ambassador_splits_reads_from_writes(form: str, network: Network) -> None:
    with (
        master_and_replica(network) as (master, replica),
        Pod(IMAGES / "redis-ambassador" / form, network) as pod,
    ):
        pod.wait_ready()
        page = f"http://{pod.address}:8080/"
        for _ in range(5):
            shown = dict(re.findall(r"<dd id=(\w+)>(.*)", fetch(page).body))

            assert shown["read"] == shown["wrote"]

        def calls(server: Container, command: str) -> int:
            text = server.execute("redis-cli", "-a", PASSWORD, "info", "commandstats").stdout
            found = re.search(rf"cmdstat_{command}:calls=(\d+)", text)
            return int(found[1]) if found else 0

        assert PASSWORD not in pod.containers["redis-ambassador"].logs
        assert calls(master, "incrby") >= 5
        until(lambda: fetch(page) and calls(replica, "get") > 0, what="a read at the replica")
        assert pod.dead() == []
        assert {name: end.status for name, end in pod.stop().items()} == {
            "example-app": 0,
            "redis-ambassador": 0,
        }


@FORMS
def test_redis_ambassador_a_pod_starts_and_recovers_without_its_servers(form: str, network: Network) -> None:
    with Pod(IMAGES / "redis-ambassador" / form, network) as pod:
        admin = f"http://{pod.address}:9121/readyz"
        until(lambda: fetch(admin).status == 503, what="the ambassador to say that it is not ready")
        assert pod.dead() == []

        with master_and_replica(network):
            until(lambda: fetch(admin).status == 200, 60, "the ambassador to find the master")


@FORMS
def test_metrics_adapter_collects_from_both_applications(form: str, network: Network) -> None:
    with Pod(IMAGES / "metrics-adapter" / form, network) as pod:
        pod.wait_ready()
        metrics = f"http://{pod.address}:9102/metrics"

        def visited(line: str) -> bool:
            fetch(f"http://{pod.address}:8080/")
            return bool(re.search(line, fetch(metrics).body, re.MULTILINE))

        until(lambda: visited(r"^example_statsd_visits \d"), what="StatsD")
        until(lambda: visited(r'^example_work_total\{kind="visits"\} \d'), what="the JSON page")
        until(lambda: visited(r"(?i)^example_orders_processed\b.* \d"), 90, "the JVM's beans")

        docker("kill", pod.containers["example-jvm"].id)

        until(lambda: visited(r"^jmx_up\{.*\} 0"), 90, "the loss of the JVM")
        assert fetch(f"http://{pod.address}:9102/readyz").status == 200  # a dead JVM is not the adapter's end
        assert pod.dead() == ["example-jvm"]
