"""Asks the nodes of a cluster who serves which slots: from time to time, and when somebody doubts it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from podmates_common.health import Health
from podmates_common.logs import Condition
from podmates_common.parse import Address
from podmates_redis.cluster.shards import Shards
from podmates_redis.cluster.slotmap import View, agreed, view
from podmates_redis.servers.asking import Asker, Unanswered

log = logging.getLogger(__name__)

_PERIOD = 5.0  # seconds
_AT_MOST_EVERY = 0.1  # seconds
_ASKED = 8  # nodes in a round
_SILENCE = 30.0  # seconds without any map


class Learner:
    """Keeps *shards* as the cluster says, beginning at *seeds*."""

    def __init__(
        self, seeds: Sequence[Address], shards: Shards, ask: Callable[[Address], Asker], health: Health
    ) -> None:
        self._seeds, self._shards, self._ask, self._health = seeds, shards, ask, health
        self._askers: dict[Address, Asker] = {}
        self._turn = 0
        self._trouble = Condition(log, "slots")
        health.expect("slots", within=_SILENCE)
        health.fail("slots", "no node has said yet who serves which slots")

    async def follow(self) -> None:
        """Learn for ever."""
        while True:
            try:
                await self._learn()
            except Exception:  # a fault of ours must not end the learning
                log.exception("learning who serves which slots")
            await asyncio.sleep(_AT_MOST_EVERY)
            if self._shards.known:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_PERIOD):
                        await self._shards.doubted()

    async def _learn(self) -> None:
        places = self._places()
        answers = await asyncio.gather(*(self._view(place) for place in places))
        views = [answer for answer in answers if isinstance(answer, tuple) and answer]
        if views:
            self._shards.take(agreed(views))
            self._health.ok("slots")
            self._trouble.ok()
            return
        faults = [answer if isinstance(answer, str) else "knows no slots" for answer in answers]
        problem = "; ".join(f"{place}: {fault}" for place, fault in zip(places, faults, strict=True))
        self._health.fail("slots", problem)
        self._trouble.fail(problem)

    def _places(self) -> list[Address]:
        """Return the nodes to ask this time: a few of those that are known, or the seeds."""
        known = sorted({Address(*place) for shard in self._shards.every() for place in shard.nodes}, key=str)
        if not known:
            return list(self._seeds)
        self._turn = (self._turn + 1) % len(known)
        chosen = (known[self._turn :] + known[: self._turn])[:_ASKED]
        for gone in [place for place in self._askers if place not in known and place not in self._seeds]:
            self._askers.pop(gone).close()
        return chosen

    async def _view(self, place: Address) -> View | str:
        if place not in self._askers:
            self._askers[place] = self._ask(place)
        asker = self._askers[place]
        try:
            return view((await asker.ask(("CLUSTER", "SLOTS")))[0], place.host)
        except (Unanswered, ValueError) as error:
            return str(error)

    def stop(self) -> None:
        """Let go of the connections for asking."""
        for asker in self._askers.values():
            asker.close()
