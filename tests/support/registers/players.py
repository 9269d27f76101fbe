"""Clients of every kind that share registers, locks, queues and channels."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tests.support.registers.history import OUTSIDE, History, Kind
from tests.support.registers.player import Lost, Player, Seat, telling, text
from tests.support.resp import elements

PODS = 2
OWN, SHARED, QUEUES = 3, 3, 2  # keys of each sort
WRITERS = (0, 1)  # of each pod; the odd one speaks RESP3
_LOCK_TIME = 2000  # milliseconds that a lock is held at most
_NULLS = (b"*-1\r\n", b"_\r\n")
_NAMES = [f"writer{number}.pod{pod}" for pod in range(PODS) for number in WRITERS]
REGISTERS = [
    *(f"own{i}.{name}" for name in _NAMES for i in range(OWN)),
    *(f"shared{i}" for i in range(SHARED)),
    "locked",
]
PAIRS = [(f"paira.{name}", f"pairb.{name}") for name in _NAMES]


class Writer(Player):
    """Writes keys of its own and shared ones in every way, and reads what it wrote."""

    def turn(self) -> None:
        ways = [self._alone, self._pipelined, self._count, self._anywhere]
        self.draw.choice([*ways, self._transaction] if telling() else ways)()

    def _key(self) -> str:
        if self.draw.random() < 0.3:
            return f"shared{self.draw.randrange(SHARED)}"
        return f"own{self.draw.randrange(OWN)}.{self.name}"

    def _alone(self) -> None:
        key = self._key()
        self.write(key)
        self.read(key)

    def _pipelined(self) -> None:
        """Write and read in one packet; the read must see the write."""
        key, token = self._key(), self.value("echo")
        value, begin = self.value(key), time.monotonic()
        packet = ("SET", key, value), ("GET", key), ("ECHO", token)
        first, got, echo = self.attempt(Kind.WRITE, [(key, value)], *packet)
        self.note(Kind.WRITE, key, value, begin, reply=first)
        self.expect(first, b"+OK\r\n")
        self.took(key, got, begin, behind=value)
        self.expect(echo, b"$%d\r\n%b\r\n" % (len(token), token))

    def _transaction(self) -> None:
        """Set two keys together; whoever reads both finds them equal."""
        keys = [f"pair{side}.{self.name}" for side in "ab"]
        value, begin = self.value("pair"), time.monotonic()
        packet = ("MULTI",), *(("SET", key, value) for key in keys), ("EXEC",)
        done = self.attempt(Kind.WRITE, [(key, value) for key in keys], *packet)[-1]
        for key in keys:
            self.note(Kind.WRITE, key, value, begin, reply=done)
        if not done.startswith(b"-"):
            self.note(Kind.ACQUIRE, "exec", None, begin)
        self.expect(done, b"*2\r\n+OK\r\n+OK\r\n")

    def _count(self) -> None:
        key, begin = self.draw.choice([f"count.{self.name}", "count.all"]), time.monotonic()
        (reply,) = self.attempt(Kind.COUNT, [(key, None)], ("INCR", key))
        number = reply[1:-2] if reply.startswith(b":") else None
        self.note(Kind.COUNT, key, number, begin, reply=reply)
        if number is None:
            self.expect(reply, b":<number>\r\n")

    def _anywhere(self) -> None:
        self.read(*self.draw.sample(REGISTERS, 3))


class Reader(Player):
    """Reads what all write, and pairs that must be equal."""

    def turn(self) -> None:
        if self.draw.random() < 0.7:
            self.read(*self.draw.sample(REGISTERS, self.draw.choice((1, 4))))
            return
        keys, begin = self.draw.choice(PAIRS), time.monotonic()
        (reply,) = self.ask(("MGET", *keys))
        if reply.startswith(b"-"):
            return
        values = [self.took(key, part, begin) for key, part in zip(keys, elements(reply), strict=True)]
        if values[0] != values[1]:
            self.history.fault(f"torn: {self.name} read {values}")


class Locker(Player):
    """Takes the one lock of all, reads, writes, and gives it back."""

    tells = True

    def turn(self) -> None:
        token, begin = self.value("lock"), time.monotonic()
        (reply,) = self.ask(("SET", "lock", token, "NX", "PX", _LOCK_TIME))
        if reply.startswith(b"-"):
            return
        self.note(Kind.ACQUIRE, "lock", None, begin)
        if reply != b"+OK\r\n":
            return
        self.read("locked")
        self.write("locked")
        self.ask(("DEL", "lock"))


class Producer(Player):
    """Writes a job, then puts its name into a queue and publishes it."""

    tells = True

    def turn(self) -> None:
        job = self.value("job")
        self.write(job.decode())
        self._send(f"queue{self.draw.randrange(QUEUES)}", "LPUSH", job)
        self._send(f"channel{self.pod}", "PUBLISH", job)

    def _send(self, place: str, command: str, message: bytes) -> None:
        begin = time.monotonic()
        (reply,) = self.attempt(Kind.SEND, [(place, message)], (command, place, message))
        self.note(Kind.SEND, place, message, begin, reply=reply)
        if not reply.startswith(b":"):
            self.expect(reply, b":<number>\r\n")


class Consumer(Player):
    """Takes names of jobs from the queues; the job must be there."""

    tells = True

    def turn(self) -> None:
        queues, begin = [f"queue{i}" for i in range(QUEUES)], time.monotonic()
        (reply,) = self.attempt(Kind.ACQUIRE, [("queue", None)], ("BRPOP", *queues, "0.3"))
        if reply.startswith(b"-"):  # its connection was lost, maybe with an element
            self.note_unknown(Kind.ACQUIRE, "queue", None, begin)
            return
        if reply in _NULLS:
            self.note(Kind.ACQUIRE, "queue", None, begin)
            return
        queue, job = (text(part) or b"" for part in elements(reply))
        self.note(Kind.ACQUIRE, queue.decode(), job, begin)
        self.read(job.decode())


class Listener(Player):
    """Hears of jobs by messages, and reads them on another connection of its pod."""

    def __init__(self, seat: Seat, number: int = 0) -> None:
        super().__init__(seat, number)
        self._other = Player(seat, 100 + number)

    def opened(self) -> None:
        self.say(("SUBSCRIBE", *(f"channel{pod}" for pod in range(PODS))))

    def turn(self) -> None:
        frame = self.hear(0.3)
        if not frame:
            return
        parts = elements(frame)
        kind, channel = text(parts[0]), text(parts[1]) or b""
        if kind == b"subscribe":
            return
        if kind != b"message" or len(parts) != 3:
            self.history.fault(f"shifted: {self.name} heard {frame!r}")
            return
        job = text(parts[2]) or b""
        self.note(Kind.ACQUIRE, channel.decode(), job, time.monotonic())
        try:
            self._other.read(job.decode())
        except Lost:
            self._other.drop()

    def drop(self) -> None:
        super().drop()
        self._other.drop()


class Auditor(Player):
    """Asks a server itself what is there when all is quiet."""

    def registers(self) -> None:
        self.read(*REGISTERS, *(key for pair in PAIRS for key in pair))

    def queues(self) -> None:
        for queue in (f"queue{i}" for i in range(QUEUES)):
            begin = time.monotonic()
            (reply,) = self.ask(("LRANGE", queue, 0, -1))
            for part in elements(reply):
                self.note(Kind.ACQUIRE, queue, text(part), begin)


def cast(history: History, ports: Sequence[int], seed: int) -> list[Player]:
    """Return the players of the pods whose ambassadors listen on *ports*."""
    found: list[Player] = []
    for pod, port in enumerate(ports):
        seat = Seat(history, pod, port, seed)
        found += [Writer(seat, number) for number in WRITERS]
        found += [
            Reader(seat, 0),
            Reader(seat, 1),
            Locker(seat),
            Producer(seat, 1),
            Consumer(seat),
            Listener(seat),
        ]
    return found


def audit(history: History, ports: Sequence[int]) -> None:
    """Note what the servers on *ports*, which are in step, hold."""
    for port in ports:
        auditor = Auditor(Seat(history, OUTSIDE, port, 0))
        try:
            auditor.registers()
            if port == ports[0]:
                auditor.queues()
        finally:
            auditor.drop()
