"""A scrape and the list of clients hold nobody up, however many are connected: SOAK=1 connects thousands."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import pytest

from tests.support.ambassador import Ambassador
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient, request

CLIENTS = 8000
LIMIT = 0.1  # seconds for a PING that is sent while somebody scrapes


@pytest.mark.skipif(os.environ.get("SOAK") != "1", reason="SOAK=1 connects thousands of clients")
@pytest.mark.parametrize("path", ["/metrics", "/clients"])
def test_nobody_waits_for_a_scrape(redis_pair: Pair, path: str) -> None:
    slowest, over = [0.0], threading.Event()
    with Ambassador("--servers", redis_pair.addresses) as ambassador, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(RawClient(ambassador.port)) for _ in range(CLIENTS)]
        for client in clients:
            client.send(request("PING"))
        for client in clients:
            client.read()

        def ping() -> None:
            while not over.is_set():
                start = time.monotonic()
                clients[0].call("PING")
                slowest[0] = max(slowest[0], time.monotonic() - start)

        thread = threading.Thread(target=ping)
        thread.start()
        for _ in range(10):
            assert ambassador.get(path).status == 200
        over.set()
        thread.join(60)
    assert slowest[0] < LIMIT
