"""Something that answers as a sentinel does, and says what it is told to say."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"


class LyingSentinel:
    """Names ``127.0.0.1:port`` the master *name*, in configuration *epoch*; it knows no other sentinel.

    *flags* and the ports of *replicas* may be changed.
    """

    def __init__(self, name: str, port: int, epoch: int) -> None:
        self.name, self.named, self.epoch = name, port, epoch
        self.flags, self.replicas = "master", list[int]()
        self.asked = 0
        self.subscribed: list[_Talk] = []
        self._server = _Server((HOST, 0), _Talk)
        self._server.liar = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"{HOST}:{self._server.server_address[1]}"

    def tell(self, event: str) -> None:
        """Publish *event*: the channel, and what is said there."""
        channel, _, message = event.partition(" ")
        for talk in self.subscribed:
            with contextlib.suppress(OSError):
                talk.wfile.write(_reply(["message", channel, message]))

    def answer(self, topic: str) -> Sequence[object]:
        """Return the reply to ``SENTINEL topic``."""
        self.asked += 1
        port, epoch = str(self.named), str(self.epoch)
        kept = ["flags", "slave", "master-link-status", "ok"]
        replies: dict[str, Sequence[object]] = {
            "GET-MASTER-ADDR-BY-NAME": [HOST, port],
            "MASTER": ["ip", HOST, "port", port, "flags", self.flags, "config-epoch", epoch],
            "REPLICAS": [["ip", HOST, "port", str(replica), *kept] for replica in self.replicas],
            "MYID": "f" * 40,
        }
        return replies.get(topic, [])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    liar: LyingSentinel


class _Talk(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while words := self._words():
                if words[0] == "SENTINEL":
                    self.wfile.write(_reply(self.server.liar.answer(words[1])))
                elif words[0] == "SUBSCRIBE":
                    for number, channel in enumerate(words[1:], 1):
                        self.wfile.write(_reply(["subscribe", channel, number]))
                    self.server.liar.subscribed.append(self)
                else:
                    self.wfile.write(b"+OK\r\n")

    def _words(self) -> list[str]:
        line = self.rfile.readline()
        if not line:
            return []
        words = []
        for _ in range(int(line[1:])):
            length = int(self.rfile.readline()[1:])
            words.append(self.rfile.read(length + 2)[:-2].decode())
        return words


def _reply(value: object) -> bytes:
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(map(_reply, value))
    if isinstance(value, int):
        return b":%d\r\n" % value
    text = str(value).encode()
    return b"$%d\r\n%b\r\n" % (len(text), text)
