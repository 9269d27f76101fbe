"""RC2 (RFC 2268), which JDKs before 8u301 and 11.0.12 hide certificates with: taken off only. No I/O.

The package cryptography has it for keys of 128 bits alone; theirs have 40.
"""

from __future__ import annotations

_PI = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad"
)
BLOCK = 8  # bytes
_SHIFTS = (1, 2, 3, 5)
_MASHED = (5, 11)  # rounds, counted from the last one, after which words are mashed
_ROUNDS = 16


def plain(key: bytes, start: bytes, data: bytes) -> bytes:
    """Return what CBC with *start* hid in *data*, whole blocks; all bits of *key* count."""
    words, found, before = _expanded(key), bytearray(), int.from_bytes(start)
    for at in range(0, len(data), BLOCK):
        block = data[at : at + BLOCK]
        found += (int.from_bytes(_block(words, block)) ^ before).to_bytes(BLOCK)
        before = int.from_bytes(block)
    return bytes(found)


def _expanded(key: bytes) -> list[int]:
    size = len(key)
    full = bytearray(key) + bytes(128 - size)
    for at in range(size, 128):
        full[at] = _PI[full[at - 1] + full[at - size] & 0xFF]
    full[128 - size] = _PI[full[128 - size]]
    for at in range(127 - size, -1, -1):
        full[at] = _PI[full[at + 1] ^ full[at + size]]
    return [int.from_bytes(full[at : at + 2], "little") for at in range(0, 128, 2)]


def _block(words: list[int], block: bytes) -> bytes:
    parts = [int.from_bytes(block[at : at + 2], "little") for at in range(0, BLOCK, 2)]
    for done in range(_ROUNDS):
        if done in _MASHED:
            for at in (3, 2, 1, 0):
                parts[at] = parts[at] - words[parts[at - 1] & 63] & 0xFFFF
        for at in (3, 2, 1, 0):
            shift, one, two, three = _SHIFTS[at], parts[at - 1], parts[at - 2], parts[at - 3]
            turned = (parts[at] >> shift | parts[at] << 16 - shift) & 0xFFFF
            word = words[4 * (_ROUNDS - 1 - done) + at]
            parts[at] = turned - word - (one & two) - (~one & three) & 0xFFFF
    return b"".join(part.to_bytes(2, "little") for part in parts)
