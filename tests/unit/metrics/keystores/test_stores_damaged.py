"""Stores that are damaged, hostile or written in another way: a reason, and no more work than is bounded."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from podmates_metrics.keystores import rc2
from podmates_metrics.keystores.der import DEEPEST, elements, name, number, sequence
from podmates_metrics.keystores.entries import WRONG, anchors, chosen
from podmates_metrics.keystores.jks import MAGIC
from podmates_metrics.keystores.passwords import MOST_ROUNDS, Secret, plain
from podmates_metrics.tree import Fault
from tests.support.fuzzing import often
from tests.unit.metrics.keystores.recorded import DATA, decrypted, opened, read

ALL = sorted(path.name for path in DATA.iterdir())


def looked(data: bytes, password: str) -> None:
    """Take all that a store has; a Fault of a part hides no other."""
    found = read(data, password)
    with suppress(Fault):
        anchors(found)
    for entry in found.entries:
        with suppress(Fault):
            chosen(found, entry.alias)


@pytest.mark.parametrize("file", ALL)
@pytest.mark.parametrize("password", ["secret", ""])
def test_a_store_that_ends_too_early_is_refused_wherever_it_ends(file: str, password: str) -> None:
    whole = (DATA / file).read_bytes()
    for end in range(len(whole)):
        if not password and whole.startswith(MAGIC) and end >= len(whole) - 20:
            continue  # the digest alone is cut, which is not looked at without a password
        with pytest.raises(Fault):
            read(whole[:end], password)


@pytest.mark.parametrize("seed", range(often(3)))
@pytest.mark.parametrize("file", ["bare.p12", "open.p12", "two.jks", "other.jks"])
def test_damage_that_no_password_finds_is_refused_or_understood(file: str, seed: int) -> None:
    chance, whole = random.Random(f"{file}{seed}"), (DATA / file).read_bytes()
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        try:
            looked(bytes(damaged), "")
        except Fault:
            refused += 1
    assert refused > 30


@pytest.mark.parametrize("file", ["two.p12", "two.jks"])
def test_damage_is_found_by_the_password(file: str) -> None:
    chance, whole = random.Random(file), (DATA / file).read_bytes()
    for _ in range(30):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        with suppress(Fault):  # what is not covered, such as a name that goes before it
            looked(bytes(damaged), "secret")


def der(tag: int, *inner: bytes) -> bytes:
    data = b"".join(inner)
    size = len(data).to_bytes(4)
    return bytes([tag, 0x84]) + size + data


def salted(rounds: int) -> bytes:
    return der(0x30, der(0x04, b"salt" * 2), der(0x02, rounds.to_bytes(4)))


def test_rounds_are_counted_over_the_whole_store() -> None:
    """Of each cipher, its first block, and the digest."""
    old = der(0x30, der(0x06, bytes.fromhex("2a864886f70d010c0106")), salted(5))
    scheme = der(0x30, der(0x06, bytes.fromhex("60864801650304012a")), der(0x04, bytes(16)))
    derivation = der(0x30, der(0x06, bytes.fromhex("2a864886f70d01050c")), salted(5))
    new = der(0x30, der(0x06, bytes.fromhex("2a864886f70d01050d")), der(0x30, derivation, scheme))
    for algorithm, rounds in ((old, 10), (new, 5)):
        secret = Secret("secret", rounds=rounds)
        for reason in (WRONG, "more than 5000000 rounds for its passwords"):
            with pytest.raises(Fault, match=reason):
                plain(elements(algorithm)[0], bytes(16), secret, decrypted)
    much = der(0x30, der(0x06, bytes.fromhex("2a864886f70d010c0106")), salted(MOST_ROUNDS + 1))
    with pytest.raises(Fault, match=f"a number is not from 0 to {MOST_ROUNDS}"):
        read(hidden(much), "secret")


def hidden(*ciphers: bytes) -> bytes:
    """Return a store without a digest whose parts are hidden."""
    kind = der(0x06, bytes.fromhex("2a864886f70d010701"))
    sealed = der(0x06, bytes.fromhex("2a864886f70d010706"))
    made = [
        der(0x30, sealed, der(0xA0, der(0x30, der(2, b"\0"), der(0x30, kind, each, der(0x80, bytes(16))))))
        for each in ciphers
    ]
    return der(0x30, der(2, b"\3"), der(0x30, kind, der(0xA0, der(4, der(0x30, *made)))))


def test_a_cipher_that_is_not_offered_is_named() -> None:
    rc4 = der(0x30, der(0x06, bytes.fromhex("2a864886f70d010c0101")), der(0x30))
    with pytest.raises(Fault, match=r"the cipher 1\.2\.840\.113549\.1\.12\.1\.1 is not offered"):
        read(hidden(rc4), "secret")


@pytest.mark.parametrize(
    "data",
    [
        MAGIC + b"\0\0\0\2\x7f\xff\xff\xff" + bytes(20),  # so many entries
        MAGIC + b"\0\0\0\2\0\0\0\1\0\0\0\1\0\1a" + bytes(8) + b"\xff\xff\xff\xff" + bytes(24),  # such a key
        b"\x30\x80" * 5000,  # ends that never come
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x88" + bytes(8),
        b"\x3f\x01\x02",
        b"\x30\x83\x01\x86\xa0" + b"\x05\0" * 50_000,  # many parts
        b"\x04\x80\0\0",
    ],
)
def test_what_claims_to_be_larger_or_deeper_than_it_is_is_refused(data: bytes) -> None:
    with pytest.raises(Fault):
        read(data, "")


def test_what_numbers_and_names_are() -> None:
    assert name(elements(bytes.fromhex("06092a864886f70d010701"))[0]) == "1.2.840.113549.1.7.1"
    assert name(elements(bytes.fromhex("0603883703"))[0]) == "2.999.3"
    for wrong in ("0600", "060188", "0622" + "01" * 34):
        with pytest.raises(Fault):
            name(elements(bytes.fromhex(wrong))[0])
    assert number(elements(b"\2\2\1\0")[0], 256) == 256
    for wrong in ("0200", "0201ff", "02020101", "0209" + "00" * 9):
        with pytest.raises(Fault, match="a number is not from 0 to 256"):
            number(elements(bytes.fromhex(wrong))[0], 256)
    nested = b"\x30\x80" * DEEPEST + b"\0\0" * DEEPEST
    assert sequence(nested)[0].tag == 0x30


def test_a_store_whose_ends_are_marked_and_whose_content_is_in_pieces_is_read() -> None:
    """As Bouncy Castle writes them. The digest is over the content, whatever it is wrapped in."""
    version, outer, digest = sequence((DATA / "two.p12").read_bytes(), 3)
    kind, wrapped = elements(outer.content)
    safe = elements(wrapped.content)[0].content
    pieces = b"".join(der(0x04, safe[at : at + 100]) for at in range(0, len(safe), 100))
    inner = b"\x30\x80" + der(kind.tag, kind.content) + b"\xa0\x80\x24\x80" + pieces + b"\0\0" * 3
    data = b"\x30\x80" + der(2, version.content) + inner + der(digest.tag, digest.content) + b"\0\0"

    found = read(data, "secret")

    assert [entry.alias for entry in found.entries] == ["first", "second"]
    assert found.trusted == opened("two.p12", "secret").trusted


# Of RFC 2268, with all bits of the key in use: key, plain, hidden.
VECTORS = [
    ("ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"),
    ("3000000000000000", "1000000000000001", "30649edf9be7d2c2"),
    ("88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"),
]


@pytest.mark.parametrize(("key", "shown", "covered"), VECTORS)
def test_rc2_is_that_of_its_standard(key: str, shown: str, covered: str) -> None:
    assert rc2.plain(bytes.fromhex(key), bytes(8), bytes.fromhex(covered)).hex() == shown
