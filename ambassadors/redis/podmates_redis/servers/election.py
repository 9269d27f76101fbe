"""Who is the master, and which replicas may be read, from what the servers say of themselves. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from podmates_redis.servers.fitness import silent

_MOST_FOLLOWERS = 64  # replicas learnt from one master
_STRANGE = "follows another master"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server said last; once it is silent *answered* is False and the rest is what it said before."""

    name: str
    answered: bool = False
    role: str = ""
    history: str = ""  # replication id
    offset: int = 0  # written (master) or applied (replica), bytes of the history
    linked: bool = False  # a replica's link to its master
    stalled: bool = False  # that link is up by name, and nothing has come by it for long
    syncing: bool = False
    loading: bool = False
    replicas: int = 0  # connected to it
    problem: str = "not asked yet"
    before: str = ""  # the history that a promoted server continues
    followers: tuple[tuple[str, int], ...] = ()  # host and port of each replica that a master has
    zone: str = ""  # as it says, which Valkey can
    busy: bool = False  # with a script: it says nothing but its role
    process: str = ""  # changes when the server is started anew, or another one stands behind the address


@dataclass(frozen=True, slots=True)
class Claim:
    """Names of who is to be the master: by most sentinels, and by the newest of their configurations."""

    agreed: str = ""
    newest: str = ""
    undecided: bool = False  # another one may be about to take the place of the master that they name
    asked: float = field(default=float("inf"), compare=False)  # when the one was that was asked longest ago


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
        stalled=silent(fields.get("master_last_io_seconds_ago", "")),
        syncing=fields.get("master_sync_in_progress", "0") != "0",
        loading=fields.get("loading", "0") != "0" or fields.get("async_loading", "0") != "0",
        replicas=int(fields.get("connected_slaves", "0")),
        problem=fields.get("error", ""),
        before=fields.get("master_replid2", ""),
        followers=tuple(_followers(fields)) if role == "master" else (),
        zone=fields.get("availability_zone", "")[:64],
        busy="busy" in fields,
        process=fields.get("run_id", ""),
    )


def _followers(fields: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Yield the addresses in the fields ``slave0`` and so on: ``ip=…,port=…,state=online,…``."""
    for number in range(_MOST_FOLLOWERS):
        facts = dict(part.partition("=")[::2] for part in fields.get(f"slave{number}", "").split(","))
        if facts.get("ip") and facts.get("port", "").isdigit() and 0 < int(facts["port"]) < 65536:
            yield facts["ip"], int(facts["port"])


def elect(
    seen: Sequence[Seen], current: str, claim: Claim | None = None, *, split_brain: str = "prefer"
) -> str:
    """Return the name of the master, or nothing when none says that it is one.

    Of two, the one that the replicas follow; else the one with more of them; else *current*; none of them
    where *split_brain* is ``refuse``. A master that is silent stays the master until another one says that it
    is one: only a server can tell of its role. With a *claim* of sentinels see `_claimed`.
    """
    if claim is not None:
        return _claimed({s.name: s for s in seen}, current, claim)
    masters = [s for s in seen if s.answered and s.role == "master"]
    if split_brain == "refuse" and len({s.process or s.name for s in masters}) > 1:
        return ""
    if not masters:
        silent = [s.name for s in seen if s.name == current and not s.answered]
        return silent[0] if silent else ""

    def weight(candidate: Seen) -> tuple[int, int, bool]:
        following = sum(s.role == "slave" and s.answered and s.history == candidate.history for s in seen)
        return following, candidate.replicas, candidate.name == current

    return max(masters, key=weight).name


def _claimed(seen: dict[str, Seen], current: str, claim: Claim) -> str:
    """Return the master among those that sentinels name; nobody else, whatever it says of itself.

    It has to say so too. The newest configuration is believed against most sentinels if its master continues
    the history of ours, as a promoted replica does; a sentinel that lies names one that does not.
    """
    held, newest, agreed = (seen.get(name) for name in (current, claim.newest, claim.agreed))
    if newest and _leads(newest) and _continues(newest, held):
        return newest.name
    if agreed and _leads(agreed):
        # most may not know yet what we have followed already
        ahead = held is newest and held is not None and _leads(held) and _continues(held, agreed)
        return current if ahead else agreed.name
    if newest and _leads(newest) and not claim.agreed and not (held and _leads(held)):
        return newest.name
    return current if held and (_leads(held) or not held.answered) else ""


def _leads(server: Seen) -> bool:
    return server.answered and server.role == "master"


def _continues(server: Seen, other: Seen | None) -> bool:
    return (
        other is not None and server is not other and bool(other.history) and server.before == other.history
    )


def why_unusable(replica: Seen, master: Seen | None, history: str = "", *, late: bool = False) -> str:
    """Return what keeps reads from *replica*, or nothing; *late*: it is too far behind.

    Without a master (None, or silent) a replica cannot have a link, and its data is as good as any that is
    of *history*, the last master's: who came back in its place may have given it older data.
    """
    if not replica.answered:
        return replica.problem or "does not answer"
    if replica.role != "slave":
        return f"says that it is a {replica.role}"
    if replica.busy:
        return "runs a script"
    if replica.loading or replica.syncing:
        return "loading its data"
    if master is None or not master.answered:
        return "" if not history or history in (replica.history, replica.before) else _STRANGE
    if replica.history != master.history:
        return _STRANGE
    if not replica.linked:
        return "its link to the master is down"
    if replica.stalled:
        return "its link to the master is silent"
    return "lag" if late else ""
