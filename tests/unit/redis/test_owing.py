"""What a replica still owes when it is asked anew."""

from __future__ import annotations

from podmates_redis.wire.requests import encode
from tests.unit.redis.rig import Rig
from tests.unit.redis.test_scripting import NOSCRIPT, loaded, run


def test_what_nobody_waits_for_any_more_is_taken_whole() -> None:
    """A piece of it that begins like an error is none."""
    rig = Rig()
    loaded(rig)
    rig.send(run(b"EVALSHA_RO", b"1", b"k") + encode(b"GET", b"a"))
    rig.replica(NOSCRIPT + b"$200000\r\n" + b"x" * 100_000)
    for piece in (b"-" * 50_000, b"-" * 50_000 + b"\r\n", b"+sha\r\n:1\r\n:2\r\n"):
        rig.replica(piece)

    assert rig.told() == b":1\r\n:2\r\n"
    assert not rig.session.replica.queue
