"""Which replicas take reads, when few are left, late, failing, or without a master."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import cast

import pytest

from podmates_common.parse import Address
from podmates_redis.marks import Follower
from podmates_redis.servers.asking import Asker
from podmates_redis.servers.choosing import zone_rule
from podmates_redis.servers.election import Seen
from podmates_redis.servers.figures import Figures
from podmates_redis.servers.probing import Node, Probing
from podmates_redis.servers.readers import Readers, Rules
from podmates_redis.session.shared import Shared

MASTER = Seen("m:1", answered=True, role="master", history="h")
REPLICA = Seen("", answered=True, role="slave", history="h", linked=True, zone="said")


def node(name: str, seen: Seen, *, late: bool = False) -> Node:
    found = Node(Address(name, 1), cast(Asker, None), Follower(f"{name}:1"), replace(seen, name=f"{name}:1"))
    found.lag.over = late
    return found


class Play:
    """A master, and replicas that are late or not, under *rules*."""

    def __init__(self, rules: Rules, late: str) -> None:
        self.shared, self.ejected = Shared(), list[str]()
        self.readers = Readers(self.shared, rules, lambda follower: self.ejected.append(follower.name[0]))
        self.master = node("m", MASTER)
        self.replicas = [
            node(name, REPLICA, late=mark == "l") for name, mark in zip("abc", late, strict=False)
        ]

    def decide(self) -> str:
        self.readers.decide([self.master, *self.replicas], self.master)
        return "".join(sorted(follower.name[0] for follower in self.shared.followers))


@pytest.mark.parametrize(
    ("rules", "late", "used"),
    [
        (Rules(), "---", "abc"),
        (Rules(), "-l-", "ac"),
        (Rules(), "lll", ""),
        (Rules(min_healthy=2), "ll-", ""),
        (Rules(min_healthy=2), "l--", "bc"),
        (Rules(min_healthy=2, fallback="error"), "ll-", ""),
        (Rules(fallback="stale"), "lll", "abc"),
        (Rules(fallback="stale"), "ll-", "c"),
        (Rules(min_healthy=2, fallback="stale"), "ll-", "abc"),
    ],
)
def test_who_takes_reads(rules: Rules, late: str, used: str) -> None:
    play = Play(rules, late)
    assert play.decide() == used
    assert [n.follower.late for n in play.replicas] == [
        mark == "l" and n.follower.usable for mark, n in zip(late, play.replicas, strict=True)
    ]
    assert play.shared.why_nobody == ("lag" if "l" in late else "no_replica")


def test_failures_eject_at_once_and_the_metric_tells_why() -> None:
    play = Play(Rules(), "-l-")
    play.decide()
    for _ in range(5):
        play.readers.failed(play.replicas[0])
    assert play.ejected == ["a"]
    assert play.decide() == "c"

    probing = cast(Probing, type("Asked", (), {"master": play.master})())
    probing.nodes = {n.seen.name: n for n in [play.master, *play.replicas]}
    assert Figures(probing).ejected() == [(("a:1", "failures"), 1), (("b:1", "lag"), 1)]


def test_one_that_comes_back_starts_with_a_small_share_and_level_with_the_others() -> None:
    play = Play(Rules(), "---")
    play.decide()
    for follower in play.shared.followers:
        follower.turn = 40.0
    for _ in range(5):
        play.readers.failed(play.replicas[0])
    for follower in play.shared.followers:
        follower.turn = 60.0  # meanwhile
    play.replicas[0].breaker.tried(time.monotonic(), good=True)
    assert play.decide() == "abc"
    assert play.replicas[0].follower.share < 0.5
    assert play.replicas[1].follower.share == 1.0
    assert play.replicas[0].follower.turn == 60.0


def test_a_server_that_is_left_gently_is_not_cut() -> None:
    play = Play(Rules(), "--")
    play.decide()
    play.readers.drop(play.replicas[0], gently=True)
    assert play.ejected == []
    play.readers.drop(play.replicas[1])
    assert play.ejected == ["b"]
    assert play.shared.followers == []


def test_zones_are_those_of_the_settings_else_as_the_server_says() -> None:
    play = Play(Rules(zones=(zone_rule("a=near"),)), "--")
    play.decide()
    assert [n.follower.zone for n in play.replicas] == ["near", "said"]


def test_the_master_stands_among_those_that_may_be_read_while_it_answers() -> None:
    play = Play(Rules(), "-")
    play.decide()
    assert (play.shared.home.usable, play.shared.home.name) == (True, "m:1")
    play.master.seen = replace(play.master.seen, answered=False)
    assert play.decide() == "a"
    assert not play.shared.home.usable


def test_a_replica_that_follows_a_stranger_is_not_read_while_the_master_is_silent() -> None:
    play = Play(Rules(), "--")
    play.decide()
    play.master.seen = replace(play.master.seen, answered=False)
    play.replicas[0].seen = replace(play.replicas[0].seen, history="stranger")
    assert play.decide() == "b"
    assert play.ejected == ["a"]


def test_without_a_master_replicas_are_read_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the moment at which it was silent for the first time, until it answers again."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for limit, used in ((10.0, ["a", "a", "", "a", "a"]), (0.0, ["a"] * 5)):
        play = Play(Rules(stale_ok=limit), "-")
        found = []
        for silent, later in ((False, 0.0), (True, 9.0), (True, 11.0), (False, 0.0), (True, 9.0)):
            play.master.seen = replace(play.master.seen, answered=not silent)
            if silent:
                play.decide()
            now[0] += later
            found.append(play.decide())
        assert found == used


def test_one_that_is_late_is_so_only_while_it_is() -> None:
    play = Play(Rules(fallback="stale"), "l")
    play.decide()
    assert play.replicas[0].follower.late
    play.replicas[0].lag.over = False
    play.decide()

    assert not play.replicas[0].follower.late
