"""Which scripts are remembered, and for how long."""

from __future__ import annotations

import pytest

from podmates_redis.session.scripts import Scripts, only_reads


@pytest.mark.parametrize(
    ("line", "yes"),
    [
        (b"#!lua flags=no-writes\n", True),
        (b"#!lua name=x flags=allow-oom,no-writes\nreturn 1", True),
        (b"#!lua flags=allow-oom\n--no-writes", False),
        (b"#!lua\nflags=no-writes", False),
        (b"-- flags=no-writes\n", False),
        (b"", False),
    ],
)
def test_the_first_line_says_whether_a_script_writes(line: bytes, yes: bool) -> None:
    assert only_reads(line) is yes


def test_the_least_recently_used_scripts_go_first_by_number_and_by_size() -> None:
    few, small = Scripts(most=2), Scripts(room=10)
    for scripts, bodies in (few, [b"1", b"2", b"1", b"3"]), (small, [b"1" * 4, b"2" * 4, b"1" * 4, b"3" * 4]):
        for body in bodies:
            scripts.add(body)
        assert [scripts.has(body) for body in dict.fromkeys(bodies)] == [True, False, True]
    small.add(b"x" * 11)
    assert not small.has(b"x" * 11)
    assert len(small) == 2


def test_digests_without_a_body_are_bounded_too() -> None:
    scripts = Scripts(most=3)
    for number in range(100):
        scripts.add_digest(b"%d" % number)
        scripts.missing(b"%d" % number)
    assert len(scripts) == 3
    assert len(scripts._scarce) == 3
