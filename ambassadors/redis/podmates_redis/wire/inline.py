"""Splits a line of an inline command into words, as a server does. No I/O."""

from __future__ import annotations

import re

_WORD_END = b" \t\r\n\0\v\f"
_ESCAPES = {ord("n"): b"\n", ord("r"): b"\r", ord("t"): b"\t", ord("b"): b"\b", ord("a"): b"\a"}
_HEX_PAIR = re.compile(rb"[0-9a-fA-F]{2}")


def words(line: bytes) -> list[bytes] | None:
    """Split an inline command as the server's sdssplitargs does; None when its quotes do not balance."""
    found: list[bytes] = []
    at = 0
    while True:
        while at < len(line) and line[at] in _WORD_END:
            at += 1
        if at == len(line) or line[at] == 0:
            return found
        word = _word(line, at)
        if word is None:
            return None
        found.append(word[0])
        at = word[1]


def _word(line: bytes, at: int) -> tuple[bytes, int] | None:
    """Return the word at *at* and where it ends."""
    word = bytearray()
    while at < len(line) and line[at] not in _WORD_END:
        if line[at] not in b"\"'":
            word.append(line[at])
            at += 1
            continue
        quoted = _quoted(line, at, word)
        if quoted is None:
            return None
        return bytes(word), quoted  # a closing quote ends the word
    return bytes(word), at


def _quoted(line: bytes, at: int, word: bytearray) -> int | None:
    """Add the quoted text at *at* to *word*; return the place behind it."""
    quote, at = line[at], at + 1
    while at < len(line):
        if line[at] == quote:
            closed = at + 1 == len(line) or line[at + 1] in _WORD_END
            return at + 1 if closed else None
        if line[at] == 0x5C and (escaped := _escape(line, at, quote)):
            word += escaped[0]
            at = escaped[1]
        else:
            word.append(line[at])
            at += 1
    return None


def _escape(line: bytes, at: int, quote: int) -> tuple[bytes, int] | None:
    """Return what the backslash at *at* stands for; None when it stands for itself."""
    if at + 1 == len(line):
        return None
    letter = line[at + 1]
    if quote == 0x27:
        return (b"'", at + 2) if letter == 0x27 else None
    pair = _HEX_PAIR.match(line, at + 2) if letter == 0x78 else None
    if pair:
        return bytes([int(pair[0], 16)]), at + 4
    return _ESCAPES.get(letter, bytes([letter])), at + 2
