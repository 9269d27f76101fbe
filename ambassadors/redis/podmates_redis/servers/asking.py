"""Questions to one server, off the data path, by redis-py: one connection, made anew when it broke."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from podmates_common.parse import Address
from podmates_redis.servers.dialing import PLAIN, Dialer
from podmates_redis.servers.said import fields, text

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds for an answer
_NAME = (
    "CLIENT",
    "SETNAME",
    "podmates-redis",
)  # by redis-py it would have to be granted; a busy server does not
_LOADING_EVERY = 0.5  # seconds; that changes seldom, and INFO costs the server


class Unanswered(Exception):
    """The server did not answer, or with an error; the text says which."""


class Refusal(Unanswered):
    """The server has answered with an error, and would do so again."""


class _Connection(Connection):
    """One that writes whole: asyncio's `writelines` forgets to look whether the connection is lost.

    From 3.12 until it was mended in the course of 3.13 and 3.14 it then leaves the dead descriptor with the
    event loop, and the next connection that gets its number is never heard (python/cpython#136234).

    It asks *dialer* where to connect and how, each time.
    """

    dialer: Dialer
    address: Address

    def _connection_arguments(self) -> dict[str, Any]:
        return self.dialer.arguments(self.address)

    async def _connect(self) -> None:
        await super()._connect()  # type: ignore[no-untyped-call]
        writer = self._writer
        assert writer is not None  # noqa: S101  (for the type checker: it was just made)
        writer.writelines = lambda data: writer.write(b"".join(data))  # type: ignore[method-assign]


class Asker:
    """A connection for questions."""

    def __init__(
        self, address: Address, login: Callable[[], tuple[bytes, bytes | None]], dialer: Dialer = PLAIN
    ) -> None:
        self._address, self._login, self._dialer = address, login, dialer
        self._connection: Connection | None = None
        self._heard = False  # it has answered something
        self._one_at_a_time = asyncio.Lock()
        self._server = self._persistence = ""
        self._looked_at = float("-inf")

    async def replication(self) -> dict[str, str]:
        """Return the fields of INFO replication, those of INFO server, and whether the server is loading.

        Of one that is busy with a script only its ``role``, and ``busy``.

        Raises:
            Unanswered: in words for the operator.
        """
        questions = [("INFO", "replication")]
        if not self._heard or not self._server:  # the same for the life of a connection
            questions.append(("INFO", "server"))
        if not self._heard or time.monotonic() - self._looked_at > _LOADING_EVERY:
            questions.append(("INFO", "persistence"))
        answers = await self.ask_each(*questions)
        for answer in answers:
            if isinstance(answer, ResponseError):
                return await self._role(answer)
        said = {topic: text(reply) for (_, topic), reply in zip(questions, answers, strict=True)}
        self._server = said.get("server", self._server)
        if "persistence" in said:
            self._looked_at, self._persistence = time.monotonic(), said["persistence"]
        return fields(f"{self._server}\n{self._persistence}\n{said['replication']}")

    async def _role(self, refusal: ResponseError) -> dict[str, str]:
        """Return what a server says that has answered *refusal*: a busy one grants HELLO, nearly alone."""
        self._server = ""  # nothing of it is known but that
        if not str(refusal).startswith("BUSY"):
            self.close()  # it may be the login that is refused, and the next connection has another
            raise Unanswered(_reason(refusal))
        told = await self.greeting()
        words = list(map(text, told)) if isinstance(told, list) else []
        role = dict(zip(words[::2], words[1::2], strict=False)).get("role", "")
        return {"role": "slave" if role == "replica" else role, "busy": "1"}

    async def commands(self) -> Any:
        """Return the reply to COMMAND.

        Raises:
            Unanswered: in words for the operator.
        """
        return (await self.ask(("COMMAND",)))[0]

    async def greeting(self) -> Any:
        """Return the reply to HELLO.

        Raises:
            Unanswered: in words for the operator.
        """
        return (await self.ask(("HELLO",)))[0]

    async def databases(self) -> int:
        """Return how many databases the server has; 0: it does not say.

        Raises:
            Unanswered: in words for the operator.
        """
        found = (await self.ask_each(("CONFIG", "GET", "databases")))[0]
        return int(found[1]) if isinstance(found, list) and found[1:] and found[1].isdigit() else 0

    async def line(self) -> bytes:
        """Return the line in which the server describes this connection, by CLIENT INFO.

        Raises:
            Unanswered: in words for the operator.
        """
        found = (await self.ask(("CLIENT", "INFO")))[0]
        return found if isinstance(found, bytes) else b""

    async def ask(self, *questions: tuple[str, ...]) -> list[Any]:
        """Return the replies to *questions*, sent together.

        Raises:
            Unanswered: in words for the operator; the first one's if they were answered with errors.
        """
        replies = await self.ask_each(*questions)
        for reply in replies:
            if isinstance(reply, ResponseError):
                self.close()  # it may be the login that is refused, and the next connection has another
                raise (Unanswered if str(reply).startswith("BUSY") else Refusal)(_reason(reply))
        return replies

    async def ask_each(self, *questions: tuple[str, ...]) -> list[Any]:
        """Return the replies to *questions*, sent together; an error of one stands in its place.

        Raises:
            Unanswered: in words for the operator.
        """
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(PATIENCE):
                    connection, first = await self._connected()
                    await connection.send_packed_command(connection.pack_commands([*first, *questions]))
                    # no time limit of redis-py's: it would leave the answer to the next question
                    answers = [await _reply(connection) for _ in (*first, *questions)][len(first) :]
            except Exception as error:
                # redis-py lets all kinds out when a connection ends in the middle of something
                if not isinstance(error, RedisError | OSError | TimeoutError | ValueError):
                    log.warning("asking %s: %r", self._address, error)
                ended = "closed by server" in str(error)
                why = "" if self._heard else self._dialer.failed(self._address, error, ended=ended)
                self.close()
                raise Unanswered(f"TLS: {why}: {_reason(error)}" if why else _reason(error)) from None
            except asyncio.CancelledError:
                self.close()
                raise
            self._heard = True
            return answers

    def close(self) -> None:
        """Let go of the connection without a word."""
        connection, self._connection, self._heard = self._connection, None, False
        if connection is not None:
            _abort(connection)

    async def hear(self, channels: Iterable[str], heard: Callable[[str, str], None]) -> None:
        """Call *heard* with the channel and the text of each message, on a connection of its own, for ever.

        Raises:
            Unanswered: the connection has ended, in words for the operator.
        """
        connection = self._made()
        try:
            async with asyncio.timeout(PATIENCE):
                await connection.connect()  # type: ignore[no-untyped-call]
                for words in (_NAME, ("SUBSCRIBE", *channels)):
                    await connection.send_command(*words)
            while True:
                told = await _reply(connection)
                if isinstance(told, list) and told[0] == b"message":
                    heard(text(told[1]), text(told[2]))
        except (RedisError, OSError, TimeoutError, ValueError, TypeError) as error:
            raise Unanswered(_reason(error)) from None
        finally:
            _abort(connection)

    async def _connected(self) -> tuple[Connection, list[tuple[str, ...]]]:
        """Return the connection, and what is to be said first on it, whatever the answer."""
        if self._connection is None:
            self._connection = self._made()
        if self._connection.is_connected:
            return self._connection, []
        await self._connection.connect()  # type: ignore[no-untyped-call]
        return self._connection, [_NAME]

    def _made(self) -> _Connection:
        user, password = self._login()
        connection = _Connection(
            host=self._address.host,
            port=self._address.port,
            username=user.decode() or None,
            password=None if password is None else password.decode(),
            socket_timeout=None,
            socket_connect_timeout=PATIENCE,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
        )
        connection.dialer, connection.address = self._dialer, self._address
        return connection


def _abort(connection: Connection) -> None:
    if connection._writer is not None:
        connection._writer.transport.abort()
        connection._close()  # type: ignore[no-untyped-call]


async def _reply(connection: Connection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error


def _reason(error: BaseException) -> str:
    if type(error) is TimeoutError and not str(error):
        return f"no answer in {PATIENCE:g} s"
    return " ".join(str(error).split()) or type(error).__name__
