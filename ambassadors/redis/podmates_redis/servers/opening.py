"""Opens the connections of clients: logged in, in the client's state, to the process that was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from podmates_redis import descriptors
from podmates_redis.servers.pacing import Opener
from podmates_redis.servers.probing import Node
from podmates_redis.servers.readers import Readers
from podmates_redis.servers.upstream import IDENTITY, Greeting, Owner, Refused, Unlike, Upstream
from podmates_redis.servers.vetting import Check, is_master, still_covers
from podmates_redis.session.barred import CREDENTIALS
from podmates_redis.session.shared import Shared
from podmates_redis.session.state import State, opening, optional
from podmates_redis.wire.requests import encode

Login = Callable[[], tuple[bytes, bytes | None]]


class Opening:
    """The way to servers that are known."""

    def __init__(
        self,
        shared: Shared,
        login: Login,
        opener: Opener,
        readers: Readers,
        *,
        clustered: bool = False,
    ) -> None:
        self._before = [encode(b"READONLY")] if clustered else []  # of reading
        self._shared, self._login, self._opener, self._readers = shared, login, opener, readers

    async def master(self, owner: Owner, state: State, node: Node) -> Upstream:
        """Return a connection to the master, which tells its id; see `Upstream.open`."""
        greeting = self._greeting(state, self._heeded(is_master(node), state), IDENTITY)
        return await self._opener.open(node.address, owner, greeting)

    def _heeded(self, check: Check, state: State) -> Check:
        """Return *check*, which also tells whether the master wants a login from who has sent none."""
        if not self._shared.policy.passthrough or state.password is not None:
            return check

        def heeding(fields: dict[str, str]) -> str:
            self._shared.porch.heard(fields.get("error", ""))
            return check(fields)

        return heeding

    async def replica(self, owner: Owner, state: State, node: Node) -> Upstream:
        """Return a connection to a replica, or count that there is none against it."""
        greeting = self._greeting(state, still_covers(node), needed=self._before)
        try:
            upstream = await self._opener.open(node.address, owner, greeting)
        except (OSError, TimeoutError, Refused) as error:
            # not for one that has become something else, nor for a user that it does not know
            ours = isinstance(error, Unlike) or descriptors.short(error)
            if not ours and not str(error).startswith(CREDENTIALS):
                self._readers.failed(node)
            raise
        node.breaker.worked()
        return upstream

    def hear(self, nodes: Iterable[Node]) -> None:
        """Open the way to those of *nodes* that have answered since it was closed."""
        for node in nodes:
            if node.seen.answered:
                self._opener.answered(node.seen.name, node.answered_at)

    async def tell(self, nodes: Iterable[Node], words: tuple[str, ...]) -> bool:
        """Have every one of *nodes* run *words*, as the ambassador; tell whether one of them did."""
        user, password = self._login()
        login = opening(State(user=user, password=password))
        request = encode(*(word.encode() for word in words))
        return any(await asyncio.gather(*(self._opener.tell(n.address, login, request) for n in nodes)))

    def _greeting(self, state: State, check: Check, *more: bytes, needed: Sequence[bytes] = ()) -> Greeting:
        if not self._shared.policy.passthrough:
            user, password = self._login()
            state = replace(state, user=user, password=password)
        return Greeting([*opening(state), *needed], [*optional(state), *more], check)
