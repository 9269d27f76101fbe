"""Who has connections of its own, and in which order the others get theirs."""

from __future__ import annotations

from podmates_redis.clients.leases import Leases


class Client:
    """Takes its turn when it hears of it, unless it is *away*."""

    def __init__(self, leases: Leases, *, away: bool = False) -> None:
        self.leases, self.away, self.told = leases, away, 0

    def leased(self) -> None:
        self.told += 1
        if not self.away:
            assert self.leases.take(self)


def test_those_who_wait_get_their_turn_in_order() -> None:
    leases = Leases(2)
    first, second, third, fourth = (Client(leases) for _ in range(4))
    assert [leases.take(who) for who in (first, second, third, fourth)] == [True, True, False, False]
    assert leases.take(first) and not leases.take(fourth)
    leases.give(second)
    assert (third.told, fourth.told, len(leases)) == (1, 0, 2)
    leases.give(third)
    assert (fourth.told, len(leases)) == (1, 2)


def test_nobody_overtakes_one_who_waits() -> None:
    leases = Leases(1)
    first, second, third = Client(leases), Client(leases, away=True), Client(leases)
    leases.take(first)
    leases.take(second)
    leases.give(first)
    assert second.told and not leases.take(third)
    leases.give(second)
    assert third.told and len(leases) == 1


def test_without_a_limit_everybody_has_them() -> None:
    leases = Leases()
    assert all(leases.take(Client(leases)) for _ in range(1000))
