"""Who is read: for every policy, who answers, how busy they are, and where they stand."""

from __future__ import annotations

from collections import Counter
from itertools import count

import pytest

from podmates_redis.marks import Follower
from podmates_redis.servers.choosing import Choice, candidates, choose, zone_of, zone_rule


def replica(name: str, **facts: object) -> Follower:
    return Follower(name, usable=True, **facts)  # type: ignore[arg-type]


def first() -> float:
    return 0.0


def names(found: list[Follower]) -> str:
    return "".join(each.name for each in found)


@pytest.mark.parametrize(
    ("read_from", "all_there", "no_replica", "no_master", "nobody"),
    [
        ("master", "m", "m", "", ""),
        ("master_preferred", "m", "m", "ab", ""),
        ("replica", "ab", "", "ab", ""),
        ("replica_preferred", "ab", "", "ab", ""),
        ("any", "abm", "m", "ab", ""),
        ("nearest", "abm", "m", "ab", ""),
    ],
)
def test_who_may_be_read(
    read_from: str, all_there: str, no_replica: str, no_master: str, nobody: str
) -> None:
    choice = Choice(read_from=read_from)
    replicas, master = [replica("a"), replica("b"), Follower("x")], replica("m")

    assert names(candidates(choice, replicas, master)) == all_there
    assert names(candidates(choice, [Follower("x")], master)) == no_replica
    assert names(candidates(choice, replicas, None)) == no_master
    assert names(candidates(choice, [], None)) == nobody
    assert choose(choice, [], None, first) is None


def test_a_master_without_weight_is_no_reader() -> None:
    assert names(candidates(Choice(read_from="any", master_weight=0.0), [replica("a")], replica("m"))) == "a"


def given(choice: Choice, replicas: list[Follower], master: Follower | None = None) -> Counter[str]:
    """Return who gets how many of 60 clients that come one after the other."""
    chances = (number * 0.37 % 1.0 for number in count())
    taken: Counter[str] = Counter()
    for _ in range(60):
        chosen = choose(choice, replicas, master, lambda: next(chances))
        assert chosen is not None
        chosen.clients += 1
        taken[chosen.name] += 1
    return taken


@pytest.mark.parametrize("balance", ["least", "round_robin", "random"])
def test_clients_are_spread(balance: str) -> None:
    found = given(Choice(balance=balance), [replica("a"), replica("b"), replica("c")])
    assert all(15 <= found[name] <= 25 for name in "abc"), found


@pytest.mark.parametrize("balance", ["least", "round_robin", "random"])
def test_one_that_came_back_just_now_gets_few(balance: str) -> None:
    found = given(Choice(balance=balance), [replica("a"), replica("b", share=0.1)])
    assert 1 <= found["b"] <= 10, found


def test_ties_fall_by_chance() -> None:
    replicas = [replica("a"), replica("b")]
    assert choose(Choice(), replicas, None, lambda: 0.0) is replicas[0]
    assert choose(Choice(), replicas, None, lambda: 0.9) is replicas[1]


def test_the_nearest_is_read_and_those_as_near() -> None:
    choice = Choice(read_from="nearest")
    replicas = [replica("a", distance=0.010), replica("b", distance=0.014), replica("c", distance=0.030)]

    assert set(given(choice, replicas, replica("m", distance=0.050))) == {"a", "b"}
    assert set(given(choice, replicas, replica("m", distance=0.001))) == {"m"}


def test_ways_too_short_to_differ_do_not() -> None:
    replicas = [replica("a", distance=0.0001), replica("b", distance=0.0005)]
    assert set(given(Choice(read_from="nearest"), replicas)) == {"a", "b"}


ZONAL = Choice(zone="here")


def test_our_zone_comes_first_then_its_master_then_the_others() -> None:
    near, far = replica("near", zone="here"), replica("far", zone="there")

    assert choose(ZONAL, [far, near], replica("m", zone="here"), first) is near
    assert choose(ZONAL, [far], replica("m", zone="here"), first).name == "m"  # type: ignore[union-attr]
    assert choose(ZONAL, [far], replica("m", zone="there"), first) is far
    assert choose(ZONAL, [far], None, first) is far


def test_a_zone_that_is_too_busy_spills_over() -> None:
    found = given(ZONAL, [replica("near", zone="here"), replica("far", zone="there")])
    assert found["near"] > found["far"] > 10, found


@pytest.mark.parametrize(
    ("host", "zone"), [("10.0.1.7", "a"), ("10.0.11.7", "said"), ("r.b.example", "b"), ("", "said")]
)
def test_the_zone_of_a_server(host: str, zone: str) -> None:
    zones = [zone_rule("10.0.1.*=a"), zone_rule("*.b.example=b")]
    assert zone_of(zones, host, "said") == zone


@pytest.mark.parametrize("text", ["", "a", "=a", "a="])
def test_what_is_no_zone(text: str) -> None:
    with pytest.raises(ValueError, match="want"):
        zone_rule(text)
