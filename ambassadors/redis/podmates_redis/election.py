"""Who is the master, and which replicas may be read, from what the servers say of themselves. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server said last; once it is silent *answered* is False and the rest is what it said before."""

    name: str
    answered: bool = False
    role: str = ""
    history: str = ""  # replication id
    offset: int = 0  # written (master) or applied (replica), bytes of the history
    linked: bool = False  # a replica's link to its master
    syncing: bool = False
    loading: bool = False
    replicas: int = 0  # connected to it
    problem: str = "not asked yet"


def observed(name: str, fields: dict[str, str]) -> Seen:
    """Return what the fields of a server's INFO say."""
    role = fields.get("role", "")
    applied = fields.get("slave_repl_offset", "0")
    return Seen(
        name=name,
        answered=bool(role),
        role=role,
        history=fields.get("master_replid", ""),
        offset=int(fields.get("master_repl_offset", "0") if role == "master" else applied),
        linked=fields.get("master_link_status") == "up",
        syncing=fields.get("master_sync_in_progress", "0") != "0",
        loading=fields.get("loading", "0") != "0" or fields.get("async_loading", "0") != "0",
        replicas=int(fields.get("connected_slaves", "0")),
        problem=fields.get("error", ""),
    )


def elect(seen: Sequence[Seen], current: str) -> str:
    """Return the name of the master, or nothing when none says that it is one.

    Of two, the one that the replicas follow; else the one with more of them; else *current*. A master that
    is silent stays the master until another one says that it is one: only a server can tell of its role.
    """
    masters = [s for s in seen if s.answered and s.role == "master"]
    if not masters:
        silent = [s.name for s in seen if s.name == current and not s.answered]
        return silent[0] if silent else ""

    def weight(candidate: Seen) -> tuple[int, int, bool]:
        following = sum(s.role == "slave" and s.answered and s.history == candidate.history for s in seen)
        return following, candidate.replicas, candidate.name == current

    return max(masters, key=weight).name


def why_unusable(replica: Seen, master: Seen | None, max_lag: int) -> str:
    """Return what keeps reads from *replica*, or nothing; *max_lag* in bytes, 0 for any.

    Without a master (None, or silent) a replica cannot have a link, and its data is as good as any.
    """
    if not replica.answered:
        return replica.problem or "does not answer"
    if replica.role != "slave":
        return f"says that it is a {replica.role}"
    if replica.loading or replica.syncing:
        return "loading its data"
    if master is None or not master.answered:
        return ""
    if replica.history != master.history:
        return "follows another master"
    if not replica.linked:
        return "its link to the master is down"
    if max_lag and master.offset - replica.offset > max_lag:
        return "lag"
    return ""
