"""Errors of ours that nobody foresaw: whom they concern is closed, others go on, and each is told once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from podmates_redis import faults
from podmates_redis.clients import listening
from podmates_redis.clients.doors import Arrival
from podmates_redis.session import answering, routing
from podmates_redis.twin import answers, clients, replies
from tests.support.inside import Inside
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient
from tests.support.waiting import until

MARKER = b"poison"


class Unforeseen(Exception):
    """What no code expects."""


def poisoned(function: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
    """Return *function*, which raises for what has to do with the marker, before or after it has worked."""

    def raises(*arguments: Any, **named: Any) -> Any:
        hit = any(MARKER in found for found in map(_bytes, arguments))
        if hit and not after:
            raise Unforeseen(MARKER.decode())
        result = function(*arguments, **named)
        if hit:
            raise Unforeseen(MARKER.decode())
        return result

    return raises


def _bytes(thing: Any) -> bytes:
    """Return what a client has sent, as far as *thing* holds it."""
    if isinstance(thing, Arrival):
        return thing.rest.unread
    found = getattr(thing, "raw", None) or getattr(thing, "data", None)
    return next((one for one in (thing, found) if isinstance(one, bytes)), b"")


# where an error comes up: the form, and whether that is before or after the work is done
PLACES: dict[str, tuple[str, Any, str, bool]] = {
    "pure, a reply": ("pure", answering, "finish", False),
    "pure, a reply that was taken": ("pure", answering, "finish", True),
    "pure, a request": ("pure", routing, "_let_in", False),
    "twin, a reply": ("twin", replies, "finish", False),
    "twin, a reply that was half taken": ("twin", answers, "settle", True),
    "twin, a request": ("twin", clients, "take_quickly", False),
    "compiled, a client that comes to Python": ("compiled", listening.Doorman, "arrives", False),
    "compiled, one that is here": ("compiled", answering, "finish", False),
}


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return what was logged of errors of ours."""
    caplog.set_level(logging.ERROR)
    return lambda: [record.getMessage() for record in caplog.records if record.name == faults.__name__]


@pytest.mark.parametrize("place", PLACES)
def test_who_is_concerned_is_closed_and_nobody_else(
    redis_pair: Pair, monkeypatch: pytest.MonkeyPatch, told: Callable[[], list[str]], place: str
) -> None:
    form, module, name, after = PLACES[place]
    pure, flags = form == "twin", ["--shared-path", "off"] if form == "pure" else []
    with (
        Inside("--servers", redis_pair.addresses, *flags, pure=pure) as ambassador,
        RawClient(ambassador.port) as other,
        RawClient(ambassador.port) as victim,
    ):
        until(lambda: other.call("SET", "k", "v") == b"+OK\r\n", what="a master")
        until(lambda: victim.call("SET", "mine", "v") == b"+OK\r\n", what="a master")
        if form != "pure":
            until(lambda: ambassador.lodgers() == 2, what="both to be where plain clients are")
        with monkeypatch.context() as patch:
            patch.setattr(module, name, poisoned(getattr(module, name), after=after))
            key = f"{MARKER.decode()}-{form}"
            word = ("BLPOP", key, "0.1") if form == "compiled" else ("SET", key, "v")
            victim.pipeline([("GET", "mine"), word, ("GET", "mine")])
            victim.read_rest()  # the end
            for number in range(100):
                assert other.call("SET", "k", str(number)) == b"+OK\r\n"
                assert other.call("GET", "k") == b"$%d\r\n%d\r\n" % (len(str(number)), number)

        assert ambassador.tally.faults == 1
        assert len(told()) == 1
        assert "Unforeseen: test_redis_faults.py" in told()[0]
        assert MARKER.decode() not in told()[0]
        with RawClient(ambassador.port) as again:
            assert again.call(*word) in (b"+OK\r\n", b"*-1\r\n")
