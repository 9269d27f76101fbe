"""Scripts are known to the master only: a replica is given those that it lacks, and no client notices."""

from __future__ import annotations

import hashlib

import pytest

from podmates_redis.session.answering import finish_errand
from podmates_redis.session.shared import Policy
from podmates_redis.wire.requests import encode
from tests.unit.redis.rig import OK, QUEUED, Rig, prove, shared

V = b"$1\r\nv\r\n"
BODY = b"return redis.call('get', KEYS[1])"
READER = b"#!lua flags=no-writes\n" + BODY
NOTBUSY = b"-NOTBUSY No scripts in execution right now.\r\n"
NOSCRIPT = b"-NOSCRIPT No matching script. Please use EVAL.\r\n"


def digest(body: bytes = BODY) -> bytes:
    return hashlib.sha1(body).hexdigest().encode()


def loaded(rig: Rig, body: bytes = BODY) -> None:
    """The client loads *body*, and replicas are proven to have all that was written."""
    rig.send(encode(b"SCRIPT", b"LOAD", body))
    rig.master(b"$40\r\n" + digest(body) + b"\r\n")
    prove(rig.shared)
    rig.told()
    rig.asked()


def run(*words: bytes, body: bytes = BODY) -> bytes:
    return encode(words[0], digest(body), *words[1:])


def test_a_replica_is_given_the_script_that_it_lacks() -> None:
    rig = Rig()
    loaded(rig)
    rig.send(run(b"EVALSHA_RO", b"1", b"k"))
    assert rig.asked_replica() == [b"EVALSHA_RO"]

    rig.replica(NOSCRIPT)
    assert rig.asked_replica() == [b"SCRIPT", b"EVALSHA_RO"]
    rig.replica(b"$40\r\n" + digest() + b"\r\n" + V)
    assert (rig.told(), rig.asked()) == (V, [])


def test_what_was_asked_behind_it_is_asked_again_in_order() -> None:
    """A later read must not have been answered from an older state than an earlier one."""
    rig = Rig()
    loaded(rig)
    rig.send(encode(b"GET", b"a") + run(b"EVALSHA_RO", b"1", b"k") * 2 + encode(b"GET", b"b"))
    rig.asked_replica()
    rig.replica(V + NOSCRIPT)
    assert rig.asked_replica() == [b"SCRIPT", b"EVALSHA_RO", b"EVALSHA_RO", b"GET"]

    rig.replica(NOSCRIPT + b"$3\r\nold\r\n" + b"+sha\r\n" + b":1\r\n" + b":2\r\n" + b":3\r\n")
    assert rig.told() == V + b":1\r\n:2\r\n:3\r\n"
    assert not rig.session.slots
    assert not rig.session.replica.queue


def test_a_replica_that_does_not_learn_leaves_it_to_the_master() -> None:
    rig = Rig()
    loaded(rig)
    rig.send(run(b"EVALSHA_RO", b"1", b"k"))
    rig.replica(NOSCRIPT + b"-NOPERM no SCRIPT LOAD for you\r\n" + NOSCRIPT)
    assert rig.asked() == [b"EVALSHA_RO"]

    rig.master(V)
    assert rig.told() == V


def test_a_script_that_the_master_is_not_known_to_have_is_the_masters_to_run() -> None:
    rig = Rig()
    rig.send(run(b"EVALSHA_RO", b"1", b"k"))
    assert rig.session.slots[0].why == "script"

    rig.master(NOSCRIPT)
    assert rig.told() == NOSCRIPT


def test_a_script_without_a_body_is_tried_once_at_a_replica() -> None:
    """Another pod loaded it: replicas may have it, or not."""
    rig = Rig()
    once = run(b"EVALSHA_RO", b"1", b"k")
    rig.send(once)
    rig.master(V)
    rig.send(once)
    rig.asked()
    rig.replica(NOSCRIPT)
    assert rig.asked() == [b"EVALSHA_RO"]

    rig.master(V)
    rig.send(once)
    assert rig.asked() == [b"EVALSHA_RO"]


@pytest.mark.parametrize("way", ["SCRIPT FLUSH", "MULTI\nSCRIPT FLUSH ASYNC\nEXEC"])
def test_flush_forgets_at_once_whatever_replicas_still_have(way: str) -> None:
    rig = Rig()
    loaded(rig)
    rig.send(way)
    rig.send(run(b"EVALSHA_RO", b"1", b"k"))
    rig.master(OK if way[0] == "S" else OK + QUEUED + b"*1\r\n" + OK)
    rig.send(run(b"EVALSHA_RO", b"1", b"k"))

    assert rig.asked_replica() == []
    assert rig.asked()[-2:] == [b"EVALSHA_RO"] * 2


def test_what_was_loaded_before_a_flush_is_not_learnt_after_it() -> None:
    facts = shared()
    one, other = Rig(facts), Rig(facts)
    one.send(encode(b"EVAL", BODY, b"0"))
    other.send("SCRIPT FLUSH")
    other.master(OK)
    one.master(V)

    assert len(facts.scripts) == 0


def test_what_eval_ran_is_known_and_what_it_could_not_compile_is_not() -> None:
    rig = Rig()
    rig.send(encode(b"EVAL", BODY, b"0") + encode(b"EVAL", b"no lua", b"0"))
    rig.master(V + b"-ERR Error compiling script\r\n")

    assert rig.shared.scripts.body(digest()) == BODY
    assert rig.shared.scripts.body(digest(b"no lua")) is None


def test_a_script_that_the_master_lost_is_forgotten() -> None:
    rig = Rig()
    loaded(rig)
    rig.send(run(b"EVALSHA", b"0"))
    rig.master(NOSCRIPT)

    assert rig.told() == NOSCRIPT
    assert len(rig.shared.scripts) == 0


def test_script_cache_loads_at_the_master_what_it_has_forgotten() -> None:
    rig = Rig(shared(policy=Policy(script_cache=True)))
    loaded(rig)
    rig.send(run(b"EVALSHA", b"0"))
    rig.asked()
    rig.master(NOSCRIPT)
    assert rig.asked() == [b"SCRIPT", b"EVALSHA"]

    rig.master(b"+sha\r\n" + V)
    assert rig.told() == V
    assert not rig.session.master.queue


def test_script_cache_overtakes_nothing() -> None:
    """What the client sent behind it has run: the script would be late, so its client is told."""
    rig = Rig(shared(policy=Policy(script_cache=True)))
    loaded(rig)
    rig.send(run(b"EVALSHA", b"0") + encode(b"INCR", b"n"))
    rig.master(NOSCRIPT + b":1\r\n")

    assert rig.told() == NOSCRIPT + b":1\r\n"


def test_a_lost_connection_takes_the_loading_with_it() -> None:
    rig = Rig(shared(policy=Policy(script_cache=True)))
    loaded(rig)
    rig.send(run(b"EVALSHA", b"0"))
    rig.master(NOSCRIPT)
    rig.lose_master()

    assert rig.told().startswith(b"-ERR upstream connection lost")
    assert not rig.session.master.queue


@pytest.mark.parametrize("on", [False, True])
def test_a_script_that_says_it_writes_nothing_may_run_at_a_replica(on: bool) -> None:
    """From the second time on: EVALSHA has to find it at the master."""
    rig = Rig(shared(policy=Policy(eval_no_writes=on)))
    rig.send(encode(b"EVAL", READER, b"1", b"k"))
    rig.master(V)
    prove(rig.shared)
    rig.send(encode(b"EVAL", READER, b"1", b"k"))
    assert len(rig.asked()) == (1 if on else 2)
    rig.send(run(b"EVALSHA", b"1", b"k", body=READER) + encode(b"EVAL", BODY, b"1", b"k"))

    assert rig.asked_replica() == ([b"EVAL", b"EVALSHA"] if on else [])


def test_a_read_that_a_replica_takes_for_a_write_stays_with_the_master() -> None:
    rig = Rig()
    rig.send("GET a")
    rig.replica(b"-READONLY You can't write against a read only replica.\r\n")
    rig.master(V)
    rig.send("GET b\nMGET c")

    assert rig.told() == V
    assert (rig.asked(), rig.asked_replica()) == ([b"GET", b"GET"], [b"GET", b"MGET"])
    assert not rig.session.replica.drop


def test_one_function_that_writes_does_not_keep_the_others_from_replicas() -> None:
    rig = Rig()
    rig.send("FCALL_RO writer 0")
    rig.replica(b"-READONLY Can not run script with write flag on readonly replica.\r\n")
    rig.master(b"-ERR Can not execute a script with write flag using *_ro command.\r\n")
    rig.send("FCALL_RO reader 0")

    assert rig.asked_replica() == [b"FCALL_RO", b"FCALL_RO"]


def test_wait_counts_from_the_last_command_of_its_client() -> None:
    """The server counts from the last command of that very connection: one that ran nothing has none."""
    rig = Rig()
    rig.send("WAIT 1 0\nGET k")
    assert rig.asked() == [b"PING", b"WAIT"]
    assert rig.asked_replica() == []

    rig.master(b"+PONG\r\n:1\r\n")
    assert rig.told() == b":1\r\n"


def test_wait_in_a_transaction_is_queued() -> None:
    rig = Rig()
    rig.send("MULTI\nWAIT 1 0\nEXEC")
    rig.master(OK + QUEUED + b"*1\r\n:0\r\n")

    assert rig.asked() == [b"MULTI", b"WAIT", b"EXEC"]
    assert rig.told() == OK + QUEUED + b"*1\r\n:0\r\n"


def test_a_wrong_type_at_a_replica_is_a_result() -> None:
    rig = Rig()
    rig.send("GET list\nGET b")
    rig.replica(b"-WRONGTYPE no\r\n" + V)

    assert rig.told() == b"-WRONGTYPE no\r\n" + V
    assert rig.asked() == []


def test_a_busy_replica_leaves_its_reads_to_the_master_in_their_order() -> None:
    rig = Rig()
    rig.send("GET a\nGET b")
    rig.replica(b"-BUSY Redis is busy running a script.\r\n")

    assert rig.asked() == [b"GET", b"GET"]
    assert rig.session.suspect


def test_what_the_master_has_no_script_to_end_for_is_tried_at_the_replicas() -> None:
    rig = Rig()
    for done, told in ((True, OK), (False, NOTBUSY)):
        rig.send("SCRIPT KILL\nPING")
        rig.master(NOTBUSY)
        assert (rig.told(), rig.session.errand is not None) == (b"", True)
        finish_errand(rig.session, done)
        assert (rig.told(), rig.session.errand) == (told + b"+PONG\r\n", None)


def test_a_script_that_was_ended_at_a_replica_does_not_begin_again_at_the_master() -> None:
    rig = Rig()
    killed = b"-ERR Script killed by user with SCRIPT KILL... script: abc, on @user_script:1.\r\n"
    rig.send("EVAL_RO x 0")
    rig.replica(killed)

    assert (rig.told(), rig.asked()) == (killed, [])


@pytest.mark.parametrize("reply", [OK, b"-UNKILLABLE it writes\r\n", b"-NOPERM not you\r\n"])
def test_what_the_master_says_of_its_own_script_is_told(reply: bytes) -> None:
    rig = Rig()
    rig.send("FUNCTION KILL")
    rig.master(reply)

    assert (rig.told(), rig.session.errand) == (reply, None)


def test_wait_by_a_new_connection_is_preceded_by_a_write_that_changes_nothing() -> None:
    """The server would count from what that very connection has written: nothing."""
    rig = Rig()
    rig.send("SET k v")
    rig.master(OK)
    rig.send("WAIT 1 0")
    assert rig.asked() == [b"SET", b"PING", b"WAIT"]
    rig.master(b"+PONG\r\n:1\r\n")
    rig.lose_master()
    rig.send("WAIT 1 0")
    rig.connect()
    assert rig.asked() == [b"SPUBLISH", b"WAIT"]
