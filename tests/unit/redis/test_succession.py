"""Who was started anew is believed when nobody can be about to be promoted in its place any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from podmates_redis.servers.election import Claim, Seen
from podmates_redis.servers.succession import Succession

A = Seen("a", True, "master", "one", process="a1")
SILENT = replace(A, answered=False)
AGAIN = replace(A, history="other", process="a2")
B = Seen("b", True, "slave", "one", process="b1")
PROMOTED = replace(B, role="master", history="two", before="one")
ALL, NONE = float("inf"), float("-inf")


def stood() -> Succession:
    """Return what remembers that *A* was the master, *B* its replica, and that *AGAIN* was seen at 10."""
    found = Succession()
    for seen in (A, B):
        found.new(seen, 0.0)
        assert found.believes(seen, 0.0, None, asked=ALL, claim=Claim("a", "a"))
    assert found.new(AGAIN, 10.0)
    return found


@pytest.mark.parametrize(
    ("claim", "now", "believed"),
    [
        (Claim("a", "a", asked=9.0), 10.0, False),
        (Claim("a", "a", asked=10.5), 11.0, True),
        (Claim("a", "a", undecided=True, asked=10.5), 11.0, False),
        (Claim("a", "a", undecided=True, asked=26.0), 26.0, True),
        (Claim("a", "a", asked=9.0), 26.0, False),
        (Claim("b", "b", asked=10.5), 11.0, False),
        (Claim("b", "b", asked=26.0), 26.0, True),
    ],
)
def test_sentinels_decide_whether_who_came_back_is_believed(claim: Claim, now: float, believed: bool) -> None:
    assert stood().believes(AGAIN, now, SILENT, asked=NONE, claim=claim) is believed


def test_it_is_not_believed_beside_the_one_that_the_newest_configuration_names() -> None:
    for claim in (Claim("a", "b", asked=99.0), Claim("b", "b", asked=99.0)):
        assert not stood().believes(AGAIN, 99.0, PROMOTED, asked=ALL, claim=claim)
    undecided = Claim("a", "a", undecided=True, asked=99.0)
    assert not stood().believes(AGAIN, 99.0, PROMOTED, asked=ALL, claim=undecided)
    assert stood().believes(AGAIN, 99.0, PROMOTED, asked=ALL, claim=Claim("a", "a", asked=99.0))


def test_one_that_the_newest_configuration_names_is_asked_before_one_that_most_name() -> None:
    """It has been promoted, and was a replica when it was asked last."""
    claim = Claim("a", "b", asked=10.5)
    assert not stood().believes(AGAIN, 11.0, SILENT, asked=10.4, claim=claim)
    assert stood().believes(AGAIN, 11.0, SILENT, asked=10.6, claim=claim)
    assert not stood().believes(AGAIN, 11.0, PROMOTED, asked=10.6, claim=claim)


def test_without_sentinels_the_others_are_looked_at_first() -> None:
    assert not stood().believes(AGAIN, 11.0, SILENT, asked=9.0, claim=None)
    assert stood().believes(AGAIN, 11.0, SILENT, asked=10.5, claim=None)
    assert stood().believes(AGAIN, 11.0, SILENT, asked=ALL, claim=None)


def test_a_replica_that_is_promoted_and_who_says_no_id_are_believed() -> None:
    torn = Claim("a", "a", undecided=True, asked=NONE)
    assert not stood().new(PROMOTED, 10.0)
    assert stood().believes(PROMOTED, 10.0, SILENT, asked=NONE, claim=torn)
    assert stood().believes(replace(AGAIN, process=""), 10.0, SILENT, asked=NONE, claim=torn)


def test_who_was_believed_or_has_followed_somebody_is_believed_again() -> None:
    torn = Claim("b", "b", undecided=True, asked=NONE)
    succession = stood()
    assert not succession.believes(AGAIN, 10.0, PROMOTED, asked=NONE, claim=torn)
    assert not succession.new(replace(AGAIN, role="slave"), 11.0)
    assert succession.believes(AGAIN, 12.0, PROMOTED, asked=NONE, claim=torn)
    assert succession.believes(A, 12.0, PROMOTED, asked=NONE, claim=torn)


def test_the_first_master_is_waited_for_only_while_it_may_be_replaced() -> None:
    assert Succession().believes(A, 0.0, None, asked=NONE, claim=Claim("a", "a", asked=NONE))
    first, torn = Succession(), Claim("a", "a", undecided=True, asked=99.0)
    first.new(A, 0.0)
    assert not first.believes(A, 1.0, None, asked=ALL, claim=torn)
    assert first.believes(A, 16.0, None, asked=ALL, claim=torn)


def test_a_stream_of_strangers_is_not_all_remembered() -> None:
    succession = stood()
    for number in range(1000):
        succession.new(replace(A, process=f"p{number}"), 1.0)
        succession.new(replace(B, process=f"q{number}"), 1.0)
    assert max(len(succession._known), len(succession._newcomers)) <= 256
