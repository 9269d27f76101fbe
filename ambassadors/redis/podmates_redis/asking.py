"""Questions to one server, off the data path, by redis-py: one connection, made anew when it broke."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from podmates_common.parse import Address

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds for an answer
_LOADING_EVERY = 0.5  # seconds; that changes seldom, and INFO costs the server


class Unanswered(Exception):
    """The server did not answer, or with an error; the text says which."""


class _Connection(Connection):
    """One that writes whole: asyncio's `writelines` forgets to look whether the connection is lost.

    From 3.12 until it was mended in the course of 3.13 and 3.14 it then leaves the dead descriptor with the
    event loop, and the next connection that gets its number is never heard (python/cpython#136234).
    """

    async def _connect(self) -> None:
        await super()._connect()  # type: ignore[no-untyped-call]
        writer = self._writer
        assert writer is not None  # noqa: S101  (for the type checker: it was just made)
        writer.writelines = lambda data: writer.write(b"".join(data))  # type: ignore[method-assign]


class Asker:
    """A connection for questions."""

    def __init__(self, address: Address, login: Callable[[], tuple[bytes, bytes | None]]) -> None:
        self._address, self._login = address, login
        self._connection: Connection | None = None
        self._one_at_a_time = asyncio.Lock()
        self._persistence, self._looked_at = "", float("-inf")

    async def replication(self) -> dict[str, str]:
        """Return the fields of INFO replication, and whether the server is loading its data.

        Raises:
            Unanswered: in words for the operator.
        """
        questions = [("INFO", "replication")]
        if time.monotonic() - self._looked_at > _LOADING_EVERY:
            questions.append(("INFO", "persistence"))
        replies = [_text(reply) for reply in await self.ask(*questions)]
        if len(replies) > 1:
            self._looked_at, self._persistence = time.monotonic(), replies[1]
        lines = f"{replies[0]}\n{self._persistence}".splitlines()
        return {name: value for name, colon, value in (line.partition(":") for line in lines) if colon}

    async def commands(self) -> Any:
        """Return the reply to COMMAND.

        Raises:
            Unanswered: in words for the operator.
        """
        return (await self.ask(("COMMAND",)))[0]

    async def ask(self, *questions: tuple[str, ...]) -> list[Any]:
        """Return the replies to *questions*, sent together.

        Raises:
            Unanswered: in words for the operator.
        """
        async with self._one_at_a_time:
            try:
                connection = await self._connected()
                await connection.send_packed_command(connection.pack_commands(questions))
                return [await connection.read_response(timeout=PATIENCE) for _ in questions]
            except Exception as error:
                # redis-py lets all kinds out when a connection ends in the middle of something
                if not isinstance(error, RedisError | OSError | TimeoutError | ValueError):
                    log.warning("asking %s: %r", self._address, error)
                self.close()
                raise Unanswered(_reason(error)) from None
            except asyncio.CancelledError:
                self.close()
                raise

    def close(self) -> None:
        """Let go of the connection without a word."""
        connection, self._connection = self._connection, None
        if connection is not None and connection._writer is not None:
            connection._writer.transport.abort()
            connection._close()  # type: ignore[no-untyped-call]

    async def _connected(self) -> Connection:
        if self._connection is None:
            user, password = self._login()
            self._connection = _Connection(
                host=self._address.host,
                port=self._address.port,
                username=user.decode() or None,
                password=None if password is None else password.decode(),
                socket_timeout=PATIENCE,
                socket_connect_timeout=PATIENCE,
                protocol=2,
                retry=Retry(NoBackoff(), 0),
                client_name="podmates-redis",
            )
        if not self._connection.is_connected:
            await self._connection.connect()  # type: ignore[no-untyped-call]
        return self._connection


def _text(reply: Any) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
