"""Announced addresses to those that can be reached."""

from __future__ import annotations

import pytest

from podmates_redis.servers.mapping import reachable, rule

RULES = [rule(text) for text in ("10.0.0.7:6379=localhost:7000", "redis-1=127.0.0.1", "10.1.*=172.16.*")]
RULES += [rule("[::1]:6379=[::2]:6380")]


@pytest.mark.parametrize(
    ("announced", "reached"),
    [
        (("10.0.0.7", 6379), ("localhost", 7000)),
        (("10.0.0.7", 6380), ("10.0.0.7", 6380)),
        (("redis-1", 26379), ("127.0.0.1", 26379)),
        (("redis-10", 1), ("redis-10", 1)),
        (("10.1.2.3", 5), ("172.16.2.3", 5)),
        (("::1", 6379), ("::2", 6380)),
    ],
)
def test_where_it_is_reached(announced: tuple[str, int], reached: tuple[str, int]) -> None:
    assert reachable(RULES, announced) == reached


@pytest.mark.parametrize(
    "text",
    ["", "a", "a=", "=a", "a=b:1", "a:1=b", "a*=b", "a=b*", "a:0=b:1", "a:x=b:1", "a:99999=b:1", "[x=y"],
)
def test_what_is_no_rule(text: str) -> None:
    with pytest.raises(ValueError, match="want"):
        rule(text)
