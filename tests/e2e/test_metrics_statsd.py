"""StatsD lines into the running adapter, by every socket, read by a scrape."""

from __future__ import annotations

import os
import re
import signal
import socket
from pathlib import Path

import pytest
import statsd

from tests.e2e.adapters import Adapter
from tests.support.moving import put
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import script
from tests.support.prometheus import Prometheus
from tests.support.statsd_sender import send_tcp, send_udp
from tests.support.waiting import until

MAPPING = """
mappings:
- match: "app.*.requests"
  name: requests_total
  labels: {route: "$1"}
- match: "app.*.time"
  name: request_seconds
  observer_type: histogram
  histogram_options: {buckets: [0.1, 1]}
  labels: {route: "$1"}
"""
PARSERS = pytest.mark.parametrize("env", [{}, {"PODMATES_PURE": "1"}], ids=["default", "pure"])


@PARSERS
def test_what_the_statsd_package_sends_is_on_the_page(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text(MAPPING)
    with Adapter(f"--statsd.mapping-config={file}", env=env) as adapter:
        client = statsd.StatsClient(*adapter.address, prefix="app")
        for _ in range(3):
            client.incr("cart.requests", 2)
            client.timing("cart.time", 250)
        client.gauge("depth", 10)
        client.gauge("depth", -3, delta=True)
        client.close()
        stream = statsd.TCPStatsClient(*adapter.address, prefix="app")
        stream.incr("cart.requests", 4)
        stream.close()

        own = {"statsd_exporter_tcp_connections_total": 1, "statsd_exporter_events_unmapped_total": 2}
        page = adapter.wait_for({'requests_total{route="cart"}': 10, "app_depth": 7} | own)

        assert page['request_seconds_bucket{route="cart",le="0.1"}'] == 0
        assert page['request_seconds_bucket{route="cart",le="1"}'] == 3
        assert page['request_seconds_sum{route="cart"}'] == 0.75


def test_a_real_prometheus_takes_the_page() -> None:
    with Adapter() as adapter, Prometheus(f"127.0.0.1:{adapter.web}") as prometheus:
        send_udp(adapter.address, b"jobs:3|c|#queue:mail\nload:0.5|g\nt:5|ms\nt:7|ms")

        assert prometheus.wait_for('jobs{queue="mail"} == 3')
        assert prometheus.wait_for("t_count == 2")
        assert prometheus.wait_for("statsd_exporter_lines_total >= 4")
        assert prometheus.wait_for('up{job="test"} == 1')


GARBAGE = [
    b"",
    b"\n\n",
    b"\x00\xff\xfe",
    b"a" * 9000,
    b":::|||",
    b"foo:1|c|#" + b"," * 2000,
    b"a]b[c:1|c",
    os.urandom(1400),
]


@PARSERS
def test_garbage_on_every_socket_is_counted_and_nothing_worse(env: dict[str, str]) -> None:
    with Adapter(env=env) as adapter:
        for garbage in GARBAGE:
            send_udp(adapter.address, garbage)
            send_tcp(adapter.address, garbage)
        send_tcp(adapter.address, b"before:1|c\n" + b"x" * 5000 + b"\nnever:1|c\n")
        send_udp(adapter.address, b"ok:1|c")

        own = {"tcp_too_long_lines_total": 2, "udp_packets_total": len(GARBAGE) + 1}
        adapter.wait_for({"ok": 1, "before": 1} | {f"statsd_exporter_{name}": n for name, n in own.items()})

        page = adapter.samples()  # its counts are of after all that
        assert "never" not in page
        assert page['statsd_exporter_sample_errors_total{reason="malformed_line"}'] >= 4
        assert "Traceback" not in adapter.output


def test_a_line_may_come_in_pieces_and_with_carriage_returns() -> None:
    with Adapter() as adapter:
        send_tcp(adapter.address, b"foo:1", b"|c\r\nba", b"r:2|c\nlast:3|c")
        send_tcp(adapter.address, b"x" * 4091 + b":1|c\n", b"y" * 4092 + b":1|c\n")

        own = {"statsd_exporter_lines_total": 4, "statsd_exporter_tcp_too_long_lines_total": 1}
        adapter.wait_for({"foo": 1, "bar": 2, "last": 3, "x" * 4091: 1} | own)


def test_a_burst_of_packets_arrives_whole() -> None:
    with Adapter() as adapter:
        for _ in range(100):
            send_udp(adapter.address, *[b"burst:1|c\nburst:1|c|#a:b"] * 20)
            until(lambda: adapter.get("/livez").status == 200, 30, "a turn")

        adapter.wait_for({"burst": 2000, 'burst{a="b"}': 2000, "statsd_exporter_udp_packet_drops_total": 0})


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    argv = [script("podmates-metrics"), f"--statsd.listen-unixgram={path}", "--statsd.listen-udp="]

    ended = run([*argv, "--statsd.listen-tcp=", f"--web.listen-address=127.0.0.1:{free_port()}"])

    assert ended.status == 1
    assert "cannot listen" in ended.stderr
    assert path.read_text() == "data"


def test_datagrams_by_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "statsd.sock"
    flags = (f"--statsd.listen-unixgram={path}", "--statsd.unixsocket-mode=777")
    with Adapter(*flags) as adapter:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"a:1|c\nb:2|g", str(path))
        adapter.wait_for({"a": 1, "b": 2, "statsd_exporter_unixgram_packets_total": 1})
        assert path.stat().st_mode & 0o777 == 0o777
        adapter.send(signal.SIGKILL)
        adapter.wait()
    assert path.exists(), "left of the killed process"

    with Adapter(*flags) as adapter:
        assert adapter.stop() == 0
    assert not path.exists()


def test_lines_are_relayed_as_they_came() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target:
        target.bind(("127.0.0.1", 0))
        target.settimeout(30)
        where = f"127.0.0.1:{target.getsockname()[1]}"
        with Adapter(f"--statsd.relay.address={where}", "--statsd.relay.packet-length=40") as adapter:
            send_udp(adapter.address, b"a:1|c\nbad line\n\nb:1|c", b"x" * 39 + b":1|c", b"y" * 35 + b":1|c")

            assert target.recv(100) == b"a:1|c\nbad line\nb:1|c\n"
            assert target.recv(100) == b"y" * 35 + b":1|c\n"
            own = "statsd_exporter_relay_"
            label = f'{{target="{where}"}}'
            adapter.wait_for({f"{own}long_lines_total{label}": 1, f"{own}lines_relayed_total{label}": 4})


def test_a_mapping_file_is_read_again_and_a_bad_one_is_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text("mappings: [{match: a.*, name: one}]")
    with Adapter(f"--statsd.mapping-config={file}", "--web.enable-lifecycle") as adapter:
        send_udp(adapter.address, b"a.x:1|c")
        adapter.wait_for({"one": 1})

        put(file, "mappings: [{match: a.*, name: two}]")
        adapter.send(signal.SIGHUP)
        adapter.wait_for({'statsd_exporter_config_reloads_total{outcome="success"}': 1})
        send_udp(adapter.address, b"a.x:5|c")
        adapter.wait_for({"one": 1, "two": 5})

        put(file, "bogus: 1")
        assert adapter.get("/-/reload").text == ""
        answer = adapter.get("/-/reload", "POST")
        assert (answer.status, "field bogus not found" in answer.text) == (200, True)
        assert "field bogus not found" in answer.headers["X-Reload-Error"]
        assert adapter.get("/-/reload?strict=1", "PUT").status == 500
        send_udp(adapter.address, b"a.x:1|c")
        adapter.wait_for({"two": 6, 'statsd_exporter_config_reloads_total{outcome="failure"}': 2})
        assert adapter.get("/-/quit", "POST").status == 200
        assert adapter.wait() == 0


def test_an_idle_series_goes(tmp_path: Path) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text("mappings: [{match: a, name: a, ttl: 1s}]")
    with Adapter(f"--statsd.mapping-config={file}") as adapter:
        send_udp(adapter.address, b"b:1|c")

        def there() -> bool:
            send_udp(adapter.address, b"a:1|c")  # each time: a second may be over before the page is made
            return "a" in adapter.samples()

        until(there, 60, "series a")
        until(lambda: "a" not in adapter.samples(), 60, "series a to go")
        assert adapter.samples()["b"] == 1


def test_scrapes_go_on_while_lines_come(tmp_path: Path) -> None:
    lines = [b"s%d:1|c|#n:%d" % (number % 50, number) for number in range(20_000)]
    with Adapter() as adapter:
        for start in range(0, len(lines), 1000):
            send_tcp(adapter.address, b"\n".join(lines[start : start + 1000]))
            assert adapter.get("/metrics", Accept_Encoding="gzip").headers["Content-Encoding"] == "gzip"

        adapter.wait_for({"podmates_statsd_series": 20_000})
        text = adapter.get("/metrics").text
        names = re.findall(r"^# TYPE (s\d+) counter$", text, re.MULTILINE)
        assert names == sorted(names)
        assert len(names) == 50
