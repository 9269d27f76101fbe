"""What we say in a server's place is said as servers of its kind and age say it."""

from __future__ import annotations

import pytest

from podmates_redis.roster import filters
from podmates_redis.session.session import Session
from podmates_redis.session.shared import Policy
from podmates_redis.wire import texts
from podmates_redis.wire.dialects import REDIS_7, Dialect, dialect
from tests.unit.redis.rig import OK, QUEUED, Rig, shared

OLD = dialect([b"server", b"redis", b"version", b"6.2.14"])
EIGHT = dialect([b"server", b"redis", b"version", b"8.0.2", b"proto", 2])
VALKEY_8 = dialect([b"server", b"valkey", b"version", b"8.1.1"])
VALKEY_9 = dialect([b"server", b"valkey", b"version", b"9.1.2"])


_GREET = b"-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO %bAUTH"


def test_a_dialect_follows_from_the_greeting() -> None:
    assert dialect([b"server", b"redis", b"version", b"7.0.15"]) == REDIS_7 == dialect([])
    assert len({OLD, REDIS_7, EIGHT, VALKEY_8, VALKEY_9}) == 5
    with pytest.raises(ValueError, match="invalid literal"):
        dialect([b"server", b"redis", b"version", b"unstable"])


@pytest.mark.parametrize(
    ("spoken", "wanted"),
    [
        (REDIS_7, b"-ERR unknown command 'no', with args beginning with: 'a' 'b' \r\n"),
        (OLD, b"-ERR unknown command `no`, with args beginning with: `a`, `b`, \r\n"),
    ],
)
def test_an_unknown_command(spoken: Dialect, wanted: bytes) -> None:
    assert texts.unknown([b"no", b"a", b"b"], spoken) == wanted


@pytest.mark.parametrize(
    ("spoken", "wanted"),
    [
        (OLD, b"-NOPERM this user has no permissions to run the 'config' command or its subcommand\r\n"),
        (REDIS_7, b"-NOPERM this user has no permissions to run the 'config|set' command\r\n"),
        (EIGHT, b"-NOPERM User bob has no permissions to run the 'config|set' command\r\n"),
        (VALKEY_8, b"-NOPERM User bob has no permissions to run the 'config|set' command\r\n"),
    ],
)
def test_what_is_denied(spoken: Dialect, wanted: bytes) -> None:
    assert texts.denied("config|set", b"bob", spoken) == wanted
    assert texts.denied("get", b"a\r\n+OK", EIGHT).count(b"\r\n") == 1


def stranger(spoken: Dialect) -> Rig:
    facts = shared()
    facts.dialect, facts.logins = spoken, lambda: {b"default": [b"secret"]}
    return Rig(facts)


@pytest.mark.parametrize(
    ("spoken", "line", "wanted"),
    [
        (REDIS_7, "GET", b"-ERR wrong number"),
        (VALKEY_9, "GET", b"-NOAUTH"),
        (REDIS_7, "CLIENT FOO", b"-ERR unknown subcommand"),
        (OLD, "CLIENT FOO", b"-NOAUTH"),
        (OLD, "POST /", b"-NOAUTH"),
        (VALKEY_9, "AUTH", b"-ERR wrong number"),
        (REDIS_7, "EXEC x", b"-EXECABORT Transaction discarded because of: wrong number"),
        (VALKEY_9, "EXEC x", b"-EXECABORT Transaction discarded because of: NOAUTH"),
        (REDIS_7, "RESET", b"+RESET"),
        (OLD, "RESET", b"-NOAUTH"),
        (REDIS_7, "RESET x", b"-ERR wrong number"),
        (REDIS_7, "HELLO", _GREET % b""),
        (EIGHT, "HELLO", _GREET % b"<proto> "),
    ],
)
def test_what_a_stranger_hears(spoken: Dialect, line: str, wanted: bytes) -> None:
    rig = stranger(spoken)
    rig.send(line)

    assert rig.told().startswith(wanted)
    assert rig.asked() == []


def test_what_a_stranger_hears_before_a_master_is_learnt() -> None:
    """Nobody knows yet how its kind would say it; a stranger does not wait for that."""
    facts = shared()
    facts.learnt, facts.logins = False, lambda: {b"default": [b"secret"]}
    rig = Rig(facts, up=False)
    rig.send("GET k\nNOSUCH\nCLIENT FOO")

    assert [line.split()[0] for line in rig.told().splitlines()] == [b"-NOAUTH", b"-ERR", b"-ERR"]
    assert rig.asked() == []


def field(session: Session, name: bytes) -> bytes:
    member = session.shared.roster.find(session.id)
    assert member is not None
    return member.facts(0.0)[name]


@pytest.mark.parametrize(("spoken", "spoilt", "after"), [(REDIS_7, b"1", b"-1"), (VALKEY_8, b"0", b"0")])
def test_a_transaction_as_it_is_shown(spoken: Dialect, spoilt: bytes, after: bytes) -> None:
    rig = Rig(shared())
    rig.shared.dialect = spoken
    assert field(rig.session, b"multi") == b"-1"
    rig.send("WATCH k j k\nMULTI\nSET k v\nNOSUCH\nGET k")
    rig.master(OK + OK + QUEUED)
    assert (field(rig.session, b"multi"), field(rig.session, b"watch")) == (b"1", b"2")
    rig.master(b"-ERR unknown\r\n" + QUEUED)
    assert field(rig.session, b"multi") == spoilt
    rig.send("EXEC")
    rig.master(b"-EXECABORT\r\n")
    assert (field(rig.session, b"multi"), field(rig.session, b"watch")) == (after, b"0")


@pytest.mark.parametrize(("spoken", "queued"), [(REDIS_7, b"2"), (VALKEY_8, b"0")])
def test_a_nested_transaction_spoils_it_with_valkey_alone(spoken: Dialect, queued: bytes) -> None:
    rig = Rig(shared())
    rig.shared.dialect = spoken
    rig.send("MULTI\nGET k\nMULTI\nGET k")
    rig.master(OK + QUEUED + b"-ERR nested\r\n" + QUEUED)

    assert field(rig.session, b"multi") == queued


@pytest.mark.parametrize(("spoken", "wanted"), [(REDIS_7, b"client|id"), (OLD, b"client")])
def test_the_last_command_as_it_is_shown(spoken: Dialect, wanted: bytes) -> None:
    rig = Rig(shared())
    rig.shared.dialect = spoken
    rig.send("CLIENT ID")

    assert field(rig.session, b"cmd") == wanted


def test_before_a_master_has_said_how_it_does_things_it_is_asked() -> None:
    rig = Rig(shared(policy=Policy()))
    rig.shared.learnt = False
    rig.send("CLIENT NO-EVICT on")
    assert rig.asked() == [b"CLIENT"]
    rig.master(b"-ERR unknown subcommand\r\n")
    assert rig.told() == b"-ERR unknown subcommand\r\n"
    assert not rig.session.protected
    rig.send("CLIENT PAUSE 0")  # in its place it is asked what is an error on purpose
    rig.master(b"-ERR timeout is not an integer\r\n")
    assert rig.told() == OK


MEMBER = {b"id": b"7", b"addr": b"1.1.1.1:1", b"flags": b"N", b"name": b"me", b"age": b"9"}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("ID 7", True),
        ("ID 8 7", True),
        ("ID 8", False),
        ("ID", False),
        ("NOT-ID 8 9", True),
        ("NOT-ID 8 7", False),
        ("NOT-NAME me", False),
        ("NOT-NAME you TYPE normal", True),
        ("NOT-TYPE foo", None),
        ("NOT-SKIPME no", None),
        ("NAME", None),
        ("FOO bar", None),
    ],
)
def test_filters(words: str, wanted: bool | None) -> None:
    found = filters.parsed(words.encode().split())

    assert (None if found is None else found.match(MEMBER)) == wanted


def test_what_is_asked_of_the_master_about_ours_means_nobody_there() -> None:
    rig = Rig(shared())
    rig.send("CLIENT KILL ADDR 1.1.1.1:1 NOT-ADDR x ID 5 addr y USER default")
    sent = b"".join(rig.session.master.out)

    assert sent.count(b"-:0") == 3
    assert b"1.1.1.1" not in sent
    assert sent.count(b"\r\nx\r\n") == 1
