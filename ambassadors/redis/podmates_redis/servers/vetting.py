"""Whether a fresh connection leads to the server that it was made for: the process that was asked."""

from __future__ import annotations

from collections.abc import Callable

from podmates_redis.servers.election import observed
from podmates_redis.servers.probing import Node

Check = Callable[[dict[str, str]], str]  # fields of INFO to what is wrong with them, or nothing


def is_master(node: Node) -> Check:
    """Behind one address another server may stand suddenly; what was proven is of the first."""

    def check(fields: dict[str, str]) -> str:
        if _locked(fields) or _busy(fields):
            return ""
        if fields.get("role") != "master":
            return fields.get("error") or f"says that it is a {fields.get('role', 'stranger')}"
        seen = node.seen
        # also of one that was silent since: another one may have been promoted in place of who is back
        if seen.role == "master" and seen.history and fields.get("master_replid") != seen.history:
            node.renew = True
            return "is not the master that was asked"
        return ""

    return check


def still_covers(node: Node) -> Check:
    """A server that was started anew may have less than what its predecessor was proven to have."""

    def check(fields: dict[str, str]) -> str:
        if _locked(fields):
            return ""
        seen = observed(node.seen.name, fields)
        if seen.role != "slave" or seen.history != node.seen.history:
            return "is not the replica that was probed"
        return "has less than was proven" if seen.offset < node.follower.proven_at else ""

    return check


def _locked(fields: dict[str, str]) -> bool:
    """A client that logs in with its own credentials has not done so yet; the server will ask it to."""
    return fields.get("error", "").startswith("NOAUTH")


def _busy(fields: dict[str, str]) -> bool:
    """A server that runs a long script answers nothing else, but its clients may want to end that script."""
    return fields.get("error", "").startswith("BUSY")
