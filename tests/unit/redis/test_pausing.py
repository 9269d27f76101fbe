"""CLIENT PAUSE: who waits, and who goes on first."""

from __future__ import annotations

import random
from hashlib import sha1
from typing import cast

import pytest

from podmates_redis.clients.client import Client
from podmates_redis.clients.listening import Doorman
from podmates_redis.clients.wants import Limits
from podmates_redis.servers.topology import Topology
from podmates_redis.wire.requests import encode
from tests.unit.redis.rig import OK, QUEUED, Rig, shared

READING = b"#!lua flags=no-writes\nreturn redis.call('get', KEYS[1])"


@pytest.mark.parametrize(
    ("body", "held"), [(READING, False), (b"#!lua\nreturn 1", True), (b"return 1", True)]
)
def test_a_pause_of_writes_lets_scripts_pass_that_say_they_write_nothing(body: bytes, held: bool) -> None:
    rig = Rig()
    rig.send(encode(b"SCRIPT", b"LOAD", body))
    rig.master(b"$40\r\n" + b"f" * 40 + b"\r\n")
    digest = sha1(body).hexdigest().upper().encode()
    rig.asked()
    rig.shared.pause.begin(10.0, False)
    for words in ((b"EVAL", body, b"0"), (b"EVALSHA", digest, b"0")):
        rig.send(encode(*words))
        assert rig.asked() == ([] if held else [words[0]])
        rig.shared.pause.over()
        rig.send("PING")
        rig.master(b":1\r\n")
        rig.asked()
        rig.shared.pause.begin(10.0, False)


def test_a_pause_of_writes_holds_a_transaction_only_for_scripts_that_may_write() -> None:
    for body, asked in ((READING, [b"EXEC"]), (b"return 1", [])):
        rig = Rig()
        rig.send(encode(b"MULTI") + encode(b"EVAL", body, b"0"))
        rig.master(OK + QUEUED)
        rig.asked()
        rig.shared.pause.begin(10.0, False)
        rig.send("EXEC")
        assert rig.asked() == asked


def test_a_pause_of_writes_holds_every_function() -> None:
    """What it may do only the server knows."""
    rig = Rig()
    rig.shared.pause.begin(10.0, False)
    rig.send("FCALL f 0")

    assert (rig.asked(), rig.session.paused is not None) == ([], True)


def test_they_go_on_in_the_order_in_which_they_came() -> None:
    now, went = [0.0], list[int]()
    facts = shared()
    facts.clock = lambda: now[0]
    facts.pause.begin(1e9, False)

    class Waits:
        def __init__(self, number: int) -> None:
            self.number, self.rig = number, Rig(facts)
            self.session = self.rig.session

        def proceed(self) -> None:
            went.append(self.number)

    waiting = [Waits(number) for number in range(50)]
    order = random.Random(1).sample(waiting, len(waiting))
    for now[0], one in enumerate(order):
        one.rig.send("SET k v")
    doorman = Doorman(cast("Topology", None), facts, cast("Limits", None), 100)
    doorman.clients = cast("set[Client]", set(waiting))
    doorman._resume()

    assert went == [one.number for one in order]
