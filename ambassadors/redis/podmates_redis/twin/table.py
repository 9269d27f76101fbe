"""What is known of commands: found by name, refined by arguments, and which keys a request names. No I/O."""

from __future__ import annotations

from podmates_redis.engine.rules import (
    ACQUIRES,
    ANY_BY_GET,
    ANY_KEY,
    CONTAINER,
    EVERYTHING,
    EVERYTHING_DB,
    EXEC,
    HARD,
    HARD_BLOCK,
    LOCAL,
    MULTI,
    NO_KEYS,
    NUMBERED,
    PLAIN,
    RANGE,
    READ,
    SET_OPTIONS,
    STREAMS,
    WRITE,
)
from podmates_redis.twin.frames import Found, requests
from podmates_redis.twin.marks import MARKS
from podmates_redis.twin.shapes import (
    BLOCK,
    NAME_BYTES,
    Command,
    Core,
    Group,
    Head,
    Keys,
    Request,
    Slot,
)

_OPTIONS = frozenset([b"nx", b"xx", b"get", b"ifeq", b"ifne", b"ifdeq", b"ifdne"])
_REFINED = SET_OPTIONS | HARD_BLOCK | ANY_BY_GET | EVERYTHING_DB
_MOST_HEADS = 4096


def understand(core: Core, request: Request) -> bool:
    """Find out what *request* is; False: its command is not known."""
    words = request.words
    name = words[0].lower()
    if not name or b"|" in name or len(name) >= NAME_BYTES:
        return False
    command = core.commands.get(name)
    if command is not None and command.flags & CONTAINER and len(words) > 1:
        command = core.commands.get(name + b"|" + words[1].lower())
    if command is None:
        return False
    request.command = command
    request.kind, request.flags, request.reason = command.kind, command.flags, command.reason
    arity = command.row.arity
    if len(words) != arity if arity >= 0 else len(words) < -arity:
        if request.kind not in (HARD, MULTI, EXEC):
            request.kind, request.flags = PLAIN, 0  # the server has the right words for it
    elif command.flags & _REFINED:
        _refine(request, words)
    return True


def _refine(request: Request, words: list[bytes]) -> None:
    """Let the arguments have their say."""
    flags = request.command.flags
    if flags & HARD_BLOCK:
        for word in words[1:]:
            if (folded := word.lower()) in (b"block", b"streams"):
                request.kind = HARD if folded == b"block" else request.kind
                return
    elif flags & SET_OPTIONS:
        if any(word.lower() in _OPTIONS for word in words[3:]):
            request.flags |= ACQUIRES
    elif flags & ANY_BY_GET:
        if any(word.lower() in (b"by", b"get") for word in words[2:]):
            request.flags |= EVERYTHING
    elif any(word.lower() == b"db" for word in words[3:]):
        request.flags |= EVERYTHING


def has_words(one: Found, words: int) -> bool:
    """Tell whether a request has as many words as its beginning promises, and nothing else."""
    if words == 2:
        return not one[3]
    return bool(one[3]) if words == 3 and not one[4] else words == 4 and bool(one[4])


def simple(core: Core, group: Group, one: Found) -> Request | None:
    """Return what was found if it is known, with its one key, by its beginning."""
    known = core.heads.get(one[1])
    if known is None or not has_words(one, known[1]):
        return None
    request = Request(one[0], [])
    command = request.command = known[0]
    request.kind, request.flags = command.kind, command.flags
    request.keys = ((hash(one[2]) + group.salt) % MARKS,)
    return request


def head(core: Core, beginning: bytes, request: Request) -> Head | None:
    """Learn what the *beginning* of requests says, if that and one key are all there is."""
    name = request.words[0]
    if beginning != b"*%d\r\n$%d\r\n%b\r\n" % (len(request.words), len(name), name):
        return None
    if len(core.heads) >= _MOST_HEADS:
        core.heads.clear()
    known, found = understand(core, request), None
    command, words = request.command, len(request.words)
    single = command.rule == RANGE and command.row.first == command.row.last == 1
    if (
        known
        and request.kind == command.kind
        and command.kind in (READ, WRITE)
        and single
        and 2 <= words <= 4
    ):
        odd = command.flags & (_REFINED | EVERYTHING)
        if (not odd or (odd == SET_OPTIONS and words == 3)) and not command.reason:
            found = (command, words)
    core.heads[beginning] = found
    return found


def place(group: Group, key: bytes) -> int:
    """Return the place of *key* among the marks."""
    return (hash(b"$%d\r\n%b\r\n" % (len(key), key)) + group.salt) % MARKS


def keys_of(group: Group, request: Request) -> Keys:
    """Return the marks of the keys that *request* names; of a block those that its writes name."""
    if request.kind == BLOCK:
        return request.keys  # found when it was cut
    if request.kind in (PLAIN, LOCAL):
        return ()
    row, words = request.command, request.words
    if request.flags & EVERYTHING or row.rule == ANY_KEY:
        return None
    if row.rule == NO_KEYS:
        return ()
    found = _named(request.command, words)
    return None if found is None else tuple([place(group, key) for key in found])


def _named(command: Command, words: list[bytes]) -> list[bytes] | None:
    row, rule = command.row, command.rule
    first, last, count = row.first, row.last, len(words)
    if rule == RANGE:
        last = last + count if last < 0 else last
        return words[first : last + 1 : row.step]
    if rule == NUMBERED:
        number = words[first] if first < count else b""
        if not number.isdigit() or len(number) > 6 or int(number) == 0:
            return None
        return words[first + 1 : first + 1 + int(number)] + (words[last : last + 1] if last else [])
    if rule == STREAMS:
        names = [word.lower() for word in words]
        begin = names.index(b"streams", 1) + 1 if b"streams" in names[1:] else count
        half = (count - begin) // 2
        return words[begin : begin + half] if half else None
    stores = (b"store", b"storedist") if last == 2 else (b"store",)
    also = [words[i + 1] for i in range(2, count - 1) if words[i].lower() in stores]
    return words[1:2] + also


def keys_of_slot(core: Core, slot: Slot) -> Keys:
    """Return the marks of the keys that are named on the way."""
    group = slot.client.group
    if slot.kind != BLOCK and slot.flags & EVERYTHING:
        return None
    return keys_of_all(core, group, slot.data, writes=slot.kind == BLOCK)


def keys_of_all(core: Core, group: Group, data: bytes, *, writes: bool = False) -> Keys:
    """Return the marks of the keys that the requests of *data* name, or its *writes*."""
    found: list[int] = []
    for request in requests(data):
        if not understand(core, request):
            return None
        if writes and request.kind != WRITE:
            continue
        keys = keys_of(group, request)
        if keys is None:
            return None
        found += keys
    return tuple(found)
