"""The slow log: what is kept of a command, what is never shown, and for how long."""

from __future__ import annotations

import pytest

from podmates_redis.session.shared import Shared
from podmates_redis.session.slowlog import Slow, SlowLog, shown
from tests.unit.redis.rig import Rig, shared


class Timed(Rig):
    """A client without a replica whose commands take as long as the test says."""

    def __init__(self, threshold: float = 0.01, facts: Shared | None = None, *, up: bool = True) -> None:
        self.now = 100.0
        facts = facts or shared(replica=False)
        facts.clock, facts.master_name = lambda: self.now, "m:1"
        facts.slowlog.change(threshold, 128)
        super().__init__(facts, up=up)

    def take(self, command: str | bytes, seconds: float, reply: bytes = b"+OK\r\n") -> list[Slow]:
        self.send(command)
        self.now += seconds
        self.master(reply)
        return self.shared.slowlog.newest()


def test_a_command_that_takes_longer_is_kept_with_its_times() -> None:
    rig = Timed()
    assert rig.take("SET k v", 0.0099) == []
    (entry,) = rig.take("APPEND k v", 0.25, b":12345\r\n")

    assert entry.words == [b"APPEND", b"k", b"v"]
    assert (entry.took, entry.queued, entry.served) == (0.25, 0.0, 0.25)
    assert (entry.route, entry.node, entry.size) == ("master", "m:1", 8)
    assert entry.at == pytest.approx(100.2599)


def test_waiting_for_a_connection_is_told_apart() -> None:
    rig = Timed(up=False)
    rig.send("SET k v")
    rig.now += 2
    rig.connect()
    (entry,) = rig.take("", 1)

    assert (entry.took, entry.queued, entry.served) == (3.0, 2.0, 1.0)


def test_nothing_is_kept_when_it_is_off() -> None:
    assert Timed(0.0).take("SET k v", 1e6) == []


@pytest.mark.parametrize("command", ["BLPOP k 0", "XREAD BLOCK 0 STREAMS s $", "WAIT 1 0"])
def test_what_its_client_waits_for_is_not_slow(command: str) -> None:
    rig = Timed()
    rig.send(command)
    rig.now += 10
    if command.startswith("WAIT"):
        rig.master(b"+PONG\r\n")
    rig.master(b"*-1\r\n")

    assert rig.shared.tally.commands
    assert rig.shared.slowlog.newest() == []


SECRETS = [
    "AUTH sesame",
    "AUTH user sesame",
    "HELLO 3 AUTH user sesame SETNAME me",
    "CONFIG SET requirepass sesame",
    "CONFIG GET sesame",
    "config set masterauth sesame",
    "ACL SETUSER me on >sesame",
    "MIGRATE h 1 k 0 5000 AUTH sesame",
    "MIGRATE h 1 k 0 5000 AUTH2 user sesame",
    "MODULE LOADEX /m CONFIG password sesame",
    "SENTINEL SET m auth-pass sesame",
    "AUHT sesame",  # a word that nobody knows may be a secret as well
    "sesame",
    "CONFIG sesame",
]


@pytest.mark.parametrize("command", SECRETS)
def test_a_secret_is_never_shown(command: str) -> None:
    facts = shared(replica=False)
    rig = Timed(facts=facts)
    object.__setattr__(facts.policy, "administrative", True)
    rig.send(command)
    rig.now += 10
    if rig.asked():
        rig.master(b"-ERR no\r\n")
    entries = rig.shared.slowlog.newest()

    assert b"sesame" not in repr(entries).encode()
    assert all(entry.words[1:] == [b"(redacted)"] for entry in entries)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([b"SET", b"k", b"x" * 128], [b"SET", b"k", b"x" * 128]),
        ([b"SET", b"k", b"x" * 130], [b"SET", b"k", b"x" * 128 + b"... (2 more bytes)"]),
        ([b"DEL", *[b"k"] * 31], [b"DEL", *[b"k"] * 31]),
        ([b"DEL", *[b"k"] * 32], [b"DEL", *[b"k"] * 30, b"... (2 more arguments)"]),
    ],
    ids=["a long word", "a longer one", "32 words", "33 words"],
)
def test_it_is_cut_as_a_server_cuts_it(words: list[bytes], expected: list[bytes]) -> None:
    assert shown(words, True) == expected


def test_only_the_last_ones_are_kept_and_their_numbers_go_on() -> None:
    log = SlowLog(0.01, 3)
    for _ in range(5):
        assert log.takes(float(log.added))
        log.add(Slow(0, 1.0, 1.0, 0.0, 1.0, [b"GET"], 1, b"", b"", "master", "m:1", 5))
    assert [entry.id for entry in log.newest()] == [5, 4, 3]

    log.change(0.01, 2)
    assert [entry.id for entry in log.newest()] == [5, 4]
    assert log.added == 5


def test_of_an_overload_no_more_is_kept_than_is_worth_it() -> None:
    log = SlowLog(0.01, 128)
    taken = sum(log.takes(now / 10_000) for now in range(20_000))  # ten thousand a second, for two

    assert 128 + 190 <= taken <= 128 + 210
    assert log.added == 20_000
