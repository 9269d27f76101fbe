"""What is learnt of scripts by the replies to those who run them, and what is asked again."""

from __future__ import annotations

from podmates_redis.session.scripts import Scripts, only_reads
from podmates_redis.session.shared import Policy
from podmates_redis.wire.requests import encode
from tests.unit.redis.rig import OK, QUEUED, Rig, prove, shared
from tests.unit.redis.test_scripting import BODY, NOSCRIPT, READER, V, digest, loaded, run


def test_a_digest_may_be_written_in_any_case() -> None:
    rig = Rig(shared(policy=Policy(eval_no_writes=True)))
    loaded(rig, READER)
    rig.send(encode(b"EVALSHA", digest(READER).upper(), b"1", b"k"))

    assert (rig.asked(), rig.asked_replica()) == ([], [b"EVALSHA"])


def test_too_few_words_teach_nothing_and_are_the_masters_to_refuse() -> None:
    rig = Rig(shared(policy=Policy(script_cache=True)))
    loaded(rig)
    rig.send(encode(b"EVALSHA", digest()) + encode(b"SCRIPT", b"LOAD"))
    rig.asked()
    rig.master(NOSCRIPT + OK)

    assert rig.asked() == []
    assert rig.shared.scripts.body(digest()) == BODY


def test_a_flush_at_the_master_empties_the_memory_when_it_is_answered() -> None:
    facts = shared()
    rig, other = Rig(facts), Rig(facts)
    rig.send("SCRIPT FLUSH")
    other.send(encode(b"SCRIPT", b"LOAD", BODY))
    other.master(b"$40\r\n" + digest() + b"\r\n")
    rig.master(OK)

    assert len(facts.scripts) == 0


def test_what_a_replica_ran_says_nothing_of_the_master() -> None:
    rig = Rig()
    loaded(rig)
    rig.send(run(b"EVALSHA_RO", b"1", b"k"))
    rig.shared.scripts.flush()
    rig.session.slots[0].era = rig.shared.scripts.era
    rig.replica(V)

    assert len(rig.shared.scripts) == 0


def test_what_is_queued_has_not_run() -> None:
    rig = Rig()
    rig.send(encode(b"MULTI") + encode(b"EVAL", BODY, b"0"))
    rig.master(OK + QUEUED)

    assert len(rig.shared.scripts) == 0


def test_nothing_is_asked_again_while_part_of_a_reply_is_with_the_client() -> None:
    rig = Rig()
    loaded(rig)
    rig.send(encode(b"GET", b"a") + run(b"EVALSHA_RO", b"1", b"k") + encode(b"GET", b"b"))
    rig.asked_replica()
    for slot in list(rig.session.replica.queue)[2:]:
        slot.streamed = True
    rig.replica(V + NOSCRIPT)

    assert rig.asked_replica() == []
    assert rig.asked() == [b"EVALSHA_RO"]


def test_script_cache_leaves_transactions_and_other_errors_alone() -> None:
    rig = Rig(shared(policy=Policy(script_cache=True)))
    loaded(rig)
    rig.send(encode(b"MULTI") + run(b"EVALSHA", b"0"))
    rig.master(OK + NOSCRIPT)
    rig.send("DISCARD")
    assert rig.asked() == [b"MULTI", b"EVALSHA", b"DISCARD"]
    rig.master(OK)
    rig.send(run(b"EVALSHA", b"0"))
    rig.asked()
    rig.master(b"-ERR something else\r\n")

    assert rig.asked() == []


def test_script_cache_tries_once() -> None:
    rig = Rig(shared(policy=Policy(script_cache=True)))
    loaded(rig)
    rig.send(run(b"EVALSHA", b"0"))
    rig.asked()
    rig.master(NOSCRIPT)
    assert rig.asked() == [b"SCRIPT", b"EVALSHA"]
    rig.shared.scripts.add(BODY)
    rig.master(b"+sha\r\n" + NOSCRIPT)

    assert rig.asked() == []
    assert rig.told() == NOSCRIPT


def test_a_body_takes_the_place_of_its_digest_and_use_keeps_both() -> None:
    scripts = Scripts(most=2)
    scripts.add_digest(digest(b"1"))
    scripts.add(b"1")
    assert (len(scripts), scripts.body(digest(b"1"))) == (1, b"1")
    scripts.add_digest(b"two")
    scripts.add_digest(digest(b"1"))  # used again
    scripts.add_digest(b"three")

    assert scripts.anywhere(digest(b"1"))
    assert not scripts.anywhere(b"two")


def test_only_a_script_without_a_body_is_missed() -> None:
    scripts = Scripts()
    scripts.add(b"1")
    scripts.missing(digest(b"1"))
    scripts.missing(b"never heard of")
    scripts.add_digest(b"never heard of")

    assert scripts.anywhere(digest(b"1"))
    assert scripts.anywhere(b"never heard of")


def test_a_flag_is_a_whole_word() -> None:
    assert not only_reads(b"#!lua flags=no-writes-at-all\n")


def test_a_proof_is_still_needed_for_a_script() -> None:
    rig = Rig()
    loaded(rig)
    rig.send("SET k v")
    rig.master(OK)
    rig.asked()
    rig.send(run(b"EVALSHA_RO", b"1", b"k"))
    assert rig.asked() == [b"EVALSHA_RO"]
    rig.master(V)
    prove(rig.shared)
    rig.send(run(b"EVALSHA_RO", b"1", b"k"))

    assert rig.asked_replica() == [b"EVALSHA_RO"]
