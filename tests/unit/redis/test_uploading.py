"""Large writes pass on to the master while they come, and nothing of them is held or sent twice."""

from __future__ import annotations

import pytest

from podmates_redis.session import losing
from podmates_redis.session.routing import ended, proceed
from podmates_redis.session.shared import Policy
from podmates_redis.wire import texts
from podmates_redis.wire.requests import Requests, encode
from tests.unit.redis.rig import OK, QUEUED, Rig, shared

BODY = b"x" * 300
LARGE = encode(b"SET", b"k", BODY, b"NX")
READ_ONLY = b"-READONLY You can't write against a read only replica.\r\n"


class Uploads(Rig):
    """A client whose words of 100 bytes and more are large."""

    def __init__(self, *, up: bool = True, policy: Policy | None = None) -> None:
        super().__init__(shared(policy=policy), up=up)
        self.requests.large = 100

    def sent(self) -> bytes:
        """Return the bytes that the master was sent since the last time."""
        out = b"".join(self.session.master.out)
        self.session.master.out.clear()
        return out


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [*range(1, 40), 100, 200, len(LARGE)])
def test_what_the_master_gets_is_what_was_sent_however_it_comes(size: int) -> None:
    rig = Uploads()
    request = encode(b"GET", b"other") + LARGE + encode(b"SET", b"other", b"v")
    for piece in pieces(request, size):
        rig.send(piece)
    assert rig.asked_replica() == [b"GET"]
    rig.replica(b"$-1\r\n")
    rig.send(b"")  # a shell looks again whenever something has happened
    assert rig.sent() == LARGE + encode(b"SET", b"other", b"v")
    rig.master(OK + OK)
    assert rig.told() == b"$-1\r\n" + OK + OK


@pytest.mark.parametrize("size", range(1, 60))
def test_pieces_are_as_every_server_takes_them(size: int) -> None:
    """Whatever line ends a client uses, and with several large words in one request."""
    requests, seen = Requests(), b""
    requests.large = 10
    odd = b"*4\r\n$4\r\nMSET\rx$1\r\na..$20\r\n" + b"y" * 20 + b"--$12\r\x00" + b"z" * 12 + b"\n\n"
    for piece in pieces(odd, size):
        seen += b"".join(request.raw for request in requests.feed(piece))
        if requests.begun is not None:
            assert requests.begun.args[:2] == [b"MSET", b"a"] and requests.begun.total == 4
            seen += requests.begun.raw
            requests.accept(True)
            assert not requests.feed(b"")
        seen += b"".join(requests.passed())
    assert seen == encode(b"MSET", b"a", b"y" * 20, b"z" * 12)
    assert not requests.passing and not requests.waiting


def test_it_begins_before_its_end_is_here() -> None:
    rig = Uploads()
    rig.send(LARGE[:200])
    assert rig.sent() == LARGE[:200]
    assert rig.requests.weight == 0
    rig.send(LARGE[200:])
    assert rig.sent() == LARGE[200:]


@pytest.mark.parametrize(
    "words",
    [
        (b"GET", BODY),  # a read, and its key is what is large
        (b"SISMEMBER", b"k", BODY),
        (b"EVAL", b"return 1", BODY),
        (b"SET", b"k", b"v", BODY, BODY, BODY, b"EX"),
        (b"NOSUCH", b"k", BODY),
        (b"SET", BODY, b"v"),
    ],
    ids=lambda words: words[0].decode(),
)
def test_what_cannot_be_known_by_its_beginning_is_kept(words: tuple[bytes, ...]) -> None:
    rig = Uploads()
    request = encode(*words)
    rig.send(request[:-10])
    if words[0] != b"SET" or words[1] == BODY:
        assert rig.sent() == b"" and rig.requests.weight > 200
    rig.send(request[-10:])
    assert rig.sent() + b"".join(rig.session.replica.out) == request


def test_its_key_is_marked_and_all_keys_where_others_are_to_come() -> None:
    rig = Uploads()
    rig.send(LARGE[:200])
    rig.send("")
    marks = rig.session.marks
    assert marks.needed([marks.slot(0, b"k")]) > 1 and marks.needed([marks.slot(0, b"other")]) == 1
    every = Uploads()
    every.send(encode(b"MSET", b"a", BODY, b"b", b"v")[:200])
    assert every.session.marks.needed([marks.slot(0, b"b")]) > 1


def test_it_may_turn_out_to_be_a_lock() -> None:
    """NX may stand behind the value."""
    rig = Uploads()
    before = rig.session.marks.floor
    rig.send(LARGE)
    rig.master(OK)
    rig.send(LARGE[:200])
    rig.send(LARGE[200:])
    rig.master(b"$-1\r\n")
    assert rig.session.marks.floor > before


def test_it_waits_for_its_connection_and_nothing_more_is_read_meanwhile() -> None:
    rig = Uploads(up=False)
    rig.send(LARGE[:200])
    assert rig.session.wants_master() and rig.session.uploads_to_nobody()
    rig.connect()
    assert rig.sent() == LARGE[:200] and not rig.session.uploads_to_nobody()
    rig.send(LARGE[200:])
    rig.master(OK)
    assert rig.told() == OK


def test_a_client_whose_master_is_lost_meanwhile_is_closed() -> None:
    rig = Uploads(policy=Policy(close_on_unknown=False))
    rig.send(LARGE[:200])
    rig.lose_master()
    assert rig.session.abort


def test_one_that_waits_in_vain_is_answered_when_it_must_and_its_rest_dropped() -> None:
    rig = Uploads(up=False)
    rig.send(LARGE[:200])
    losing.give_up(rig.session, texts.READ_ONLY)
    assert rig.told() == texts.READ_ONLY and not rig.session.uploads_to_nobody()
    rig.send(LARGE[200:] + b"PING\r\n")
    assert rig.told() == b"+PONG\r\n" and rig.sent() == b""


def test_a_refusal_is_told_since_it_cannot_be_sent_again() -> None:
    rig = Uploads()
    rig.send(LARGE[:200])
    rig.send(LARGE[200:])
    rig.master(READ_ONLY)
    assert rig.told() == READ_ONLY and rig.session.suspect and not rig.session.abort


def test_a_server_that_refuses_it_before_its_end_reads_no_more_of_the_client() -> None:
    rig = Uploads()
    rig.send(LARGE[:200])
    rig.master(b"-ERR Protocol error: invalid bulk length\r\n")
    assert rig.told() == b"-ERR Protocol error: invalid bulk length\r\n" and rig.session.closing


def test_one_that_breaks_off_has_its_error_after_what_was_before() -> None:
    rig = Uploads()
    rig.send(b"INCR n\r\n" + LARGE[:200])
    rig.sent()
    rig.send(LARGE[200 : LARGE.index(b"$2\r\nNX")] + b"nonsense\r\n")
    assert rig.told() == b""
    rig.master(b":1\r\n")
    assert rig.told() == b":1\r\n-ERR Protocol error: expected '$', got 'n'\r\n"
    assert rig.session.closing and rig.session.master.drop


def test_a_client_that_leaves_in_the_midst_of_it_is_closed() -> None:
    rig = Uploads()
    rig.send(LARGE[:200])
    ended(rig.session)
    assert rig.session.abort


def test_in_a_transaction_it_is_queued() -> None:
    rig = Uploads()
    rig.send("MULTI")
    rig.send(LARGE[:200])
    rig.send(LARGE[200:] + b"EXEC\r\n")
    assert rig.sent() == encode(b"MULTI") + LARGE + encode(b"EXEC")
    rig.master(OK + QUEUED + b"*1\r\n+OK\r\n")
    assert rig.told() == OK + QUEUED + b"*1\r\n+OK\r\n"


def test_it_waits_for_the_end_of_a_pause() -> None:
    rig = Uploads()
    rig.shared.pause.begin(10.0, False)
    rig.send(LARGE[:200])
    assert rig.sent() == b"" and rig.requests.begun is not None
    rig.shared.pause.over()
    proceed(rig.session)
    rig.send(b"")
    rig.send(LARGE[200:])
    assert rig.sent() == LARGE


def test_no_time_counts_before_its_end_is_here() -> None:
    rig = Uploads()
    rig.send(LARGE[:200])
    slot = rig.session.upload
    assert slot is not None
    rig.shared.clock = lambda: 1000.0
    assert rig.session.since(slot) == 1000.0
    rig.send(LARGE[200:])
    rig.shared.clock = lambda: 1001.0
    assert rig.session.since(slot) == 1000.0
