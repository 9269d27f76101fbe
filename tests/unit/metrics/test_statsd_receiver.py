"""A thread receives, Python learns: whatever comes and however it is cut, the page is that of one thread."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podmates_metrics.statsd.engine import Engine
from tests.support.fuzzing import often
from tests.support.waiting import until
from tests.unit.metrics.engines import TWINS, engine, page, samples, total
from tests.unit.metrics.test_statsd_twins import LINES, MAPPING

pytestmark = pytest.mark.skipif("compiled" not in TWINS, reason="there is no compiler: make setup needs gcc")
PACKETS = st.lists(st.lists(LINES, max_size=6).map(lambda lines: "\n".join(lines).encode()), max_size=12)


@contextmanager
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A pair of datagram sockets."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        yield ours, theirs


def drain(subject: Engine, receiver: Any) -> int:
    """Feed what waits; return how many pieces that were."""
    pieces = 0
    while (lines := receiver.take()) is not None:
        subject.feed(lines, 0.0)
        pieces += 1
    return pieces


def deliver(ours: socket.socket, receiver: Any, packet: bytes) -> None:
    """Send a datagram; a queue that is full is received first: some kernels keep ten."""
    ours.setblocking(False)
    try:
        ours.send(packet)
    except BlockingIOError:
        receiver.run()
        ours.send(packet)


def counted(subject: Engine) -> dict[str, Any]:
    """Return the self metrics that do not tell how a line was looked up."""
    return {
        name: values
        for name, values in subject.totals().items()
        if not name.startswith("statsd_metric_mapper_cache_") and "remembered" not in name
    }


@settings(max_examples=often(100))
@given(st.lists(PACKETS, max_size=4))
def test_what_the_receiver_takes_is_what_the_twin_in_python_takes(rounds: list[list[bytes]]) -> None:
    subject, plain = engine("compiled", MAPPING), engine("pure", MAPPING)
    with sockets() as (ours, theirs):
        receiver = subject.receiver(theirs.fileno())
        receiver.stop()  # so that each run takes what is there and ends
        for packets in rounds:
            for packet in packets:
                deliver(ours, receiver, packet)
            receiver.run()
            drain(subject, receiver)
            for packet in packets:
                plain.feed(packet, 0.0)

        assert receiver.count == sum(map(len, rounds))
        assert receiver.waiting == 0
    assert page(subject) == page(plain)
    assert counted(subject) == counted(plain)


def test_known_lines_never_come_to_python() -> None:
    subject = engine("compiled")
    subject.feed(b"a:1|c\nb:1|g\nc:1|ms", 0.0)
    with sockets() as (ours, theirs):
        receiver = subject.receiver(theirs.fileno())
        receiver.stop()
        ours.send(b"a:2|c\nb:5|g\nc:3|ms")
        ours.send(b"b:+1.5e0|g")

        receiver.run()

        assert drain(subject, receiver) == 0
    assert {k: v for k, v in samples(subject).items() if "{" not in k} == {
        "a": 3,
        "b": 6.5,
        "c_sum": 0.004,
        "c_count": 2,
    }


def test_what_comes_after_an_unknown_line_waits_behind_it() -> None:
    subject = engine("compiled")
    subject.feed(b"a:1|g", 0.0)
    with sockets() as (ours, theirs):
        receiver = subject.receiver(theirs.fileno())
        receiver.stop()
        for packet in (b"a:2|g\na:3|g|#", b"a:4|g", b"", b"a:x|g\na:5|g"):
            ours.send(packet)

        receiver.run()
        assert samples(subject) == {"a": 2}
        assert select.select([receiver.signal], [], [], 0)[0], "Python is called"

        assert receiver.take() == b"a:3|g|#\na:4|g\n\na:x|g\na:5|g"
        ours.send(b"a:6|g")
        receiver.run()
        assert samples(subject) == {"a": 2}, "Python is still at it"
        assert receiver.take() == b"a:6|g"
        assert receiver.take() is None
        assert not select.select([receiver.signal], [], [], 0)[0]


def test_a_full_backlog_leaves_the_rest_to_the_kernel_and_loses_nothing() -> None:
    subject = engine("compiled")
    lines = [b"%d" % number + b"x" * 3000 for number in range(60)]
    with sockets() as (ours, theirs):
        ours.setblocking(False)
        receiver = subject.receiver(theirs.fileno(), most=1000)
        receiver.stop()
        sent, got = 0, b""
        while sent < len(lines) or receiver.waiting:
            try:
                while sent < len(lines):
                    ours.send(lines[sent])
                    sent += 1
            except BlockingIOError:
                pass
            receiver.run()
            assert receiver.waiting <= 1000 + 32 * 4000, "one call more than the bound"
            while (piece := receiver.take()) is not None:
                got += piece + b"\n"

        assert got.splitlines() == lines


def test_the_longest_datagram_comes_in_one_piece() -> None:
    subject = engine("compiled")
    with sockets() as (ours, theirs):
        receiver = subject.receiver(theirs.fileno())
        receiver.stop()
        ours.send(b"a:1|c")
        ours.send(b"x" * 65535)
        ours.send(b"b:1|c")
        receiver.run()

        assert [receiver.take(), receiver.take(), receiver.take(), receiver.take()] == [
            b"a:1|c",
            b"x" * 65535,
            b"b:1|c",
            None,
        ]


def _send(sock: socket.socket, packets: Sequence[bytes]) -> None:
    for packet in packets:
        sock.send(packet)


def test_two_threads_and_a_stream_count_every_line() -> None:
    subject = engine("compiled", "mappings: [{match: t, name: t, observer_type: histogram}]")
    packets = [b"shared:1|c\nt:20|ms\nown%d:1|c\nbad" % (number % 50) for number in range(2000)]
    with sockets() as first, sockets() as second:
        receivers = [subject.receiver(pair[1].fileno()) for pair in (first, second)]
        jobs = [threading.Thread(target=receiver.run) for receiver in receivers]
        jobs += [threading.Thread(target=_send, args=(pair[0], packets)) for pair in (first, second)]
        for job in jobs:
            job.start()
        fed = 0

        def feed() -> bool:
            nonlocal fed
            for receiver in receivers:
                drain(subject, receiver)
            for packet in packets[fed : fed + 40]:
                subject.feed(packet, 0.0)
            fed += 40
            return fed >= 2000 and total(subject, "statsd_exporter_lines_total") == 3 * 2000 * 4

        until(feed, 120, "every line")
        for receiver in receivers:
            receiver.stop()
        for job in jobs:
            job.join()

    found = samples(subject)
    assert found["shared"] == found["t_count"] == found['t_bucket{le="+Inf"}'] == 6000
    assert {found[f"own{number}"] for number in range(50)} == {120}
    assert total(subject, "statsd_exporter_sample_errors_total", "malformed_line") == 6000


def test_count_sum_and_buckets_are_of_one_moment() -> None:
    subject = engine(
        "compiled", "defaults: {observer_type: histogram, histogram_options: {buckets: [0.1, 1]}}"
    )
    subject.feed(b"t:500|ms", 0.0)
    cell = next(iter(subject.store.families["t"].series.values())).cell
    with sockets() as (ours, theirs):
        receiver = subject.receiver(theirs.fileno())
        jobs = [threading.Thread(target=receiver.run)]
        jobs += [threading.Thread(target=_send, args=(ours, [b"\n".join([b"t:500|ms"] * 500)] * 200))]
        for job in jobs:
            job.start()

        def look() -> bool:
            for _ in range(1000):
                count, total, buckets = cell.read()
                assert (total, buckets) == (count / 2, [0, count, 0])
            return bool(count == 100_001)

        until(look, 120, "every line")
        receiver.stop()
        for job in jobs:
            job.join()
