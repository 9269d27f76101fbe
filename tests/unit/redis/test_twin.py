"""What the twin of the engine does in another way: many requests as one, no more kept than is needed."""

from __future__ import annotations

import random

import pytest

from podmates_redis.twin.frames import cut, quick_requests, replies
from podmates_redis.twin.shapes import UNREAD, WIDEST
from tests.support.shared_path import Form
from tests.unit.redis.engine.rig import MASTER, OK, REPLICA, Rig, say

NIL = b"$-1\r\n"


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr(Form, "twin", True)
    return Rig()


def slots(rig: Rig) -> list[list[int]]:
    """Return how many requests each slot of each server has."""
    return [[slot.count for slot in u.slots] for u in rig.play.core.upstreams]  # type: ignore[attr-defined]


def test_requests_of_a_kind_are_one(rig: Rig) -> None:
    rig.client(say("GET", "a") * 20)
    rig.client(say("SET", "b", "1") * 10)

    assert sorted(slots(rig)) == [[10], [20]]
    rig.at_replica(), rig.at_master()
    rig.master(OK * 10)
    rig.replica(NIL * 19 + b"$1\r\na\r\n")
    assert rig.told() == NIL * 19 + b"$1\r\na\r\n" + OK * 10


def test_requests_that_alternate_are_as_few_as_their_order_allows(rig: Rig) -> None:
    rig.client(say("GET", "a") * 2 + say("SET", "b", "1") * 2 + say("GET", "c") + say("STRLEN", "c"))

    assert sorted(slots(rig)) == [[2], [2, 1, 1]]
    assert rig.at_master() == say("SET", "b", "1") * 2
    rig.at_replica()
    rig.replica(NIL * 2 + b"$1\r\nc\r\n:1\r\n")
    assert rig.told() == NIL * 2
    rig.master(OK * 2)
    assert rig.told() == OK * 2 + b"$1\r\nc\r\n:1\r\n"
    assert rig.play.begin() == rig.play.generation - 1, "nothing counts as on its way any more"


def test_one_that_is_answered_in_another_way_is_told_from_the_others(rig: Rig) -> None:
    rig.client(say("GET", "a") * 5)
    rig.at_replica()
    rig.replica(NIL * 2 + b"-LOADING no\r\n" + b"$3\r\nab")

    assert rig.at_master() == say("GET", "a")
    rig.replica(b"c\r\n")
    rig.master(b"$1\r\nm\r\n")
    assert rig.told() == NIL * 2 + b"$1\r\nm\r\n" + b"$3\r\nabc\r\n"
    rig.replica(NIL)
    assert rig.told() == NIL


def test_many_as_one_are_lost_one_by_one(rig: Rig) -> None:
    rig.client(say("SET", "a", "1") * 3 + say("SET", "a", "2"))
    rig.play.sent(MASTER, len(say("SET", "a", "1")) * 2 + 5)
    rig.master(OK)
    rig.play.lose(MASTER)
    rig.play.attach(rig.group, 0, 110)

    assert rig.play.sent(110) == say("SET", "a", "1") + say("SET", "a", "2")
    rig.play.answer(110, OK * 2)
    assert rig.told() == OK + b"-ERR lost, may have run\r\n" + OK * 2
    assert rig.play.begin() == rig.play.generation - 1, "nothing counts as on its way any more"


def test_what_is_read_at_a_replica_is_remembered_within_bounds(rig: Rig) -> None:
    """Of a client that never lets its replica come to an end: its next write waits for that."""
    for number in range(3000):
        rig.client(say("GET", f"k{number}"))
        assert rig.at_replica()
        if number:
            rig.replica(NIL)
    (client,) = rig.play.core.clients.values()  # type: ignore[attr-defined]
    assert len(client.read) < 300
    rig.client(say("SET", "k1", "1"))
    assert rig.at_master() == b""
    rig.replica(NIL)

    assert rig.at_master() == say("SET", "k1", "1")


def test_no_more_go_as_one_than_may_be_unanswered(rig: Rig) -> None:
    (client,) = rig.play.core.clients.values()  # type: ignore[attr-defined]
    client.window = 8
    rig.client(say("GET", "a") * 20)

    assert slots(rig) == [[8], []]
    assert client.window <= WIDEST
    told = 0
    while told < 20:
        answers = rig.at_replica().count(b"GET")
        assert answers
        rig.replica(NIL * answers)
        told += rig.told().count(NIL)


def test_memory_is_given_back(rig: Rig) -> None:
    before = rig.play.memory
    value = b"v" * 1000
    rig.client(say("GET", "a") * 10 + say("SET", "a", value) * 5 + say("GET", "b") * 3 + b"*2\r\n$3\r\nGE")
    assert rig.play.memory > before + 5000
    for connection, reply in ((REPLICA, NIL), (MASTER, OK)):
        for _ in range(5):
            sent = rig.play.sent(connection)
            rig.play.answer(connection, reply * sent.count(b"\r\n$3\r\n")) if sent else None
    rig.client(b"T\r\n$1\r\nb\r\n")
    rig.replica(rig.at_replica() and NIL)
    assert rig.play.core.kept < UNREAD  # type: ignore[attr-defined]
    rig.told()

    assert rig.play.memory == before


def test_a_request_in_pieces_is_looked_at_a_few_times_only() -> None:
    """However small the pieces are: how much it lacks is known by the number of its words."""
    whole, at, looks = say("MSET", *(f"k{number}" for number in range(4000))), 0, 0
    while isinstance(need := cut(whole[:at] or b"*", 0), int):
        assert 0 < need <= len(whole)
        at, looks = max(need, at + 1), looks + 1

    assert looks < 100


def test_both_ways_to_find_a_request_agree() -> None:
    draw = random.Random(3)
    words = [b"GET", b"SET", b"a", b"", b"\r\n", b"$1\r\na\r\n", b"x" * 255, b"x" * 256, b"GET\r\n$1\r\na"]
    for _ in range(5000):
        data = b"".join(
            say(*draw.choices(words, k=draw.randrange(1, 6))) for _ in range(draw.randrange(1, 4))
        )
        if draw.random() < 0.3:
            at = draw.randrange(len(data))
            data = data[:at] + draw.choice((b"", b"\r\n", b"$", b"9", b"*")) + data[at + draw.randrange(2) :]
        at = 0
        for frame, beginning, *_, rest in quick_requests(data):
            exact = cut(data, at)
            if rest or isinstance(exact, int):
                break
            name = exact.words[0]
            if beginning != b"*%d\r\n$%d\r\n%b\r\n" % (len(exact.words), len(name), name):
                break
            assert frame.startswith(exact.data) or exact.data.startswith(frame), data
            at += len(frame)


@pytest.mark.parametrize("count", [1, 2, 15, 16, 1000, 5000])
def test_many_replies_are_found_at_once_and_end_where_they_end(count: int) -> None:
    draw = random.Random(count)
    kinds = [
        OK,
        NIL,
        b":-12\r\n",
        b"$0\r\n\r\n",
        b"$3\r\n\r\n\r\r\n",
        b"$255\r\n" + b"x" * 255 + b"\r\n",
        b"_\r\n",
    ]
    data = b"".join(draw.choices(kinds, k=count))

    assert replies(data + OK, 0, count) == len(data)
    assert replies(data[:-1], 0, count) == -1
    arrays = b"*%d\r\n" % count + data + b"$1000\r\n" + b"x" * 1000 + b"\r\n" + b"%1\r\n" + OK * 2
    assert replies(arrays, 0, 3) == len(arrays)
    assert all(replies(arrays[:-cut_off], 0, 3) == -1 for cut_off in (1, 5, 10, 11, 20, 1010))
    assert replies(data + b"-ERR no\r\n", 0, count + 1) == -1


def test_what_took_long_is_kept_one_by_one_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Form, "twin", True)
    rig = Rig(slow=1e-9)
    for turn in range(60):
        rig.client(b"".join(say("GET", f"{turn}:{number}") for number in range(5)))
        rig.at_replica()
        rig.replica(NIL * 5)
    kept = [entry[2] for entry in rig.play.slow()]

    assert kept == [say("GET", f"{turn}:{number}") for turn in range(60) for number in range(5)][-len(kept) :]
    assert len(kept) == 128
    assert rig.play.slow() == []
