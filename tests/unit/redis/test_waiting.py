"""What a wait is sent as when it goes on elsewhere."""

from __future__ import annotations

import pytest

from podmates_redis.session.waiting import rest

WAITS = {
    "BLPOP a b 10": "BLPOP a b 7.500",
    "brpop a 10.5": "brpop a 8.000",
    "BLPOP a 0": "BLPOP a 0",
    "BLPOP a 1": "BLPOP a 0.001",  # its time is up: not for ever, as 0 would be
    "BLMOVE a b LEFT RIGHT 10": "BLMOVE a b LEFT RIGHT 7.500",
    "BRPOPLPUSH a b 10": "BRPOPLPUSH a b 7.500",
    "BZPOPMIN a 10": "BZPOPMIN a 7.500",
    "BLMPOP 10 1 a LEFT": "BLMPOP 7.500 1 a LEFT",
    "BZMPOP 0 1 a MIN": "BZMPOP 0 1 a MIN",
    "XREAD COUNT 2 BLOCK 10000 STREAMS s 5-1": "XREAD COUNT 2 BLOCK 7500 STREAMS s 5-1",
    "XREAD BLOCK 1000 STREAMS s 5-1": "XREAD BLOCK 1 STREAMS s 5-1",
    "XREADGROUP GROUP g c BLOCK 0 STREAMS s >": "XREADGROUP GROUP g c BLOCK 0 STREAMS s >",
}
REFUSED = (
    "XREAD BLOCK 10000 STREAMS s $",  # it would pass over what comes meanwhile
    "XREAD BLOCK",
    "XREAD STREAMS s 0",
    "BLPOP a soon",
    "WAIT 1 0",
    "GET a",
)


@pytest.mark.parametrize(("line", "wanted"), WAITS.items(), ids=WAITS)
def test_the_time_that_is_left_is_waited_for(line: str, wanted: str) -> None:
    assert rest(line.encode().split(), 2.5) == wanted.encode().split()


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_go_on_elsewhere_is_said(line: str) -> None:
    assert rest(line.encode().split(), 2.5) is None
