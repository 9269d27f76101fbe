"""Cuts requests out of a client's bytes, and finds the ends of replies. No I/O.

Of requests only what every client library sends is known here: an array of bulk strings, canonical numbers,
CRLF where it belongs. Everything else is for others, errors included.

Most requests and replies are found by one regular expression, that has a branch for every length of a bulk
string up to `SHORT`: so many of them are found in one go, without a step in Python for each.
"""

from __future__ import annotations

import re

from podmates_redis.twin.shapes import PLAIN_LIMIT, Request

SHORT = 255  # bytes of a word that the quick way finds
_NUMBER = re.compile(rb"(0|[1-9][0-9]{0,8})\r\n")
_BEGUN = re.compile(rb"(?:0|[1-9][0-9]{0,8})?\r?\Z")
_TAIL = b"\r\n"
_LEAST = len(b"$0\r\n\r\n")  # bytes of a word


def _lengths(prefix: str = "") -> str:
    """Return an expression for a length that begins with *prefix*, and the bytes that it promises."""
    ways = [rf"\r\n.{{{prefix}}}\r\n"] if prefix else []
    if prefix != "0":
        ways += [digit + _lengths(prefix + digit) for digit in "0123456789" if int(prefix + digit) <= SHORT]
    return f"(?:{'|'.join(ways)})"


_BULK = r"\$" + _lengths()
_HEAD = r"\*[1-9]\r\n\$[1-9][0-9]?\r\n[a-zA-Z]+\r\n"
# whole request, beginning up to its name, second word, third word and more, fourth; or what is none
Found = tuple[bytes, bytes, bytes, bytes, bytes, bytes]
quick_requests = re.compile(rf"(({_HEAD})({_BULK})({_BULK}({_BULK})?)?)|(.+)".encode(), re.DOTALL).findall
_REPLY = rf"(?:\+[^\r\n]*\r\n|:-?[0-9]+\r\n|\$-1\r\n|{_BULK}|_\r\n)"
_POWERS = 10
_replies = [re.compile((_REPLY + f"{{{1 << power}}}").encode(), re.DOTALL).match for power in range(_POWERS)]
one_reply = _replies[0]
_AGGREGATE = re.compile(rb"([$*%~])([0-9]{1,9})\r\n")


def replies(data: bytes, at: int, count: int) -> int:
    """Return where *count* replies from *at* on end, none of them an error; -1: not here, or not simple."""
    end = _short_replies(data, at, count)
    if end < 0:
        while count and at >= 0:
            at = _reply(data, at)
            count -= 1
        return at
    return end


def _reply(data: bytes, at: int) -> int:
    """Return where a reply ends that may be a long word, or an array of short ones."""
    found = one_reply(data, at)
    if found is not None:
        return found.end()
    found = _AGGREGATE.match(data, at)
    if found is None:
        return -1
    kind, number, end = found[1], int(found[2]), found.end()
    if kind == b"$":
        end += number + 2
        return end if end <= len(data) else -1
    return _short_replies(data, end, 2 * number if kind == b"%" else number)


def _short_replies(data: bytes, at: int, count: int) -> int:
    power = _POWERS - 1
    while count:
        while count >> power == 0:
            power -= 1
        found = _replies[power](data, at)
        if found is None:
            return -1
        at = found.end()
        count -= 1 << power
    return at


def some_replies(data: bytes, at: int, most: int) -> tuple[int, int]:
    """Return how many short replies, of *most*, begin at *at*, or nearly so many, and where they end."""
    done, power = 0, _POWERS - 1
    while power >= 0:
        found = _replies[power](data, at) if (most - done) >> power else None
        if found is None:
            power -= 1
        else:
            at = found.end()
            done += 1 << power
    return done, at


def cut(data: bytes, at: int) -> Request | int:
    """Return the whole request that begins at *at*.

    A number instead: that many bytes, at least, are needed to tell; -1: it is not for this side.
    """
    start, size = at, len(data)
    if data[at] != 42:  # '*'
        return -1
    found = _NUMBER.match(data, at + 1)
    if found is None:
        return size - start + 1 if _BEGUN.match(data, at + 1) else -1
    count, at = int(found[1]), found.end()
    if count < 1 or count > PLAIN_LIMIT // 4:
        return -1
    words: list[bytes] = []
    for left in range(_LEAST * (count - 1), -1, -_LEAST):
        if at >= size:
            return _lacking(size - start + left + _LEAST)
        if data[at] != 36:  # '$'
            return -1
        found = _NUMBER.match(data, at + 1)
        if found is None:
            return _lacking(size - start + left + 1) if _BEGUN.match(data, at + 1) else -1
        length, at = int(found[1]), found.end()
        if size - at < length + 2:
            return _lacking(at - start + length + 2 + left)
        if data[at + length : at + length + 2] != _TAIL:  # not every server takes it: others write it anew
            return -1
        words.append(data[at : at + length])
        at += length + 2
    if at - start > PLAIN_LIMIT:
        return -1
    return Request(data[start:at], words)


def _lacking(need: int) -> int:
    return need if need <= PLAIN_LIMIT else -1


def requests(data: bytes) -> list[Request]:
    """Return the requests of *data*, which is nothing but whole ones."""
    found, at = [], 0
    while at < len(data):
        request = cut(data, at)
        assert isinstance(request, Request)  # noqa: S101  (it was cut before)
        found.append(request)
        at += len(request.data)
    return found
