"""A client and two servers at random: replies in order, each request's own, whatever is lost or refused."""

from __future__ import annotations

import random

import pytest

from tests.unit.redis.rig import Rig


class Play:
    """A client and two servers that do at random what they may; each reply names its request."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.rig = Rig()
        self.sent: list[bytes] = []
        self.owed: dict[str, list[bytes]] = {"master": [], "replica": []}
        self.told: list[bytes] = []

    def step(self) -> None:
        act = self.draw.randrange(10)
        if act < 4:
            lines = [self.request() for _ in range(self.draw.randint(1, 4))]
            self.rig.send("\n".join(lines))
        elif act < 8:
            self.serve(self.draw.choice(("master", "replica")))
        elif act == 8:
            self.owed["master"].clear()
            self.rig.lose_master()
        else:
            self.owed["replica"].clear()
            self.rig.lose_replica()
        self.work()

    def request(self) -> str:
        number = len(self.sent)
        line = self.draw.choice(("GET {}", "SET {} v", "ECHO {}", "EVAL {} 0", "TYPE {}", "INCR {}"))
        self.sent.append(b"%d" % number)
        return line.format(number)

    def serve(self, who: str) -> None:
        lane = self.rig.session.master if who == "master" else self.rig.session.replica
        while self.owed[who] and lane.up and self.draw.random() < 0.8:
            name = self.owed[who].pop(0)
            error = who == "replica" and self.draw.random() < 0.1
            reply = b"-LOADING x\r\n" if error else b"$%d\r\n%b\r\n" % (len(name), name)
            (self.rig.master if who == "master" else self.rig.replica)(reply)
            if lane.drop:
                self.owed[who].clear()
            self.work()

    def work(self) -> None:
        """Do what a shell would."""
        session = self.rig.session
        for who, lane in (("master", session.master), ("replica", session.replica)):
            lane.drop = False
            if not lane.up and lane.queue:
                self.rig.connect(who == "master", who == "replica")
            self.owed[who] += [request.split(b"\r\n")[4] for request in lane.out]
            lane.out.clear()
        self.told += [part for part in self.rig.told().split(b"\r\n") if part[:1] != b"$"][:-1] or []


@pytest.mark.parametrize("seed", range(40))
def test_every_request_gets_its_own_reply_and_only_one(seed: int) -> None:
    play = Play(seed)
    for _ in range(300):
        play.step()
    for _ in range(2000):
        play.serve("master")
        play.serve("replica")
        play.work()

    assert not play.rig.session.abort
    assert len(play.told) == len(play.sent)
    wrong = [
        (t, s) for t, s in zip(play.told, play.sent, strict=True) if t != s and b"connection lost" not in t
    ]
    assert wrong == []
