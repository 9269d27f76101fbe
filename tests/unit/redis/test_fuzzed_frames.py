"""Whatever comes and however it is cut, parsers say what is right, and take time for bytes only.

SOAK=1 feeds COMMANDS commands and replies (10^8); SEED repeats a run. A further parser is a row of `REQUESTS`
or `REPLIES`: it is held to the same.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from podmates_redis.wire import replies as pure_replies
from podmates_redis.wire import requests as pure_requests
from podmates_redis.wire.replies import BrokenReply, Replies, first_word, flat_strings
from podmates_redis.wire.requests import Requests
from tests.support.frames import replies, requests
from tests.support.frames.steps import counted
from tests.unit.redis.test_requests import cuts

SOAK = os.environ.get("SOAK") == "1"
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
COMMANDS = int(os.environ.get("COMMANDS", "100000000")) if SOAK else 12_000
STREAM = 150  # pieces of a stream
POOL = 3000  # pieces that streams are drawn from; then there are new ones

REQUESTS: dict[str, Callable[[], requests.Parser]] = {"pure": Requests}
REPLIES: dict[str, Callable[[], replies.Parser]] = {"pure": Replies}
each_requests = pytest.mark.parametrize("make", REQUESTS.values(), ids=REQUESTS.keys())
each_replies = pytest.mark.parametrize("make", REPLIES.values(), ids=REPLIES.keys())


def streams(draw: random.Random) -> Iterator[list[requests.Piece]]:
    """Yield the pieces of one stream after another until COMMANDS have gone out."""
    left = COMMANDS
    while left > 0:
        pool = [requests.piece(draw) for _ in range(POOL)]
        for _ in range(20):
            chosen = draw.choices(pool, k=STREAM)
            left -= len(chosen)
            yield chosen


def how_cut(data: bytes, draw: random.Random) -> list[bytes]:
    """Return *data* cut at random: rarely, often, or everywhere."""
    pieces = draw.choice((1, 2, 10, 100, 1000)) if draw.random() < 0.98 else len(data)
    return requests.cut(data, draw, min(pieces, 20_000))


@each_requests
def test_requests_are_what_was_said_however_they_are_cut(make: Callable[[], requests.Parser]) -> None:
    draw = random.Random(SEED)
    for chosen in streams(draw):
        ending = draw.choice(requests.ENDINGS) if draw.random() < 0.1 else requests.Ending(b"", b"")
        data = b"".join(part.data for part in chosen) + ending.data
        wanted = [request for part in chosen for request in part.requests]

        got = requests.play(make, how_cut(data, draw))

        assert got == requests.Outcome(wanted, ending.broken or None, 0), f"SEED={SEED}"


@each_requests
def test_requests_survive_a_cut_at_every_byte(make: Callable[[], requests.Parser]) -> None:
    draw = random.Random(SEED)
    for _ in range(2000 if SOAK else 40):
        part = requests.piece(draw)
        if len(part.data) > 3000:
            continue
        for pieces in cuts(part.data):
            assert requests.play(make, pieces) == (part.requests, None, 0), f"SEED={SEED}"


@each_requests
def test_what_is_no_protocol_is_the_same_however_it_is_cut(make: Callable[[], requests.Parser]) -> None:
    draw = random.Random(SEED)
    for chosen in streams(draw):
        data = b"".join(part.data for part in chosen[:20])
        data = requests.bent(data, draw)
        whole = requests.play(make, [data])

        assert requests.play(make, how_cut(data, draw)) == whole, f"SEED={SEED}"
        line = whole.broken or b"-ERR \r\n"
        assert line.startswith(b"-ERR ") and line.endswith(b"\r\n") and line.count(b"\n") == 1
        again = requests.play(make, [raw for _, raw in whole.requests])
        assert [args for args, _ in again.requests] == [args for args, _ in whole.requests]


@each_replies
def test_replies_are_what_was_said_however_they_are_cut(make: Callable[[], replies.Parser]) -> None:
    draw = random.Random(SEED)
    left = COMMANDS
    while left > 0:
        pool = [replies.reply(draw) for _ in range(POOL)]
        for _ in range(20):
            said = draw.choices(pool, k=STREAM)
            left -= len(said)

            got = replies.play(make, how_cut(b"".join(said), draw), BrokenReply)

            assert got == (said, b"", False), f"SEED={SEED}"


@each_replies
def test_replies_survive_a_cut_at_every_byte(make: Callable[[], replies.Parser]) -> None:
    draw = random.Random(SEED)
    for _ in range(2000 if SOAK else 40):
        said = replies.reply(draw)
        for pieces in cuts(said) if len(said) < 3000 else ():
            assert replies.play(make, pieces, BrokenReply) == ([said], b"", False), f"SEED={SEED}"


@each_replies
def test_what_is_no_reply_is_refused_however_it_is_cut(make: Callable[[], replies.Parser]) -> None:
    draw = random.Random(SEED)
    for _ in range(COMMANDS // 100):
        data = requests.bent(b"".join(replies.reply(draw) for _ in range(5)), draw)
        whole, parts = (replies.play(make, p, BrokenReply) for p in ([data], how_cut(data, draw)))

        assert whole.broken == parts.broken, f"SEED={SEED}"
        assert whole.broken or whole == parts, f"SEED={SEED}"
        for reply in parts.replies:
            first_word(reply)
            flat_strings(reply)


# -- time ------------------------------------------------------------------------------------------

SIZE = 6000  # bytes
MOST = 20  # steps a byte, each way; what grows with the square takes thousands
FED_TO: dict[str, tuple[ModuleType, Callable[[], Callable[[bytes], object]]]] = {
    "requests": (pure_requests, lambda: Requests().feed),
    "replies": (pure_replies, lambda: Replies().feed),
}
SLOW = {
    "one long argument": ("requests", b"*1\r\n$%d\r\n" % SIZE + b"x" * SIZE),
    "many short arguments": ("requests", b"*3000\r\n" + b"$0\r\n\r\n" * (SIZE // 6)),
    "many requests": ("requests", b"*1\r\n$1\r\nx\r\n" * (SIZE // 12)),
    "a request open behind many": (
        "requests",
        b"*1\r\n$1\r\nx\r\n" * (SIZE // 24) + b"*9\r\n$9999\r\n" + b"y" * 3000,
    ),
    "one long line": ("requests", b"x" * SIZE),
    "a line of quotes": ("requests", b'"\\x41" ' * (SIZE // 7)),
    "a line of open quotes": ("requests", b"'\\" * (SIZE // 2)),
    "a count without an end": ("requests", b"*" + b"1" * SIZE),
    "a size without an end": ("requests", b"*1\r\n$" + b"1" * SIZE),
    "empty lines": ("requests", b"\r\n" * (SIZE // 2)),
    "empty arrays": ("requests", b"*0\r\n" * (SIZE // 4)),
    "a long string": ("replies", b"$%d\r\n" % SIZE + b"x" * SIZE + b"\r\n"),
    "a long status": ("replies", b"+" + b"x" * SIZE + b"\r\n"),
    "a status without an end": ("replies", b"+" + b"\r" * SIZE),
    "a long array": ("replies", b"*1500\r\n" + b":1\r\n" * (SIZE // 4)),
    "deep arrays": ("replies", (b"*1\r\n" * 500 + b":1\r\n") * 3),
    "many replies": ("replies", b"+OK\r\n" * (SIZE // 5)),
    "pushes": ("replies", b">2\r\n+a\r\n+b\r\n" * (SIZE // 12)),
}


@pytest.mark.parametrize("size", [1, 7, 1460, SIZE * 2])
@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW.keys())
def test_the_work_grows_with_the_bytes(
    slow: tuple[str, bytes], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, data = slow
    module, make = FED_TO[name]
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    lines_of_a_call = 30 * len(parts)

    steps = counted(monkeypatch, module, make(), parts)

    assert 0 < steps < MOST * len(data) + lines_of_a_call


def test_a_line_is_not_searched_again_from_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the measure above can see: searching from the start at every byte is found out."""

    class Forgetful(Requests):
        def _line(self, end: bytes, excuse: bytes) -> int:
            self._searched = 0
            return super()._line(end, excuse)

    parts = [b"x"] * SIZE
    assert counted(monkeypatch, pure_requests, Forgetful().feed, parts) > 50 * MOST * len(parts)
