"""How the bridge of TLS keeps its links, whatever these carry."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from unittest import mock

import pytest

from podmates_redis.servers.bridge import Bridge
from podmates_redis.servers.link import IN, OUT


@contextmanager
def connection() -> Iterator[Any]:
    """Yield what asyncio would have of a connection by TLS on which nothing is said."""
    ours, theirs = socket.socketpair()
    secured, transport = mock.Mock(), mock.Mock()
    secured.read.side_effect, secured.outgoing.pending = ssl.SSLWantReadError, 0
    transport.get_extra_info = {"socket": ours, "ssl_object": secured}.get
    with ours, theirs:
        yield transport


def test_after_one_that_found_no_thread_the_next_is_carried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never began to move would be a connection on which everybody waits."""

    def none(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def test() -> None:
        bridge = Bridge(apart=True, note=lambda error: None)
        with connection() as transport:
            with monkeypatch.context() as patched:
                patched.setattr(threading.Thread, "start", none)
                with pytest.raises(OSError, match="new thread"):
                    bridge.part(transport)
            os.close(bridge.part(transport)[0])
            assert "tls-bridge" in [thread.name for thread in threading.enumerate()]
            bridge.stop()

    asyncio.run(test())


def test_no_descriptor_is_free_before_all_that_happened_was_seen() -> None:
    """The next link might be given it, and what happened to the one before."""

    async def test() -> None:
        bridge = Bridge(apart=False, note=lambda error: None)
        with connection() as transport:
            engine, begin = bridge.part(transport)
            begin()
            poll: Any = bridge._poll
            bridge._turn(poll, 0)
            os.close(engine)
            seen = []

            def happened(wait: float | None, most: int) -> Iterator[tuple[int, int]]:
                for number, events in poll.poll(wait, most):
                    yield number, events
                    seen.append(os.fstat(number))  # an OSError, if it is closed

            bridge._turn(cast(Any, mock.Mock(poll=happened)), 0)
            assert len(seen) == 1
            assert not bridge._links
            bridge.stop()

    asyncio.run(test())


def test_a_link_that_the_kernel_does_not_watch_ends_alone() -> None:
    """The others go on: an error in the thread would end them all, and nobody would be told."""

    async def test() -> None:
        noted: list[Exception] = []
        bridge = Bridge(apart=False, note=noted.append)
        with connection() as transport:
            engine, begin = bridge.part(transport)
            begin()
            full = mock.Mock(poll=cast(Any, bridge._poll).poll)
            full.register.side_effect = OSError(errno.ENOSPC, "no watches left")
            bridge._turn(full, 0)
            await asyncio.sleep(0)
            assert [type(error) for error in noted] == [OSError]
            with socket.socket(fileno=engine) as left:
                assert left.recv(1) == b""
            assert not bridge._links
            bridge.stop()

    asyncio.run(test())


def test_whatever_is_wanted_next_can_be_watched() -> None:
    wishes = [(IN, IN), (IN | OUT, 0), (IN, 0), (OUT, OUT), (0, 0), (0, IN | OUT)]
    one, other = socket.socketpair()
    with one, other, select.epoll() as poll:
        poll.register(one, 0)
        link = mock.Mock(engine=one, server=other, watched=(0, 0))
        for before, after in itertools.product(wishes, wishes):
            for link.wants.return_value in (before, after):
                Bridge._watch(poll, link)
            assert link.watched == after
