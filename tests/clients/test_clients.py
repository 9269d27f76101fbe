"""Client libraries, unmodified, through servers that are delayed, killed and failed over.

Each program does rounds of everything that its library is used for and checks every reply against what one
plain server would have said (`programs/`). It never hears of the servers behind the ambassador.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.clients.player import Player
from tests.support.ambassador import Ambassador
from tests.support.redis_servers import HOST, Pair
from tests.support.waiting import until

LIBRARIES = {  # name: program and words
    "redis-py, RESP2": "python/redis_py {port} 2",
    "redis-py, RESP3": "python/redis_py {port} 3",
    "redis-py asyncio, RESP2": "python/redis_py_asyncio {port} 2",
    "redis-py asyncio, RESP3": "python/redis_py_asyncio {port} 3",
    "valkey-glide": "python/glide_client {port}",
    "rq": "python/rq_tasks {port}",
    "ioredis": "node/ioredis {port}",
    "BullMQ": "node/bullmq {port}",
    "Celery": "python/celery_tasks {port}",
    "go-redis": "go/go-redis {port}",
    "lettuce": "java/Lettuce {port}",
    "jedis": "java/JedisRounds {port}",
}
QUEUES = ("rq", "Celery", "BullMQ")  # which read nothing but what they were just told of
SOME = 10  # rounds that show that it goes on
# What a plain server says to those who wait when it becomes a replica.
WAITED = re.compile("UNBLOCKED")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_client_library_sees_one_plain_server(library: str, command: Callable[[str], list[str]]) -> None:
    with (
        Pair(forwarded=True) as pair,
        Ambassador("--servers", pair.addresses) as ambassador,
    ):
        pair.master.client().set("settled", "here")
        with Player(command(LIBRARIES[library].format(port=ambassador.port))) as player:
            player.progress(SOME)
            pair.links[0].delay(20)
            player.progress(SOME)
            pair.replica.kill()
            player.progress(SOME)
            pair.replica.start()
            pair.replica.follow(HOST, pair.master.port)
            player.progress(SOME)
            assert player.errors == []

            pair.master.hand_over(pair.replica)
            until(lambda: pair.replica.info("replication")["role"] == "master", what="the promotion")
            player.progress(SOME)
            pair.master.wait_link()
            assert [error for error in player.errors if not WAITED.search(error)] == []
            assert player.wrong == []

            pair.replica.kill()  # which is the master now
            pair.master.promote()
            player.progress(SOME)  # what the dead one had not passed on is lost, as Redis says
            wrong = list(player.wrong)
            player.progress(SOME)
            assert player.wrong == wrong
            assert player.end() == 0
        served = ambassador.reads()
    assert library in QUEUES or served.get(("replica", ""), 0) > 0, served
