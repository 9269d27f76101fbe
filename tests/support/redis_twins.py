"""Scripts of several clients, played at a plain server and at the ambassador, and compared byte for byte."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence

from tests.support.resp import Closed, RawClient, request
from tests.support.waiting import until

# what two servers that were told the same need not agree on: clocks, descriptors, and sizes of buffers
_MASKED = re.compile(
    rb"\b(addr|laddr|fd|age|idle|qbuf-free|multi-mem|rbs|rbp|obl|oll|omem|tot-mem|tot-net-in|tot-net-out"
    rb"|tot-cmds|io-thread|events)=\S*"
)
_LENGTHS = re.compile(rb"\b(argv-mem|qbuf)=[1-9]\d*")


class Twins:
    """Clients called by letters, each once at a plain server and once at the ambassador.

    *ordered*: the server lists clients that are asked for by ids in that order.
    """

    def __init__(self, plain: int, ours: int, login: Sequence[str] = (), *, ordered: bool = True) -> None:
        self._ports, self._login, self._ordered = (plain, ours), login, ordered
        self._clients: list[dict[str, RawClient]] = [{}, {}]
        self._ids: list[dict[bytes, bytes]] = [{}, {}]

    def client(self, side: int, letter: str) -> RawClient:
        if letter not in self._clients[side]:
            client = RawClient(self._ports[side], timeout=30)
            if self._login:
                client.call(*self._login)
            number = client.call("CLIENT", "ID")[1:-2]
            self._clients[side][letter] = client
            self._ids[side][number] = letter.encode()
        return self._clients[side][letter]

    def names(self, side: int) -> dict[str, bytes]:
        """Return the words that stand for the clients of one side: ``{a}`` its id, ``{a@}`` its address."""
        found = {f"{{{letter.decode()}}}": number for number, letter in self._ids[side].items()}
        for letter, client in self._clients[side].items():
            host, port = client.socket.getsockname()
            found[f"{{{letter}@}}"] = f"{host}:{port}".encode()
        return found

    def play(self, side: int, script: str) -> list[bytes]:
        """Return what the lines of *script* (``a: COMMAND``) bring; ``a< `` reads what is due to that client.

        A line ``a> COMMAND`` only sends; ``a blocked`` waits until CLIENT LIST says so.
        """
        heard = []
        lines = [line.split() for line in script.strip().splitlines()]
        for letter in sorted({line[0][0] for line in lines}):
            self.client(side, letter)
        for who, *words in lines:
            client, names = self.client(side, who[0]), self.names(side)
            command = [names.get(word, word) for word in words]
            if words == ["blocked"]:
                self._until_blocked(side, who[0])
                continue
            if who[1:] != "<":
                with contextlib.suppress(ConnectionError):  # reading tells
                    client.send(request(*command))
            if who[1:] != ">":
                heard.append(" ".join([who, *words]).encode() + b" -> " + self._read(side, client, words))
        return heard

    def _until_blocked(self, side: int, letter: str) -> None:
        number = self.names(side)[f"{{{letter}}}"]
        with RawClient(self._ports[side]) as other:
            until(
                lambda: re.search(rb" flags=\w*b", other.call("CLIENT", "LIST", "ID", number)),
                what=f"client {letter} of {side} to block",
            )

    def _read(self, side: int, client: RawClient, words: list[str]) -> bytes:
        try:
            reply = client.read()
            if words[-1:] == ["GETREDIR"]:
                return self._name(side, reply[1:-2])
            reply = self.masked(side, reply, in_order=self._ordered and "ID" in words)
            # how long an id is differs too
            return _LENGTHS.sub(rb"\1=", reply) if any(word.startswith("{") for word in words) else reply
        except TimeoutError:
            return b"silence"
        except (Closed, ConnectionResetError):
            return b"closed"

    def masked(self, side: int, reply: bytes, *, in_order: bool = False) -> bytes:
        """Return *reply* without what may differ; clients that this test does not know are left out.

        *in_order*: clients are listed in the order in which they were asked for. Else it is chance: a server
        turns its list ten times a second, and new clients come to its end.
        """
        if b"laddr=" not in reply:
            reply = re.sub(rb"(\r\nid\r\n):\d+", rb"\1:N", reply)
            return re.sub(
                rb"(redirect|broken)\r\n:(\d+)", lambda found: found[1] + self._name(side, found[2]), reply
            )
        lines = []
        for line in reply.split(b"\n"):
            line = line.removeprefix(b"txt:")
            number = re.match(rb"id=(\d+)", line)
            letter = self._ids[side].get(number[1]) if number else None
            if letter:
                lines.append(_MASKED.sub(rb"\1=", re.sub(rb"^id=\d+", b"id=" + letter, line)))
        text = b"\n".join(lines if in_order else sorted(lines))
        text = re.sub(rb"redir=(\d+)", lambda found: b"redir=" + self._name(side, found[1]), text)
        return reply[:1] + text

    def _name(self, side: int, number: bytes) -> bytes:
        return self._ids[side].get(number, number)

    def compare(self, script: str) -> list[bytes]:
        """Play *script* at both, assert that they answer the same, and return that."""
        plain, ours = self.play(0, script), self.play(1, script)
        for wanted, got in zip(plain, ours, strict=True):
            assert got == wanted, f"the server: {wanted!r}, the ambassador: {got!r}"
        return plain

    def close(self) -> None:
        for clients in self._clients:
            for client in clients.values():
                client.close()
