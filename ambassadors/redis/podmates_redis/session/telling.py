"""INFO ambassador: what the ambassador says of itself, as a section of a server's INFO. No I/O."""

from __future__ import annotations

from collections import Counter

from podmates_redis.session.sending import plain, say
from podmates_redis.session.session import Session
from podmates_redis.session.shared import Shared
from podmates_redis.session.slots import Slot
from podmates_redis.wire import texts


def section(session: Session, slot: Slot) -> bool:
    if session.subscribing or session.subscriptions.active():
        return plain(session, slot)  # the server knows whether it may be asked now
    if session.unsettled:
        return False  # what version of the protocol the reply is in stands on its way
    session.shared.look()
    text = "".join(f"{line}\r\n" for line in lines(session.shared)).encode()
    return say(session, slot, lambda: texts.verbatim(text, session.state.protocol))


def lines(shared: Shared) -> list[str]:
    """Return the lines of the section; reads at the master by the reason why no replica could answer."""
    routes, reasons = Counter[str](), Counter[str]()
    for (_, route, _), number in shared.tally.commands.items():
        routes[route] += number
    for (route, reason, _), number in shared.tally.reads.items():
        reasons[f"reads_{route}" + (f"_{reason}" if reason else "")] += number
    replicas = [follower.name for follower in shared.followers if follower.usable]
    return [
        "# Ambassador",
        f"master:{shared.master_name}",
        f"replicas:{','.join(replicas)}",
        f"consistency:{shared.policy.consistency}",
        f"clients:{len(shared.roster)}",
        *(f"commands_{route}:{number}" for route, number in sorted(routes.items())),
        *(f"{name}:{number}" for name, number in sorted(reasons.items())),
    ]
