"""What sentinels say, the truth and lies, and who is the master then."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from podmates_redis.servers.claims import (
    View,
    about,
    claim,
    distinct,
    known,
    sentinels,
    servers,
    subject,
    undecided,
    view,
)
from podmates_redis.servers.election import Claim, Seen, elect

A, B, C = ("a", 1), ("b", 1), ("c", 1)
OLD = Seen("a", answered=True, role="master", history="h1", problem="")
NEW = Seen("b", answered=True, role="master", history="h2", before="h1", problem="")
DECOY = Seen("d", answered=True, role="master", history="other", problem="")
REPLICA = Seen("b", answered=True, role="slave", history="h1", linked=True, problem="")


def silent(seen: Seen) -> Seen:
    return replace(seen, answered=False)


def slave(seen: Seen) -> Seen:
    return replace(seen, role="slave")


@pytest.mark.parametrize(
    ("seen", "current", "said", "master"),
    [
        ([OLD, REPLICA], "", Claim("a", "a"), "a"),
        ([OLD, REPLICA], "a", Claim("a", "a"), "a"),
        ([slave(OLD), REPLICA], "a", Claim("a", "a"), ""),
        ([silent(OLD), REPLICA], "a", Claim("a", "a"), "a"),
        ([silent(OLD), NEW], "a", Claim("a", "b"), "b"),
        ([OLD, NEW], "a", Claim("a", "b"), "b"),
        ([OLD, NEW], "b", Claim("a", "b"), "b"),
        ([OLD, NEW], "b", Claim("b", "b"), "b"),
        ([OLD, NEW], "a", Claim("b", "a"), "b"),
        ([OLD, NEW], "a", Claim("b", "b"), "b"),
        ([OLD, REPLICA], "a", Claim("b", "b"), "a"),
        ([slave(OLD), REPLICA], "a", Claim("b", "b"), ""),
        ([OLD, REPLICA, DECOY], "a", Claim("a", "d"), "a"),
        ([silent(OLD), REPLICA, DECOY], "a", Claim("a", "d"), "a"),
        ([silent(OLD), REPLICA, DECOY], "a", Claim("", "d"), "d"),
        ([OLD, REPLICA, DECOY], "a", Claim("", "d"), "a"),
        ([silent(OLD), NEW, DECOY], "a", Claim("a", "a"), "a"),
        ([silent(NEW), OLD], "b", Claim("b", "b"), "b"),
        ([OLD], "a", Claim("x", "x"), "a"),
        ([], "", Claim("x", "x"), ""),
    ],
    ids=[
        "at the start",
        "all is well",
        "ours says that it is a replica",
        "ours is silent and nobody else is named",
        "a crash, and the first sentinel to know",
        "a planned switch, and the first sentinel to know",
        "most do not know yet what we follow",
        "all know",
        "one with a great number insists on the old one",
        "an old master that nobody told",
        "named and not promoted: wait",
        "named and not promoted, ours demoted: nobody",
        "one lies with a great number",
        "one lies while ours is silent",
        "no two agree and ours is silent",
        "no two agree and ours answers",
        "roles without a sentinel's word do not count",
        "the old one comes back while the new one is silent",
        "one that was never heard of",
        "nothing is known",
    ],
)
def test_the_master_by_claim(seen: list[Seen], current: str, said: Claim, master: str) -> None:
    assert elect(seen, current, said) == master


def test_nobody_is_the_master_who_does_not_say_so_unless_it_was_and_is_silent() -> None:
    kinds = (OLD, slave(OLD), silent(OLD), NEW)
    for chosen in product(kinds, repeat=3):
        seen = [replace(kind, name=name) for kind, name in zip(chosen, "abc", strict=True)]
        for current, agreed, newest in product(("", "a", "b"), ("", "a", "b", "c"), ("a", "b", "c")):
            master = elect(seen, current, Claim(agreed, newest))
            found = next((s for s in seen if s.name == master), None)
            if found is not None and found.answered:
                assert found.role == "master"
                assert master in (current, agreed, newest)
            elif found is not None:
                assert master == current


def test_most_of_those_known_agree_or_nobody_does() -> None:
    old, new = View(A, epoch=1), View(B, epoch=2)

    assert claim([old, old, new], 3) == (A, B)
    assert claim([old, new], 3) == (None, B)
    assert claim([new, new], 3) == (B, B)
    assert claim([old], 3) == (None, A)
    assert claim([View(A), View(B), View(B)], 4) == (None, B)


def test_split_brain_is_refused_where_that_is_wanted() -> None:
    assert elect([OLD, DECOY], "a", split_brain="refuse") == ""
    assert elect([OLD, REPLICA], "a", split_brain="refuse") == "a"


def entry(ip: str, flags: str = "slave", **more: str) -> list[bytes]:
    fields = {"name": "x", "ip": ip, "port": "1", "flags": flags, "master-link-status": "ok", **more}
    return [word.encode() for item in fields.items() for word in item]


MASTER = [b"config-epoch", b"7", b"flags", b"master,failover_in_progress"]


def test_a_view_is_read_from_the_replies() -> None:
    replicas = [
        entry("b"),
        entry("c", "slave,s_down"),
        entry("d", "slave,disconnected"),
        entry("e", **{"master-link-status": "err"}),
        entry("f", **{"replica-announced": "0"}),
    ]
    found = view([b"a", b"1"], MASTER, replicas, [entry("s", "sentinel"), entry("t", "sentinel,s_down")])

    assert (found.master, found.epoch, found.busy, found.sentinels) == (A, 7, True, (("s", 1),))
    assert servers([found], []) == [A, B]
    assert servers([found], [C, ("e", 1), ("f", 1)]) == [A, B, C, ("e", 1)]
    assert view([b"a", b"1"], dict(zip(MASTER[::2], MASTER[1::2], strict=True)), [], []).epoch == 7


@pytest.mark.parametrize(
    ("flags", "place", "torn", "down"),
    [
        ("master", b"a", False, False),
        ("master,disconnected", b"a", False, False),
        ("master,s_down", b"a", False, True),
        ("master,s_down,o_down", b"a", True, True),
        ("master,failover_in_progress", b"a", True, False),
        # it names the one that was promoted: the flags are the old one's
        ("master,s_down,o_down,failover_in_progress", b"b", False, False),
    ],
)
def test_whether_another_may_be_about_to_take_its_place(
    flags: str, place: bytes, torn: bool, down: bool
) -> None:
    found = view([place, b"1"], entry("a", flags), [], [])
    assert (found.torn, found.down) == (torn, down)


def test_one_that_is_about_to_replace_the_master_or_half_of_them_leave_it_undecided() -> None:
    calm, torn, down = View(A), View(A, torn=True), View(A, down=True)
    assert not undecided([calm, calm, down])
    assert undecided([calm, calm, torn])
    assert undecided([calm, down])


@pytest.mark.parametrize(
    "replies",
    [
        (None, MASTER, [], []),
        ([b"a"], MASTER, [], []),
        ([b"a", b"x"], MASTER, [], []),
        ([b"a", b"0"], MASTER, [], []),
        ([b"", b"1"], MASTER, [], []),
        ([b"a", b"1"], b"x", [], []),
        ([b"a", b"1"], MASTER, b"x", []),
        ([b"a", b"1"], MASTER, [b"x"], []),
        ([b"a", b"1"], MASTER, [], 7),
        ([b"a", b"1"], [b"config-epoch", b"x"], [], []),
        ([b"a", b"1"], MASTER, [[b"ip", b"b"]], []),
    ],
)
def test_replies_that_make_no_sense_are_no_view(replies: tuple[object, object, object, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        view(*replies)


def test_a_view_is_bounded() -> None:
    many = [entry(f"r{number}") for number in range(10_000)]
    found = view([b"a", b"1"], MASTER, many, many)

    assert len(servers([found], [])) < 100
    assert len(sentinels([], [found])) < 100


def test_sentinels_come_and_go_those_of_the_settings_stay() -> None:
    assert sentinels([A], [View(A, sentinels=(B, C)), View(A, sentinels=(A, B))]) == [A, B, C]
    assert sentinels([A], []) == [A]


@pytest.mark.parametrize(
    ("channel", "message", "is_about"),
    [
        ("+switch-master", "mine 1.1.1.1 1 2.2.2.2 2", True),
        ("+switch-master", "other mine 1 2.2.2.2 2", False),
        ("+sdown", "master mine 1.1.1.1 1", True),
        ("+slave", "slave 1.1.1.1:1 1.1.1.1 1 @ mine 2.2.2.2 2", True),
        ("+slave", "slave 1.1.1.1:1 1.1.1.1 1 @ other 2.2.2.2 2", False),
        ("+sdown", "", False),
    ],
)
def test_which_events_matter(channel: str, message: str, is_about: bool) -> None:
    assert about(channel, message, "mine") is is_about


def test_whom_an_event_is_about() -> None:
    assert subject("slave 10.0.0.1:7 10.0.0.1 7 @ mine 10.0.0.2 8") == ("10.0.0.1", 7)
    assert subject("slave x") is None
    assert subject("slave x y z @ mine") is None


def test_a_sentinel_asked_at_two_addresses_counts_once_and_strangers_of_one_do_not() -> None:
    first = View(A, me="1", others=frozenset("23"))
    second = View(A, me="2", others=frozenset("13"))
    liar = View(B, me="4", others=frozenset("56789"))

    assert distinct([first, first, second]) == [first, second]
    assert known([first, second]) == 3
    assert known([first, second, liar]) == 4
    assert known([View(A), View(A)]) == 2
