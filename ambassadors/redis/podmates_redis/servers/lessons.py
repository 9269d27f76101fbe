"""What is learnt from a new master: its commands, what it is, and how it writes a line about a client."""

from __future__ import annotations

import asyncio
import logging

from podmates_redis.commands.table import learnt
from podmates_redis.roster import lines
from podmates_redis.servers.asking import Unanswered
from podmates_redis.servers.probing import Node
from podmates_redis.session.shared import Shared
from podmates_redis.wire.dialects import dialect

log = logging.getLogger(__name__)


async def taught(shared: Shared, lesson: asyncio.Task[None] | None) -> None:
    """Wait for the first lesson, which has limits of its own: before it is over much is only believed."""
    if lesson is not None and not shared.learnt:
        await asyncio.wait([lesson])


async def learn(shared: Shared, node: Node) -> None:
    """Ask *node*; what it does not tell stays as it was."""
    try:
        table = learnt(await node.asker.commands())
        shared.original, shared.table = table, shared.policy.overrides.applied(table)
        shared.news()
    except (Unanswered, ValueError, TypeError, LookupError, AttributeError) as error:  # or an odd answer
        log.warning("cannot learn the commands of %s, using those built in: %s", node.seen.name, error)
    try:
        shared.greeting = await node.asker.greeting()
        shared.dialect = dialect(shared.greeting)
    except (Unanswered, ValueError, TypeError) as error:
        log.warning("cannot learn what %s is, taking it for Redis 7.0: %s", node.seen.name, error)
    try:
        shared.template = lines.learnt(await node.asker.line())
    except Unanswered as error:
        log.warning("cannot learn how %s lists clients, doing it as Redis 7.0: %s", node.seen.name, error)
    try:
        shared.master_databases = await node.asker.databases()
    except Unanswered:  # its clients are told by the master itself
        shared.master_databases = 0
    shared.learnt = True
