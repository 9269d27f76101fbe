"""Requests and replies, however they are cut."""

from __future__ import annotations

import os
import random

import pytest

from tests.support.frames import replies, requests
from tests.support.shared_path import Form
from tests.unit.redis.engine.rig import MASTER, OK, Rig, say

SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
REPLIES_PLAYED = int(os.environ.get("COMMANDS", "100000000")) if os.environ.get("SOAK") == "1" else 20_000
REPLIES = {
    "status": b"+OK\r\n",
    "empty status": b"+\r\n",
    "error": b"-ERR no\r\n",
    "integer": b":-12\r\n",
    "bulk": b"$5\r\na\r\nb\n\r\n",
    "empty bulk": b"$0\r\n\r\n",
    "null bulk": b"$-1\r\n",
    "null array": b"*-1\r\n",
    "empty array": b"*0\r\n",
    "array": b"*3\r\n$1\r\na\r\n:1\r\n*2\r\n+x\r\n*-1\r\n",
    "error inside": b"*2\r\n-ERR inside\r\n-READONLY inside\r\n",
    "null": b"_\r\n",
    "true": b"#t\r\n",
    "double": b",3.14\r\n",
    "infinite": b",-inf\r\n",
    "big number": b"(3492890328409238509324850943850943825024385\r\n",
    "verbatim": b"=15\r\ntxt:Some string\r\n",
    "bulk error": b"!21\r\nSYNTAX invalid syntax\r\n",
    "map": b"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n",
    "empty map": b"%0\r\n",
    "set": b"~2\r\n+a\r\n+b\r\n",
    "attribute": b"|1\r\n+ttl\r\n:3600\r\n$1\r\nx\r\n",
    "attribute inside": b"*2\r\n|1\r\n+a\r\n%1\r\n+b\r\n:1\r\n:7\r\n+z\r\n",
    "deep": b"*1\r\n" * 5000 + b"+x\r\n",
    "long line": b"+" + b"y" * 5000 + b"\r\n",
    "long error": b"-ERR " + b"y" * 10000 + b"\r\n",
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES.keys())
def test_a_reply_is_passed_on_as_it_is_at_every_cut(reply: bytes) -> None:
    both = reply + b"+next\r\n"
    cuts = range(len(both) + 1) if len(both) < 300 else range(0, len(both), len(both) // 40)
    for cut in cuts:
        rig = Rig(replica=False)
        rig.client(say("TYPE", "a") * 2)
        rig.at_master()
        rig.master(both[:cut])
        rig.master(both[cut:])

        assert rig.told() == both, cut
        assert rig.play.stands(MASTER)


def test_replies_come_byte_by_byte() -> None:
    rig = Rig(replica=False)
    all_of_them = b"".join(reply for reply in REPLIES.values() if len(reply) < 300)
    rig.client(say("TYPE", "a") * sum(len(reply) < 300 for reply in REPLIES.values()))
    rig.at_master()
    for place in range(len(all_of_them)):
        rig.master(all_of_them[place : place + 1])

    assert rig.told() == all_of_them
    assert rig.play.stands(MASTER)


BROKEN = {
    "a push": b">2\r\n+invalidate\r\n*1\r\n+a\r\n",
    "not a reply": b"hello\r\n",
    "no number": b"$x\r\n",
    "empty number": b"*\r\n",
    "two minus": b"$--1\r\n",
    "negative": b"*-2\r\n",
    "long number": b"$99999999999999999\r\n",
    "no newline": b"$1\rx",
    "a push inside": b"*2\r\n>1\r\n+a\r\n",
    "too many elements": b"*9999999999999\r\n" * 2000,
}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN.keys())
def test_a_stream_that_is_out_of_step_costs_the_connection(reply: bytes) -> None:
    rig = Rig(replica=False)
    rig.client(say("SET", "a", "1"))
    rig.at_master()
    rig.master(reply)

    assert not rig.play.stands(MASTER)
    assert rig.told() in (b"-ERR lost, may have run\r\n", b"")


def test_a_reply_that_nobody_asked_for_costs_the_connection() -> None:
    rig = Rig(replica=False)
    rig.master(b"+OK\r\n")

    assert not rig.play.stands(MASTER)


def test_a_reply_to_what_was_not_sent_yet_costs_the_connection() -> None:
    rig = Rig(replica=False)
    rig.client(say("SET", "a", "1") + say("SET", "b", "2"))
    rig.play.sent(MASTER, len(say("SET", "a", "1")) + 3)
    rig.master(OK + OK)

    assert not rig.play.stands(MASTER)
    assert rig.told() == OK
    rig.play.attach(rig.group, 0, 7)
    assert rig.play.sent(7) == say("SET", "b", "2")


PIPELINE = [
    say("SET", "a", "x" * 40),
    say("ping"),
    say("GET", "b"),
    say("MULTI") + say("INCR", "n") + say("EXEC"),
    say("MGET", "a", "b", "c"),
    say("ECHO", "\r\n$1\r\n"),
    say("PUBLISH", "f", 0),
    say("set", b"\x00\xff", b""),
]
ANSWERS = {b"GET": b"$-1\r\n", b"SET": OK, b"set": OK, b"MGET": b"*1\r\n:1\r\n", b"PUBLISH": b":1\r\n"}
ANSWERS |= {b"MULTI": OK, b"INCR": b"+QUEUED\r\n", b"EXEC": b"*1\r\n:1\r\n"}
TOLD = OK + b"+PONG\r\n$-1\r\n" + OK + b"+QUEUED\r\n*1\r\n:1\r\n*1\r\n:1\r\n"
TOLD += b"$6\r\n\r\n$1\r\n\r\n:1\r\n" + OK


def answers(requests: bytes) -> bytes:
    """Answer what the tests above send, by the first word."""
    found, place = b"", 0
    while place < len(requests):
        lines = requests[place:].split(b"\r\n", 3)
        found += ANSWERS[lines[2]]
        place += size_of(requests[place:])
    return found


def size_of(data: bytes) -> int:
    count, place = int(data[1 : data.index(b"\r\n")]), data.index(b"\r\n") + 2
    for _ in range(count):
        end = data.index(b"\r\n", place)
        place = end + 4 + int(data[place + 1 : end])
    return place


def test_requests_are_taken_at_every_cut() -> None:
    whole = b"".join(PIPELINE)
    for cut in range(len(whole) + 1):
        rig = Rig(replica=False)
        for piece in (whole[:cut], whole[cut:]):
            if piece and rig.play.state(1) != "away":
                rig.play.say(1, piece, last=False)
        sent = rig.at_master()
        rig.master(answers(sent))

        assert rig.told() == TOLD, cut
        assert sent == whole.replace(say("ping"), b"").replace(say("ECHO", "\r\n$1\r\n"), b"")


LEAVES = {
    "inline": b"PING\r\n",
    "empty line": b"\r\n",
    "no array": b"*0\r\n",
    "negative array": b"*-1\r\n",
    "odd count": b"*01\r\n$4\r\nPING\r\n",
    "plus": b"*+1\r\n$4\r\nPING\r\n",
    "huge count": b"*2147483648\r\n",
    "not a bulk": b"*1\r\n+PING\r\n",
    "odd length": b"*1\r\n$04\r\nPING\r\n",
    "negative length": b"*1\r\n$-1\r\n",
    "long": b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$70000\r\n",
    "unknown": b"*1\r\n$4\r\nPOST\r\n",
    "empty name": b"*1\r\n$0\r\n\r\n",
    "long name": b"*1\r\n$200\r\n" + b"x" * 200 + b"\r\n",
    "bar in the name": b"*1\r\n$11\r\nobject|freq\r\n",
    "nul in the name": b"*1\r\n$4\r\nget\x00\r\n",
    "no newline": b"*1\rx$4\r\nPING\r\n",
    "multi alone": say("MULTI"),
    "watch in a block": say("MULTI") + say("WATCH", "a") + say("EXEC"),
    "multi in a block": say("MULTI") + say("MULTI") + say("EXEC"),
    "wait in a block": say("MULTI") + say("WAIT", 0, 0) + say("EXEC"),
    "exec alone": say("EXEC"),
}


@pytest.mark.parametrize("data", LEAVES.values(), ids=LEAVES.keys())
def test_what_is_not_plain_is_pythons_whole_and_after_what_was_before(data: bytes) -> None:
    rig = Rig(replica=False)
    rig.client(say("SET", "a", "1") + data)

    assert rig.at_master() == say("SET", "a", "1")
    assert rig.play.state(1) == "leaving"
    rig.master(OK)
    assert rig.told() == OK
    assert rig.play.state(1) == "away"
    assert rig.play.unread(1) == data


def test_noise_never_does_harm() -> None:
    chosen = random.Random(7)
    alphabet = [
        b"*",
        b"$",
        b"\r\n",
        b"1",
        b"3",
        b"-",
        b"GET",
        b"MULTI",
        b"EXEC",
        b"\x00",
        b"*1\r\n$4\r\nPING\r\n",
    ]
    for _ in range(600 if Form.twin else 3000):
        rig = Rig(replica=False)
        for _ in range(chosen.randrange(1, 6)):
            rig.play.say(1, b"".join(chosen.choices(alphabet, k=chosen.randrange(1, 12))))
        if rig.play.sent(MASTER):
            rig.master(b"".join(chosen.choices([b"+", b"\r\n", b"$3", b"*2\r\n", b"-", b":1\r\n"], k=6)))
        rig.told()


def test_replies_of_every_shape_are_passed_on_as_they_are_however_they_are_cut() -> None:
    draw = random.Random(SEED)
    for _ in range(REPLIES_PLAYED // 100):
        said = [reply for reply in (replies.reply(draw) for _ in range(100)) if harmless(reply)]
        data = b"".join(said)
        rig = Rig(replica=False)
        rig.client(say("TYPE", "a") * len(said))
        rig.at_master()
        told = b""
        for part in requests.cut(data, draw, draw.choice((1, 2, 10, 100, 1000))):
            rig.master(part)
            told += rig.told()

        assert told == data, f"SEED={SEED}"
        assert rig.play.stands(MASTER), f"SEED={SEED}"


def harmless(reply: bytes) -> bool:
    """Tell whether nobody has to do anything about *reply*: no push, no refusal that is sent again."""
    return not reply.startswith((b">", b"-READONLY"))
