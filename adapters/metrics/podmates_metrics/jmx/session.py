"""A session with a JMX server: from the registry to attributes. Shell around `messages`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from ssl import SSLContext, SSLError
from typing import Literal

from podmates_metrics.jmx import jrmp, messages, references
from podmates_metrics.jmx.connection import Connection, ConnectionLost
from podmates_metrics.jmx.decoder import Limits, StreamAborted, StreamError
from podmates_metrics.jmx.javavalues import Value
from podmates_metrics.jmx.target import Place, Target

LEASE = 600.0  # seconds that we ask for; servers grant as much by default
CONNECT = 3.0  # seconds for one TCP connection and its greeting
_GONE = "java.rmi.NoSuchObjectException"
_NOTHING_TO_READ = ("javax.management.InstanceNotFoundException", "java.lang.SecurityException")
Wanted = tuple[str, Sequence[str]]  # a bean and attributes of it
Outcome = jrmp.Reply | jrmp.RemoteError | StreamAborted | ConnectionLost  # of one call among many


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How sessions are made.

    Attributes:
        window: calls in flight on the connection; 1 sends each only after the reply to the one before.
        stub_host: which host name to believe. A JVM in a pod often names itself by an address that
            nobody reaches; `auto` tries that one, and then the host under which the registry answered.
    """

    limits: Limits = field(default_factory=Limits)
    window: int = 64
    stub_host: Literal["auto", "stub", "target"] = "auto"
    credentials: messages.Credentials | None = None
    tls: SSLContext | None = None
    registry_tls: SSLContext | None = None


@dataclass(slots=True)
class Answer:
    """What a bean said.

    Attributes:
        broken: the attribute that the server could not serialise; empty in general.
        refused: the bean did not want to be read so.
        gone: there is no such bean any more, or nothing of its answer could be used.
    """

    bean: str
    values: dict[str, Value]
    broken: str = ""
    refused: bool = False
    gone: bool = False


class SessionLost(ConnectionError):
    """The server has closed our session; another one can be opened."""


FAILURES = (OSError, StreamError, StreamAborted, jrmp.RemoteError)  # what any call may end in


class Session:
    """An open session. Not safe for two callers at once; whoever gives up in the middle must `abort`."""

    def __init__(self, connection: Connection, place: Place, identity: bytes, options: Options) -> None:
        self._connection, self._place, self._identity = connection, place, identity
        self._options = options
        self._tls: SSLContext | None = None
        self._client, self._sequence = os.urandom(8), 0
        self.waiting_for = ""  # the bean whose answer is due next

    @classmethod
    async def open(cls, target: Target, options: Options) -> Session:
        """Ask the registry for the server and the server for a session.

        Raises:
            OSError: somebody is not reachable, or (SessionLost) went away meanwhile.
            StreamError: somebody does not speak RMI, or not as we can understand.
            RemoteError: the server refuses us.
        """
        server = await _looked_up(target, options)
        if server.tls and options.tls is None:
            raise StreamError("the server demands TLS")
        if options.tls and not server.tls:
            raise StreamError("the server has no TLS, which is demanded of it")
        connection, place = await _reached(server, target.registry.host, options)
        try:
            reply = await connection.call(messages.new_client(server.identity, options.credentials))
            session = cls(connection, place, references.find(reply.value).identity, options)
            session._tls = options.tls
            connection.send(jrmp.acknowledge(reply.key))
        except BaseException:
            connection.abort()
            raise
        return session

    async def renew(self) -> float:
        """Ask for a new lease; return for how many seconds it holds.

        A session whose lease runs out is closed by the server's collector.
        """
        self._sequence += 1
        request = references.dirty(
            self._identity, client=self._client, sequence=self._sequence, milliseconds=int(LEASE * 1000)
        )
        return references.granted((await self._connection.call(request)).value)

    async def ping(self) -> None:
        """Keep the server from closing an idle session, as it does after two minutes."""
        await self._guarded(self._connection.call(messages.ping(self._identity)))

    async def names(self, pattern: str | None = None) -> list[str]:
        """Return the names of the beans that match, all without a pattern."""
        request = messages.query_names(self._identity, pattern)
        return messages.names((await self._guarded(self._connection.call(request))).value)

    async def infos(self, beans: Sequence[str]) -> dict[str, list[messages.AttributeInfo]]:
        """Return the readable attributes of *beans*; of one that cannot be described, none."""
        found: dict[str, list[messages.AttributeInfo]] = {}

        def deliver(bean: str, answer: Outcome) -> None:
            found[bean] = messages.readable(answer.value) if isinstance(answer, jrmp.Reply) else []

        await self._ask(beans, [messages.bean_info(self._identity, bean) for bean in beans], deliver)
        return found

    async def read(self, wanted: Sequence[Wanted], take: Callable[[Answer], None]) -> None:
        """Read attributes of beans; *take* gets the answers as they arrive, also before a failure.

        An attribute that the server cannot serialise ends its bean's reply and the connection: what
        came before is an answer, what follows is asked for again and is another. A bean that refuses
        to have several attributes read at once is asked for one after the other.
        """
        todo = wanted
        while todo:
            todo, refusing = await self._read_once(todo, take)
            for bean, attributes in refusing:
                take(await self._read_singly(bean, attributes))

    async def _read_once(
        self, wanted: Sequence[Wanted], take: Callable[[Answer], None]
    ) -> tuple[list[Wanted], list[Wanted]]:
        """Read each bean by one call; return what is left to ask for, and the beans that refuse."""
        rest: list[Wanted] = []
        refusing: list[Wanted] = []
        asked = dict(wanted)

        def deliver(bean: str, reply: Outcome) -> None:
            answer, attributes = _answer(bean, reply), asked[bean]
            left = attributes[attributes.index(answer.broken) + 1 :] if answer.broken in attributes else ()
            if left:
                rest.append((bean, left))
            if answer.refused:
                refusing.append((bean, attributes))
            else:
                take(answer)

        requests = [messages.read(self._identity, bean, attributes) for bean, attributes in wanted]
        await self._ask([bean for bean, _ in wanted], requests, deliver)
        return rest, refusing

    async def _read_singly(self, bean: str, attributes: Sequence[str]) -> Answer:
        """Return what can be read; an attribute whose getter throws is left out."""
        remaining = iter(attributes)
        values: dict[str, Value] = {}

        def deliver(_: str, reply: Outcome) -> None:
            attribute = next(remaining)
            if isinstance(reply, jrmp.Reply):
                values[attribute] = reply.value

        requests = [messages.read_one(self._identity, bean, attribute) for attribute in attributes]
        await self._ask([bean] * len(requests), requests, deliver)
        return Answer(bean, values)

    async def _ask(
        self, beans: Sequence[str], requests: Sequence[bytes], deliver: Callable[[str, Outcome], None]
    ) -> None:
        """Have every request answered once; a call that ends the connection counts as answered by that.

        With several calls in flight a closed connection does not tell whose fault it was, so they are
        sent again one at a time until it shows. All our calls are reads.
        """
        at, window = 0, self._options.window
        while at < len(requests):
            began, aborted = at, False
            self.waiting_for = beans[at]
            try:
                async for answer in self._connection.pipeline(requests[at:], window):
                    if isinstance(answer, jrmp.RemoteError) and answer.kind == _GONE:
                        raise SessionLost("the server has closed our session")
                    deliver(beans[at], answer)
                    at += 1
                    aborted = isinstance(answer, StreamAborted)
                    self.waiting_for = beans[at] if at < len(beans) else ""
            except ConnectionLost as error:
                if window == 1 and at == began:
                    deliver(beans[at], error)
                    at += 1
                window, aborted = 1, True
            else:
                window = self._options.window
            if aborted:
                await self._reopen()

    async def _reopen(self) -> None:
        self._connection.abort()
        self._connection = await _connected(self._place, self._options.limits, self._tls)

    async def _guarded(self, call: Awaitable[jrmp.Reply]) -> jrmp.Reply:
        try:
            return await call
        except jrmp.RemoteError as error:
            if error.kind == _GONE:
                raise SessionLost("the server has closed our session") from None
            raise

    async def close(self) -> None:
        """End the session on the server, too."""
        await self._connection.call(messages.close(self._identity), void=True)
        await self._connection.close()

    def abort(self) -> None:
        """Drop the connection; the server finds out by itself."""
        self._connection.abort()


def _answer(bean: str, reply: Outcome) -> Answer:
    if isinstance(reply, jrmp.Reply):
        return Answer(bean, messages.attributes(reply.value))
    if isinstance(reply, StreamAborted):
        complete, broken = messages.salvage(reply.partial)
        return Answer(bean, complete, broken, gone=not broken)
    refused = isinstance(reply, jrmp.RemoteError) and reply.kind not in _NOTHING_TO_READ
    return Answer(bean, {}, refused=refused, gone=not refused)


async def _looked_up(target: Target, options: Options) -> references.Reference:
    registry = await _connected(target.registry, options.limits, options.registry_tls)
    try:
        return references.find((await registry.call(messages.lookup(target.bound))).value)
    finally:
        registry.abort()


async def _reached(server: references.Reference, host: str, options: Options) -> tuple[Connection, Place]:
    hosts = {"auto": [server.host, host], "stub": [server.host], "target": [host]}[options.stub_host]
    places = [Place(name, server.port) for name in dict.fromkeys(hosts)]
    for place in places[:-1]:
        try:
            return await _connected(place, options.limits, options.tls), place
        except (OSError, StreamError):
            continue
    return await _connected(places[-1], options.limits, options.tls), places[-1]


async def _connected(place: Place, limits: Limits, tls: SSLContext | None) -> Connection:
    try:
        async with asyncio.timeout(CONNECT):
            return await Connection.open(place, limits=limits, tls=tls)
    except TimeoutError:
        raise TimeoutError(f"{place}: does not answer within {CONNECT:g} s") from None
    except SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or str(error)
        raise ConnectionLost(f"{place}: TLS: {reason}") from None
    except OSError as error:
        known = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
        raise ConnectionLost(f"{place}: {known}") from None
    except StreamError as error:
        raise StreamError(f"{place}: {error}") from None
