"""Publish and subscribe, MONITOR and their like: frames that answer no request, among replies that do."""

from __future__ import annotations

import pytest

from podmates_redis.session.answering import tunnelled
from podmates_redis.session.session import STREAM
from podmates_redis.session.state import State
from podmates_redis.session.subscriptions import Frame, Subscriptions
from tests.unit.redis.rig import OK, QUEUED, Rig

READ_ONLY = b"-READONLY You can't write against a read only replica.\r\n"


def frame(*words: bytes | int | None, push: bool = False) -> bytes:
    """Return a frame of the publish and subscribe protocol."""
    out = b"%c%d\r\n" % (b">" if push else b"*", len(words))
    for word in words:
        if isinstance(word, int):
            out += b":%d\r\n" % word
        else:
            out += b"$-1\r\n" if word is None else b"$%d\r\n%b\r\n" % (len(word), word)
    return out


@pytest.mark.parametrize("push", [False, True], ids=["RESP2", "RESP3"])
def test_one_acknowledgement_for_each_channel_and_messages_in_between(push: bool) -> None:
    rig = Rig()
    rig.send("SET a 1\nSUBSCRIBE c d")
    first, message, second = (
        frame(b"subscribe", b"c", 1, push=push),
        frame(b"message", b"c", b"hello", push=push),
        frame(b"subscribe", b"d", 2, push=push),
    )
    rig.master(OK + first + message)
    assert rig.told() == OK + first + message
    assert rig.session.slots

    rig.master(second)
    assert rig.told() == second
    assert not rig.session.slots


@pytest.mark.parametrize("push", [False, True], ids=["RESP2", "RESP3"])
def test_no_acknowledgement_comes_before_the_reply_of_what_has_to_be_asked_again(push: bool) -> None:
    rig = Rig()
    rig.send("SET a 1\nSUBSCRIBE c d\nUNSUBSCRIBE\nSET b 2")
    acknowledged = [
        frame(name, channel, count, push=push)
        for name, channel, count in (
            (b"subscribe", b"c", 1),
            (b"subscribe", b"d", 2),
            (b"unsubscribe", b"c", 1),
            (b"unsubscribe", b"d", 0),
        )
    ]
    for part in (READ_ONLY, *acknowledged):
        rig.master(part)
        assert rig.told() == b""
    rig.master(READ_ONLY)
    rig.connect(replica=False)
    rig.master(OK + OK)

    assert rig.told() == OK + b"".join(acknowledged) + OK
    assert not rig.session.abort


def test_a_message_before_the_reply_of_what_has_to_be_asked_again_ends_its_subscription() -> None:
    rig = Rig()
    rig.send("SET a 1\nSUBSCRIBE c\nPING")
    rig.master(READ_ONLY + frame(b"subscribe", b"c", 1) + frame(b"message", b"c", b"hello"))

    assert rig.session.abort
    assert rig.told() == b""


def test_leaving_all_channels_is_acknowledged_channel_by_channel() -> None:
    rig = Rig()
    rig.send("SUBSCRIBE c d")
    rig.master(frame(b"subscribe", b"c", 1) + frame(b"subscribe", b"d", 2))
    rig.send("UNSUBSCRIBE\nGET k")
    gone = frame(b"unsubscribe", b"d", 1) + frame(b"unsubscribe", b"c", 0)
    rig.told()
    rig.master(gone + b"$1\r\nv\r\n")

    assert rig.told() == gone + b"$1\r\nv\r\n"
    assert not rig.session.subscriptions.active()


def test_leaving_nothing_is_acknowledged_once() -> None:
    rig = Rig()
    rig.send("UNSUBSCRIBE\nPUNSUBSCRIBE p")
    acks = frame(b"unsubscribe", None, 0) + frame(b"punsubscribe", b"p", 0)
    rig.master(acks)

    assert rig.told() == acks
    assert not rig.session.slots


def test_a_subscriber_reads_from_the_master_until_it_has_left() -> None:
    rig = Rig()
    rig.send("SUBSCRIBE c")
    rig.master(frame(b"subscribe", b"c", 1))
    rig.asked()
    rig.send("GET k\nPING")
    assert rig.asked() == [b"GET", b"PING"]

    rig.master(b"-ERR Can't execute 'get'\r\n" + frame(b"pong", b""))
    assert not rig.session.slots


def test_a_list_that_looks_like_a_message_is_an_answer_where_nobody_subscribed() -> None:
    rig = Rig()
    rig.send("EVAL x 0")
    reply = frame(b"message", b"c", b"x")
    rig.master(reply)

    assert rig.told() == reply
    assert not rig.session.slots


def test_a_message_raises_the_floor() -> None:
    rig = Rig()
    rig.send("SUBSCRIBE c")
    rig.master(frame(b"subscribe", b"c", 1))
    rig.shared.marks.floor = 0
    rig.master(frame(b"message", b"c", b"job"))

    assert rig.shared.marks.floor == rig.shared.marks.generation


def test_pushes_of_tracking_pass_between_replies() -> None:
    rig = Rig()
    rig.send("CLIENT TRACKING ON\nGET k")
    push = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
    rig.master(OK + b"$1\r\nv\r\n" + push)
    assert rig.told() == OK + b"$1\r\nv\r\n" + push

    rig.send("GET k")
    assert rig.session.slots[0].why == "policy"


def test_an_unknown_subcommand_of_client_pins_only_where_the_server_took_it() -> None:
    rig = Rig()
    rig.send("CLIENT NEWTHING x")
    rig.master(b"-ERR unknown subcommand\r\n")
    rig.send("GET k")
    assert rig.asked_replica() == [b"GET"]


def test_a_monitor_gets_the_stream_and_all_reads_go_where_it_looks() -> None:
    rig, other = Rig(), Rig()
    other.shared = other.session.shared = rig.shared
    rig.send("MONITOR")
    assert rig.session.tunnel
    other.send("GET k")
    assert other.session.slots[0].why == "policy"

    tunnelled(rig.session, OK + b'+1.0 [0 x] "GET" "k"\r\n')
    assert rig.told().startswith(OK)
    rig.send("RESET")
    assert (rig.told(), rig.shared.crowd.monitors) == (b"+RESET\r\n", 0)


def test_exec_with_a_subscription_inside_is_passed_on_unmatched() -> None:
    rig = Rig()
    rig.send("MULTI\nSUBSCRIBE c d\nEXEC\nPING")
    assert rig.asked() == [b"MULTI", b"SUBSCRIBE"]

    rig.master(OK + QUEUED)
    assert rig.session.tunnel
    assert rig.asked() == [b"EXEC", b"PING"]


def test_a_message_inside_the_reply_of_exec_is_no_reply_of_its_commands() -> None:
    """Redis 6 and 7.0 put one there for who publishes to itself in a transaction."""
    rig = Rig()
    rig.session.state = rig.session.master.state = State(protocol=3)
    rig.send("SUBSCRIBE c")
    rig.master(frame(b"subscribe", b"c", 1, push=True))
    rig.send("MULTI\nPUBLISH c m\nCLIENT ID\nEXEC\nPING")
    rig.told()
    message = frame(b"message", b"c", b"m", push=True)
    rig.master(OK + QUEUED + QUEUED + b"*2\r\n" + message + b":1\r\n:99\r\n" + b"+PONG\r\n")

    wanted = b"*2\r\n%b:1\r\n:%d\r\n+PONG\r\n" % (message, rig.session.id)
    assert rig.told() == OK + QUEUED + QUEUED + wanted
    assert not rig.session.abort


def test_what_a_frame_is() -> None:
    channels = Subscriptions()

    assert channels.take([b"subscribe", b"c", b"1"]) is Frame.ACKNOWLEDGEMENT
    assert channels.take([b"message", b"c", b"x"]) is Frame.MESSAGE
    assert channels.take([b"pong", b""]) is Frame.OTHER
    assert channels.take([]) is Frame.OTHER
    assert channels.owed([b"UNSUBSCRIBE"]) == 1
    assert channels.owed([b"PUNSUBSCRIBE"]) == 1
    assert channels.owed([b"SSUBSCRIBE", b"a", b"b"]) == 2
    assert channels.take([b"unsubscribe", b"c", b"0"]) is Frame.ACKNOWLEDGEMENT
    assert not channels.active()


@pytest.mark.parametrize("push", [False, True], ids=["RESP2", "RESP3"])
def test_a_large_message_passes_as_it_comes_and_nothing_comes_into_it(push: bool) -> None:
    rig = Rig()
    rig.session.state = rig.session.master.state = State(protocol=3 if push else 2)
    rig.send("SUBSCRIBE c")
    rig.master(frame(b"subscribe", b"c", 1, push=push))
    rig.told()
    message = frame(b"message", b"c", b"x" * 300_000, push=push)
    told = b""
    for start in range(0, len(message), 1000):
        rig.master(message[start : start + 1000])
        if start == 200_000:
            rig.send("CLIENT REPLY ON\nRESET" if push else "RESET")  # answered here
        held = start + 1000 - len(told) if start + 1000 < len(message) else 0
        assert held <= STREAM + 1000
        told += rig.told()

    assert told == message + OK * push + b"+RESET\r\n"
    assert not rig.session.abort


def test_a_client_whose_message_is_cut_off_is_closed() -> None:
    rig = Rig()
    rig.send("SUBSCRIBE c")
    rig.master(frame(b"subscribe", b"c", 1))
    rig.master(frame(b"message", b"c", b"x" * 300_000)[:200_000])
    rig.send("QUIT")
    assert not rig.session.closing
    rig.lose_master()

    assert rig.session.abort


def test_a_large_reply_among_messages_passes_as_it_comes() -> None:
    rig = Rig()
    rig.send("SUBSCRIBE c")
    rig.master(frame(b"subscribe", b"c", 1))
    rig.send("LRANGE k 0 -1")
    rig.told()
    reply = frame(*[b"x" * 1000] * 300)
    rig.master(reply[:100_000])
    assert rig.told() == reply[:100_000]
    rig.master(reply[100_000:] + frame(b"message", b"c", b"m"))

    assert rig.told() == reply[100_000:] + frame(b"message", b"c", b"m")
    assert not rig.session.abort
