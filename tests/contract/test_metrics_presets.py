"""The presets against the programs that they are for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path

from podmates_metrics.sources.base import Source
from tests.support.applications import haproxy, httpd, memcached, nginx, zookeeper
from tests.support.metrics_sources import log_source, scraped, source
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.redis_servers import Server, raw
from tests.support.waiting import until
from tests.support.web import get


def wait_for(process: Process, source: Source, wanted: Sequence[str]) -> dict[str, float]:
    """Return the series of *source* once it has those *wanted*, written as on the page."""
    loop, missing = asyncio.new_event_loop(), set(wanted)

    def look() -> dict[str, float]:
        nonlocal missing
        assert process.returncode is None, process.output
        lines = loop.run_until_complete(scraped(source))
        missing = set(wanted) - set(lines)
        series = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}
        return {} if missing else series

    try:
        return until(look, 120, f"the series of {source.name}")
    except AssertionError as error:
        raise AssertionError(f"{error}: missing {missing}, {source.problem}") from None
    finally:
        loop.run_until_complete(source.close())
        loop.close()


def entry(kind: str, preset: str, keys: str) -> str:
    """Return a rule file with one source."""
    return f"sources: {{it: {{{kind}: {{preset: {preset}, {keys}}}}}}}"


def up(process: Process, port: int) -> None:
    """Wait until somebody listens on *port*."""

    def listens() -> bool:
        assert process.returncode is None, process.output
        with socket.create_connection(("127.0.0.1", port), 30):
            return True

    until(listens, 120, "the program to listen", ignoring=(OSError,))


def test_nginx_stub_status(tmp_path: Path) -> None:
    port = free_port()
    page = source(entry("http", "nginx_stub_status", f"url: 'http://127.0.0.1:{port}/stub_status'"))
    with nginx(tmp_path, port) as process:
        up(process, port)
        assert get(f"http://127.0.0.1:{port}/").status == 200
        series = wait_for(
            process, page, ["nginx_connections_active 1", 'nginx_connections{state="writing"} 1']
        )

    assert series["nginx_http_requests_total"] >= 2
    assert series["nginx_connections_accepted_total"] == series["nginx_connections_handled_total"] >= 2
    assert len(series) == 7


def test_nginx_access_log(tmp_path: Path) -> None:
    rules = entry("log", "nginx_access_log", f"paths: [{tmp_path}/access.log], from: start")
    for form, timed in (("combined", False), ("timed", True)):
        port = free_port()
        (tmp_path / "access.log").unlink(missing_ok=True)
        with nginx(tmp_path, port, form) as process:
            up(process, port)
            get(f"http://127.0.0.1:{port}/a?b=c")
            get(f"http://127.0.0.1:{port}/gone")
            with socket.create_connection(("127.0.0.1", port), 30) as client:
                client.sendall(b'\x16\x03"nonsense\n\n')
                while client.recv(4096):
                    pass
            series = wait_for(process, log_source(rules), [
                'nginx_access_requests_total{method="GET",status="200"} 1',
                'nginx_access_requests_total{method="GET",status="410"} 1',
                'nginx_access_requests_total{method="other",status="400"} 1',
            ])  # fmt: skip

        assert series["nginx_access_sent_bytes_total"] > 5
        assert series.get("nginx_access_duration_seconds_count", 0) == (3 if timed else 0)


def test_apache_auto(tmp_path: Path) -> None:
    port = free_port()
    page = source(entry("http", "apache_auto", f"url: 'http://127.0.0.1:{port}/server-status?auto'"))
    with httpd(tmp_path, port) as process:
        up(process, port)
        get(f"http://127.0.0.1:{port}/nothing")
        series = wait_for(process, page, ['apache_workers{state="busy"} 1'])

    assert series["apache_accesses_total"] >= 1
    assert {'apache_workers{state="idle"}', "apache_uptime_seconds", "apache_sent_bytes_total"} <= set(series)
    assert any(name.startswith('apache_info{version="Apache/2') for name in series)


def test_haproxy_csv_over_http_and_on_its_socket(tmp_path: Path) -> None:
    port = free_port()
    rules = (
        entry("http", "haproxy_csv", f"url: 'http://127.0.0.1:{port}/stats;csv'"),
        entry("socket", "haproxy_csv", f"connect: 'unix://{tmp_path}/socket', send: \"show stat\\n\""),
    )
    with haproxy(tmp_path, port) as process:
        up(process, port)
        for text in rules:
            series = wait_for(process, source(text), [
                'haproxy_up{proxy="app",server="one"} 0',
                'haproxy_up{proxy="app",server="two"} 1',
                'haproxy_up{proxy="stats",server="FRONTEND"} 1',
                'haproxy_downs_total{proxy="app",server="one"} 1',
            ])  # fmt: skip

            assert series['haproxy_sessions_total{proxy="stats",server="FRONTEND"}'] >= 1
            assert 'haproxy_responses_total{code="2xx",proxy="stats",server="FRONTEND"}' in series


def test_memcached() -> None:
    port = free_port()
    cache = source(entry("socket", "memcached", f"connect: 'tcp://127.0.0.1:{port}'"))
    with memcached(port) as process:
        up(process, port)
        with socket.create_connection(("127.0.0.1", port), 30) as client:
            client.sendall(b"set a 0 0 1\r\nx\r\nget a\r\nget b\r\nquit\r\n")
            while client.recv(4096):
                pass
        series = wait_for(process, cache, [
            'memcached_commands_total{command="get",status="hits"} 1',
            'memcached_commands_total{command="get",status="misses"} 1',
            'memcached_commands_total{command="set",status="all"} 1',
            "memcached_items 1",
            "memcached_evictions_total 0",
        ])  # fmt: skip

    assert series["memcached_limit_bytes"] == 64 << 20
    assert 'memcached_cpu_seconds_total{mode="user"}' in series


def test_redis_info() -> None:
    with Server() as server:
        raw(server.port, "SET", "a", "1")
        raw(server.port, "GET", "a")
        store = source(entry("socket", "redis_info", f"connect: 'tcp://127.0.0.1:{server.port}'"))
        assert server.process is not None
        series = wait_for(server.process, store, [
            'redis_db_keys{db="0"} 1',
            'redis_lookups_total{result="hits"} 1',
            'redis_role{redis_role="master"} 1',
            'redis_role{redis_role="slave"} 0',
            'redis_persistence_ok{what="aof_last_write"} 1',
        ])  # fmt: skip

    assert series["redis_memory_used_bytes"] > 100_000
    assert series['redis_clients{kind="connected"}'] >= 1


def test_redis_info_with_a_password_from_a_file(tmp_path: Path) -> None:
    talk = tmp_path / "talk"
    talk.write_text("AUTH secret\nINFO\nQUIT\n")
    with Server(password="secret") as server:
        keys = f"connect: 'tcp://127.0.0.1:{server.port}', send: {{file: {talk}}}"
        store = source(entry("socket", "redis_info", keys))
        assert server.process is not None
        wait_for(server.process, store, ['redis_role{redis_role="master"} 1'])


def test_zookeeper_mntr(tmp_path: Path) -> None:
    port = free_port()
    keeper = source(entry("socket", "zookeeper_mntr", f"connect: 'tcp://127.0.0.1:{port}'"))
    with zookeeper(tmp_path, port) as process:
        up(process, port)
        series = wait_for(process, keeper, ['zookeeper_state{zookeeper_state="standalone"} 1'])

    assert series["zookeeper_znodes"] >= 4
    assert series["zookeeper_open_files"] > 10
    assert {"zookeeper_latency_avg_seconds", 'zookeeper_packets_total{direction="received"}'} <= set(series)
