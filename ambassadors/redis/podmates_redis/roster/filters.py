"""The filters of CLIENT LIST and CLIENT KILL. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from podmates_redis.wire.numbers import number

Facts = Mapping[bytes, bytes]
_NOT = b"not-"  # before the name of a filter, with Valkey 9
Test = Callable[[Facts], bool]

_TYPES = {
    b"normal": b"normal",
    b"pubsub": b"pubsub",
    b"slave": b"replica",
    b"replica": b"replica",
    b"master": b"master",
    b"primary": b"master",
}
# filters that compare one field as it stands
_FIELDS = {b"addr", b"laddr", b"user", b"name", b"lib-name", b"lib-ver", b"db"}


class Filters:
    """A conjunction of filters. *myself* is what SKIPME says, None where it says nothing."""

    def __init__(self) -> None:
        self.tests: list[Test] = []
        self.ids: list[int] | None = None  # as written, in that order
        self.myself: bool | None = None

    def match(self, facts: Facts) -> bool:
        return all(test(facts) for test in self.tests)


def named(words: Sequence[bytes]) -> Iterator[tuple[bytes, Sequence[bytes]]]:
    """Yield the name of each filter in *words* and what stands behind it: ids, or one word."""
    at = 0
    while at < len(words):
        name, end = words[at], at + 2
        if name.lower().removeprefix(_NOT) == b"id":
            end = at + 1
            while end < len(words) and number(words[end]) is not None:
                end += 1
        yield name, words[at + 1 : end]
        at = end


def parsed(words: Sequence[bytes]) -> Filters | None:
    """Return the filters that *words* say, or None for what we do not understand."""
    found = Filters()
    for name, values in named(words):
        name = name.lower()
        test = _ids(found, name, values) if name.removeprefix(_NOT) == b"id" else _one(found, name, values)
        if test is None:
            return None
        found.tests.append(test)
    return found


def _ids(found: Filters, name: bytes, values: Sequence[bytes]) -> Test:
    wanted = {b"%d" % int(value) for value in values}
    if name.startswith(_NOT):
        return lambda facts: facts[b"id"] not in wanted
    found.ids = [*(found.ids or ()), *map(int, values)]
    return lambda facts: facts[b"id"] in wanted


def _one(found: Filters, name: bytes, values: Sequence[bytes]) -> Test | None:
    if not values:
        return None
    if not name.startswith(_NOT):
        return _test(name, values[0], found)
    test = None if name == b"not-skipme" else _test(name.removeprefix(_NOT), values[0], found)
    return None if test is None else lambda facts: not test(facts)


def _test(name: bytes, value: bytes, found: Filters) -> Test | None:
    if name in _FIELDS:
        return lambda facts: facts.get(name, b"") == value
    if name == b"type":
        kind = _TYPES.get(value.lower())
        return None if kind is None else lambda facts: kind_of(facts) == kind
    if name == b"skipme" and value.lower() in (b"yes", b"no"):
        found.myself = value.lower() == b"no"
        return lambda facts: True
    return _newer_test(name, value)


def _newer_test(name: bytes, value: bytes) -> Test | None:
    """Filters that only newer servers know; those that do not refuse them before we are asked."""
    if name in (b"maxage", b"idle"):
        seconds = number(value)
        field = b"age" if name == b"maxage" else b"idle"
        return None if seconds is None else lambda facts: int(facts[field]) >= seconds
    if name == b"flags":
        return lambda facts: set(value) <= set(facts[b"flags"])
    if name == b"capa":
        return lambda facts: set(value) <= set(facts[b"capa"])
    if name == b"ip":
        return lambda facts: facts[b"addr"].rpartition(b":")[0] == value
    return None


def kind_of(facts: Facts) -> bytes:
    """Return the type of a client: normal, pubsub, replica or master."""
    flags = facts[b"flags"]
    if b"M" in flags:
        return b"master"
    if b"S" in flags:
        return b"replica"
    return b"pubsub" if b"P" in flags else b"normal"
