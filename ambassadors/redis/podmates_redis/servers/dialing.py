"""How a server is reached: at which address, and with or without TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from podmates_common.parse import Address
from podmates_redis.servers.mapping import Rule, reachable
from podmates_redis.servers.tls import Tls, cause
from podmates_redis.servers.traffic import Traffic

P = TypeVar("P", bound=asyncio.BaseProtocol)


class Dialer:
    """The way to one kind of server; never a plain connection where TLS is asked for."""

    def __init__(self, tls: Tls | None = None, rules: Sequence[Rule] = ()) -> None:
        self._tls, self._rules = tls, rules
        self.names: dict[str, str] = {}  # of servers that were found by name: what TLS verifies
        self.traffic: dict[str, Traffic] = {}  # by server
        self.failures: Counter[tuple[str, str]] = Counter()  # (server, cause): TLS handshakes

    def change(self, tls: Tls | None, rules: Sequence[Rule]) -> None:
        """Make the connections that come from now on so; those that stand, stand."""
        self._tls, self._rules = tls, rules

    def arguments(self, address: Address) -> dict[str, Any]:
        """Return what `asyncio.open_connection` needs to know to reach *address*.

        Raises:
            OSError: the certificates cannot be read.
        """
        host, port = reachable(self._rules, address)
        found: dict[str, Any] = {"host": host, "port": port}
        if self._tls is not None:
            name = self._tls.name(self.names.get(str(address), address.host))
            found |= {"ssl": self._tls.context(), "server_hostname": name}
        return found

    async def connect(self, protocol: Callable[[], P], address: Address) -> P:
        """Return a protocol whose connection stands.

        Raises:
            OSError: there is none.
        """
        try:
            _, made = await asyncio.get_running_loop().create_connection(protocol, **self.arguments(address))
        except ssl.CertificateError as error:
            raise OSError(f"TLS: {error}") from error
        return made

    def counts(self, server: str) -> Traffic:
        """Return what is counted of *server*."""
        return self.traffic.setdefault(server, Traffic())

    def forget(self, server: str) -> None:
        """Keep nothing of *server*: it is not among the servers any more."""
        self.traffic.pop(server, None)
        for key in [key for key in self.failures if key[0] == server]:
            del self.failures[key]

    def greeted(self, transport: asyncio.BaseTransport) -> None:
        """A server has answered for the first time on the connection of *transport*."""
        made = transport.get_extra_info("ssl_object")
        if self._tls is not None and made is not None:
            self._tls.greeted(made)

    def failed(self, address: Address, error: BaseException | None, *, ended: bool = False) -> str:
        """Count *error*, met before the first answer, if it is of TLS; return its name then, else nothing.

        *ended*: the server closed the connection without a word.
        """
        why = cause(error) or ("closed" if ended else "")
        if self._tls is None:
            return ""
        if why:
            self.failures[str(address), why] += 1
        return why


PLAIN = Dialer()
