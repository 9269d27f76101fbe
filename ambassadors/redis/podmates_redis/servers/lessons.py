"""What is learnt from a new master: its commands, what it is, and how it writes a line about a client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from podmates_redis.commands.table import learnt
from podmates_redis.roster import lines
from podmates_redis.servers.asking import Refusal, Unanswered
from podmates_redis.servers.probing import Node
from podmates_redis.session.shared import Shared
from podmates_redis.wire.dialects import dialect

log = logging.getLogger(__name__)

_FIRST, _LONGEST = 1.0, 60.0  # seconds until a master is asked again that was silent

Take = Callable[[Shared], None]


class Lessons:
    """Asks the master of the moment; what it does not tell stays as it was."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._node: Node | None = None  # who is asked
        self._asked = asyncio.Event()  # for everything, once
        self._task: asyncio.Task[None] | None = None

    def begin(self, node: Node) -> None:
        """Ask *node* from now on."""
        self._node = node
        self._shared.master_databases = 0  # until it says how many, its clients are told by itself
        self._task = asyncio.get_running_loop().create_task(self._learn(node))

    async def taught(self) -> None:
        """Wait for the first lessons, which have limits of their own: before them much is only believed."""
        if self._task is not None and not self._shared.learnt:
            await self._asked.wait()

    async def _learn(self, node: Node) -> None:
        left, pause = await self._ask(node, _LESSONS, logging.WARNING), _FIRST
        self._shared.learnt = True
        self._asked.set()
        while left and self._node is node:  # one silence is not to count for the master's whole life
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST)
            if node.seen.answered:
                left = await self._ask(node, left, logging.DEBUG)

    async def _ask(self, node: Node, lessons: dict[str, Lesson], level: int) -> dict[str, Lesson]:
        """Return those of *lessons* that *node* has not answered."""
        left = {}
        for warning, lesson in lessons.items():
            try:
                take = await lesson(node)
                if self._node is node:
                    take(self._shared)
            except (ValueError, TypeError, LookupError, AttributeError, Unanswered) as error:
                log.log(level, "cannot learn " + warning, node.seen.name, error)
                silent = isinstance(error, Unanswered) and not isinstance(error, Refusal)
                if silent:  # an odd answer would come again, as a refusal would
                    left[warning] = lesson
        return left


async def _commands(node: Node) -> Take:
    table = learnt(await node.asker.commands())

    def take(shared: Shared) -> None:
        shared.original, shared.table = table, shared.policy.overrides.applied(table)
        shared.news()

    return take


async def _greeting(node: Node) -> Take:
    greeting = await node.asker.greeting()
    found = dialect(greeting)

    def take(shared: Shared) -> None:
        shared.greeting, shared.dialect = greeting, found

    return take


async def _line(node: Node) -> Take:
    template = lines.learnt(await node.asker.line())
    return lambda shared: setattr(shared, "template", template)


async def _databases(node: Node) -> Take:
    number = await node.asker.databases()
    return lambda shared: setattr(shared, "master_databases", number)


Lesson = Callable[[Node], Awaitable[Take]]
_LESSONS: dict[str, Lesson] = {  # by the warning for want of it
    "the commands of %s, using those built in: %s": _commands,
    "what %s is, taking it for Redis 7.0: %s": _greeting,
    "how %s lists clients, doing it as Redis 7.0: %s": _line,
    "how many databases %s has: %s": _databases,
}
