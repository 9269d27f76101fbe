"""Which clients may be lent to the engine."""

from __future__ import annotations

import pytest

from podmates_redis.clients.lending import Habits, plain
from tests.unit.redis.rig import OK, Rig


def test_a_client_with_nothing_on_its_way_is_plain() -> None:
    rig = Rig()
    assert plain(rig.session)
    rig.send("SET a 1")
    assert not plain(rig.session)
    rig.master(OK)
    rig.told()
    assert plain(rig.session)


@pytest.mark.parametrize(
    "words",
    ["MULTI", "WATCH a", "SUBSCRIBE a", "CLIENT REPLY OFF", "CLIENT TRACKING ON", "MONITOR", "BLPOP a 0"],
)
def test_a_client_with_something_of_its_own_is_not(words: str) -> None:
    rig = Rig()
    rig.send(words)
    if not words.startswith(("BLPOP", "CLIENT REPLY")):
        rig.master(b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n" if words.startswith("SUB") else OK)
    rig.told()

    assert not plain(rig.session)


def test_a_version_a_database_and_a_name_are_no_obstacle() -> None:
    rig = Rig()
    for words in ("SELECT 3", "CLIENT SETNAME n"):
        rig.send(words)
        rig.master(OK)
        rig.told()

        assert plain(rig.session)
    assert rig.session.state.database == 3


def test_who_comes_back_often_has_to_show_that_it_is_plain() -> None:
    for visits in range(4):
        assert Habits(visits).steady()
    habits = Habits(4)
    assert not habits.steady()
    habits.sent(2)
    assert habits.steady()
    habits = Habits(24)
    habits.sent(255)
    assert not habits.steady()
    habits.sent(1)
    assert habits.steady()
