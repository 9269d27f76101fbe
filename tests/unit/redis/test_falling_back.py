"""A read that no replica can take: who answers it is the operator's choice."""

from __future__ import annotations

import pytest

from podmates_redis.servers.choosing import Choice
from podmates_redis.session.shared import Policy
from podmates_redis.wire import texts
from tests.unit.redis.rig import Rig, shared

V = b"$1\r\nv\r\n"


@pytest.mark.parametrize(
    ("policy", "asked", "told"),
    [
        (Policy(), [b"GET"], b""),
        (Policy(fallback="stale"), [b"GET"], b""),
        (Policy(fallback="error"), [], texts.MASTER_DOWN),
        (Policy(choice=Choice(read_from="replica")), [], texts.MASTER_DOWN),
    ],
    ids=["master", "stale", "error", "replicas only"],
)
def test_a_read_without_a_replica(policy: Policy, asked: list[bytes], told: bytes) -> None:
    rig = Rig(shared(replica=False, policy=policy))
    rig.send("GET k")

    assert (rig.asked(), rig.told()) == (asked, told)


@pytest.mark.parametrize(("late", "why"), [(True, "stale"), (False, "")])
def test_a_read_of_an_old_replica_is_counted_as_such(late: bool, why: str) -> None:
    rig = Rig()
    rig.shared.followers[0].late = late
    rig.send("GET k")
    assert rig.session.slots[0].why == why
    rig.replica(V)

    assert rig.told() == V
