"""A connection for questions that is reset while it rests, by a firewall say, blinds nobody."""

from __future__ import annotations

import pytest

from tests.support.ambassador import Ambassador
from tests.support.forwarder import Forwarder
from tests.support.pods import ask
from tests.support.redis_groups import Sentinels
from tests.support.redis_servers import HOST, Pair
from tests.support.waiting import until

RESETS = 3


def reset(link: Forwarder) -> None:
    """Reset what goes through *link*, and wait until it was noticed and made anew."""
    for _ in range(RESETS):
        before = link.accepted
        link.drop()
        until(lambda before=before: link.accepted > before, 30, "a new connection for questions")  # type: ignore[misc]


@pytest.mark.parametrize("whose", ["master", "replica"])
def test_a_failover_is_seen_after_an_idle_reset(whose: str) -> None:
    with Pair() as pair, Forwarder((HOST, getattr(pair, whose).port)) as link:
        direct = pair.replica if whose == "master" else pair.master
        with Ambassador("--servers", f"{link.address},{direct.address}") as ambassador:
            ambassador.wait_readyz()
            assert ask(ambassador.port, "SET", "x", 1) == b"+OK\r\n"
            reset(link)
            pair.settle()
            pair.master.kill()
            pair.replica.promote()

            until(lambda: ask(ambassador.port, "SET", "x", 2) == b"+OK\r\n", 30, "writes to go on")
            assert pair.replica.client().get("x") == b"2"


def test_sentinels_are_asked_again_after_an_idle_reset() -> None:
    with Pair() as pair, Sentinels(pair) as sentinels, Forwarder((HOST, sentinels.ports[0])) as link:
        flags = ("--sentinels", link.address, "--sentinel-master", sentinels.name)
        with Ambassador(*flags) as ambassador:
            ambassador.wait_readyz()
            reset(link)
            pair.settle()
            pair.master.kill()

            until(lambda: ask(ambassador.port, "SET", "x", 2) == b"+OK\r\n", 60, "writes to go on")


def test_the_next_client_is_heard_after_resets_in_the_middle_of_a_question() -> None:
    """The descriptor of a lost connection is soon another's: that one must be heard."""
    with (
        Pair() as pair,
        Forwarder((HOST, pair.master.port)) as link,
        Ambassador("--servers", f"{link.address},{pair.replica.address}") as ambassador,
    ):
        for number in range(30):
            link.drop()
            until(
                lambda number=number: ask(ambassador.port, "SET", "x", number).startswith(b"+OK"),  # type: ignore[misc]
                30,
                "a write",
                ignoring=(OSError,),
            )
            assert ask(ambassador.port, "PING") == b"+PONG\r\n"
