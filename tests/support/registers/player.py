"""A client that goes on whatever happens, and notes each operation with its times: what all kinds share."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.registers.history import NEVER, Event, History, Kind
from tests.support.resp import Closed, Command, RawClient, request
from tests.support.waiting import pause

PATIENCE = 30.0  # seconds for a reply; no nemesis lasts so long
_PACE = 0.002  # seconds between two turns, on average
_RHYTHM = 0.5  # seconds
_NOT_RUN = (b"READONLY", b"LOADING", b"MASTERDOWN", b"EXECABORT", b"UNBLOCKED")
_PERHAPS_RUN = (b"-ERR upstream connection lost", b"-ERR upstream timeout")
_connections = itertools.count()


def telling() -> bool:
    """Return whether it is time for what tells pods of each other's writes.

    Without pauses of that the floor would keep all reads from the replicas, and with it every stale one.
    """
    return time.monotonic() % _RHYTHM < _RHYTHM / 4


class Lost(Exception):
    """The connection ended; what was under way may have run."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a player of *pod* connects to, and what its choices are drawn from."""

    history: History
    pod: int
    port: int
    seed: int


class Player:
    """One client: `turn` is played until `stop`, on a new connection whenever one has ended."""

    tells = False  # its turns tell pods of each other's writes

    def __init__(self, seat: Seat, number: int = 0) -> None:
        self.seat, self.history, self.pod, self.number = seat, seat.history, seat.pod, number
        self.name = f"{type(self).__name__.lower()}{number}.pod{seat.pod}"
        self.draw = random.Random(f"{seat.seed} {self.name}")
        self.protocol = 2 + number % 2
        self.turns = 0
        self.connection = -1
        self._serial = itertools.count(1)
        self._client: RawClient | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def turn(self) -> None:
        raise NotImplementedError

    def opened(self) -> None:
        """Do what a new connection needs."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the turn in hand."""
        self._end.set()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join(2 * PATIENCE)
        if self._thread.is_alive():
            self.history.fault(f"hang: {self.name} does not end")

    @property
    def playing(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._end.is_set():
                try:
                    self.turn()
                    self.turns += 1
                except Lost:
                    self.drop()
                    pause(0.02)
                pause(self.draw.uniform(0, 2 * _PACE))
                while self.tells and not telling() and not self._end.is_set():
                    pause(0.02)
        except BaseException as error:
            self.history.fault(f"{self.name}: {error!r}")
        finally:
            self.drop()

    # -- talking ------------------------------------------------------------------------------

    def ask(self, *commands: Command) -> list[bytes]:
        """Send *commands* in one write and return the replies, one each.

        Raises:
            Lost: any of them may have run.
        """
        try:
            client = self._connected()
            client.pipeline(commands)
            return [self._checked(client.read()) for _ in commands]
        except TimeoutError:
            self.history.fault(f"hang: {self.name} got no reply to {commands!r} in {PATIENCE:g} s")
            raise Lost from None
        except (Closed, OSError):
            self.history.told("(closed)")
            raise Lost from None

    def hear(self, seconds: float) -> bytes:
        """Return the next thing that comes; nothing if none does within *seconds*.

        Raises:
            Lost: the connection ended.
        """
        try:
            client = self._connected()
            client.socket.settimeout(seconds)
            return client.read()
        except TimeoutError:
            return b""
        except (Closed, OSError):
            raise Lost from None

    def say(self, command: Command) -> None:
        """Send *command*; its answers are heard later."""
        assert self._client is not None
        self._client.send(request(*command))

    def _connected(self) -> RawClient:
        if self._client is None:
            self._client = RawClient(self.seat.port, protocol=self.protocol, timeout=PATIENCE)
            self.connection = next(_connections)
            self.opened()
        return self._client

    def drop(self) -> None:
        """Leave without a word."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _checked(self, reply: bytes) -> bytes:
        """Note an error; one that nobody may get is a fault."""
        if reply.startswith(b"-"):
            self.history.told(b" ".join(reply.split()[:4]).decode())
            if reply[1:].split()[0] not in _NOT_RUN and not reply.startswith(_PERHAPS_RUN):
                self.history.fault(f"{self.name} was told {reply!r}")
        return reply

    # -- noting -------------------------------------------------------------------------------

    def value(self, key: str) -> bytes:
        """Return a value for *key* that says who wrote it, and that is written once."""
        return f"{key}={self.name}#{next(self._serial)}".encode()

    def note(
        self,
        kind: Kind,
        key: str,
        value: bytes | None,
        begin: float,
        *,
        reply: bytes = b"",
        behind: bytes = b"",
    ) -> None:
        """Note what was begun at *begin* and is answered now; an error in *reply* says what became of it."""
        refused = reply.startswith(b"-") and reply[1:].split()[0] in _NOT_RUN
        end = NEVER if reply.startswith(_PERHAPS_RUN) else time.monotonic()
        who = self.pod, self.name, self.connection
        self.history.add(Event(kind, *who, begin, end, key, value, refused=refused, behind=behind))

    def attempt(
        self, kind: Kind, noted: Sequence[tuple[str, bytes | None]], *commands: Command
    ) -> list[bytes]:
        """`ask`; if the connection ends, *noted* (key, value) are noted as operations that may have run."""
        begin = time.monotonic()
        try:
            return self.ask(*commands)
        except Lost:
            for key, value in noted:
                self.note_unknown(kind, key, value, begin)
            raise

    def note_unknown(self, kind: Kind, key: str, value: bytes | None, begin: float) -> None:
        """Note what may have run."""
        self.history.add(Event(kind, self.pod, self.name, self.connection, begin, NEVER, key, value))

    def write(self, key: str) -> None:
        """Set *key* to a new value."""
        value, begin = self.value(key), time.monotonic()
        (reply,) = self.attempt(Kind.WRITE, [(key, value)], ("SET", key, value))
        self.note(Kind.WRITE, key, value, begin, reply=reply)
        self.expect(reply, b"+OK\r\n")

    def read(self, *keys: str) -> list[bytes | None]:
        """Read *keys*, each by a GET, in one packet."""
        begin = time.monotonic()
        replies = self.ask(*(("GET", key) for key in keys))
        return [self.took(key, reply, begin) for key, reply in zip(keys, replies, strict=True)]

    def took(self, key: str, reply: bytes, begin: float, behind: bytes = b"") -> bytes | None:
        """Note that *reply* came for a read of *key*, sent *behind* a write of that value in its packet."""
        if reply.startswith(b"-"):
            return None
        value = text(reply)
        self.note(Kind.READ, key, value, begin, behind=behind)
        return value

    def expect(self, reply: bytes, wanted: bytes) -> None:
        """Note a fault if *reply* is neither *wanted* nor an error."""
        if reply != wanted and not reply.startswith(b"-"):
            self.history.fault(f"shifted: {self.name} got {reply!r} for {wanted!r}")


def text(reply: bytes) -> bytes | None:
    """Return what a bulk string says; None for a null."""
    if reply in (b"$-1\r\n", b"_\r\n", b"*-1\r\n"):
        return None
    if not reply.startswith(b"$"):
        raise AssertionError(f"shifted: {reply!r} for a string")
    return reply.split(b"\r\n", 1)[1][:-2]


def play(players: Sequence[Player], seconds: float = 60.0) -> None:
    """Let each of *players* finish another two turns.

    Raises:
        AssertionError: one did not within *seconds*.
    """
    goal = {player: player.turns + 2 for player in players}
    deadline = time.monotonic() + seconds
    while late := [p.name for p in players if p.turns < goal[p] and p.playing]:
        assert time.monotonic() < deadline, f"no progress in {seconds:g} s: {late}"
        pause(0.02)
