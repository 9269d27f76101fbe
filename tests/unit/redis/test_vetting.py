"""A fresh connection is used only if it leads to the process that was asked."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from podmates_common.parse import Address
from podmates_redis.marks import Follower
from podmates_redis.servers.asking import Asker
from podmates_redis.servers.election import Seen
from podmates_redis.servers.probing import Node
from podmates_redis.servers.vetting import is_master, still_covers

MASTER = Seen("a:1", answered=True, role="master", history="h")
SILENT = replace(MASTER, answered=False)
REPLICA = Seen("a:1", answered=True, role="slave", history="h")


def node(seen: Seen) -> Node:
    return Node(Address("a", 1), cast(Asker, None), Follower("a:1", proven_at=100), seen)


@pytest.mark.parametrize(
    ("seen", "fields", "why"),
    [
        (MASTER, {"role": "master", "master_replid": "h"}, ""),
        (MASTER, {"role": "master", "master_replid": "other"}, "is not the master that was asked"),
        (MASTER, {"role": "slave", "master_replid": "h"}, "says that it is a slave"),
        (MASTER, {}, "says that it is a stranger"),
        (MASTER, {"error": "NOAUTH log in first"}, ""),
        (MASTER, {"error": "NOPERM no"}, "NOPERM no"),
        (SILENT, {"role": "master", "master_replid": "h"}, ""),
        (replace(MASTER, history=""), {"role": "master", "master_replid": "h"}, ""),
        (SILENT, {"role": "master", "master_replid": "other"}, "is not the master that was asked"),
        (REPLICA, {"role": "master", "master_replid": "other"}, ""),
    ],
)
def test_who_is_the_master_that_was_asked(seen: Seen, fields: dict[str, str], why: str) -> None:
    asked = node(seen)
    assert is_master(asked)(fields) == why
    assert asked.renew is (why == "is not the master that was asked")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"role": "slave", "master_replid": "h", "slave_repl_offset": "100"}, ""),
        ({"role": "slave", "master_replid": "h", "slave_repl_offset": "99"}, "has less than was proven"),
        (
            {"role": "slave", "master_replid": "g", "slave_repl_offset": "100"},
            "is not the replica that was probed",
        ),
        ({"role": "master", "master_replid": "h"}, "is not the replica that was probed"),
        ({"error": "NOAUTH log in first"}, ""),
    ],
)
def test_who_is_the_replica_that_was_asked(fields: dict[str, str], why: str) -> None:
    assert still_covers(node(REPLICA))(fields) == why
