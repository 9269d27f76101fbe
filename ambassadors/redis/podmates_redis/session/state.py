"""What a client has made of its connection, and how to bring a server's connection there. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace

from podmates_redis.wire.requests import encode


@dataclass(frozen=True, slots=True)
class State:
    """The state of one connection that a server keeps; equal states are interchangeable."""

    database: int = 0
    protocol: int = 2
    name: bytes = b""
    user: bytes = b""
    password: bytes | None = None  # None: not logged in
    library: tuple[tuple[bytes, bytes], ...] = ()  # CLIENT SETINFO

    def __repr__(self) -> str:
        """Show no password."""
        return f"State(database={self.database}, protocol={self.protocol}, name={self.name!r})"


def opening(state: State) -> list[bytes]:
    """Return the requests that bring a fresh connection to *state*."""
    found = []
    if state.protocol != 2:
        login = [b"AUTH", state.user or b"default", state.password] if state.password is not None else []
        found.append(encode(b"HELLO", b"%d" % state.protocol, *login))
    elif state.password is not None:
        found.append(encode(b"AUTH", *([state.user] if state.user else []), state.password))
    return found + change(State(protocol=state.protocol), replace(state, user=b"", password=None))


def change(old: State, new: State) -> list[bytes]:
    """Return the requests that bring a connection in state *old* to *new*."""
    found = []
    if (old.user, old.password) != (new.user, new.password) and new.password is not None:
        found.append(encode(b"AUTH", *([new.user] if new.user else []), new.password))
    if old.protocol != new.protocol:
        found.append(encode(b"HELLO", b"%d" % new.protocol))
    if old.name != new.name:
        found.append(encode(b"CLIENT", b"SETNAME", new.name))
    if old.database != new.database:
        found.append(encode(b"SELECT", b"%d" % new.database))
    return found


def optional(state: State) -> list[bytes]:
    """Return the requests of *state* that a server may refuse without harm."""
    return [encode(b"CLIENT", b"SETINFO", attribute, value) for attribute, value in state.library]


def asked(state: State, args: list[bytes]) -> State:
    """Return the state after a server has said yes to *args*."""
    name = args[0].lower()
    if name == b"select":
        return replace(state, database=int(args[1]))
    if name == b"auth":
        return _logged_in(state, args[1:])
    if name == b"hello":
        return _greeted(state, args[1:])
    attribute = args[1].lower()
    if attribute == b"setname":
        return replace(state, name=args[2])
    kept = tuple(item for item in state.library if item[0] != args[2].lower())
    return replace(state, library=(*kept, (args[2].lower(), args[3])))


def _logged_in(state: State, words: list[bytes]) -> State:
    user = words[0] if len(words) > 1 else b""
    return replace(state, user=user, password=words[-1])


def _greeted(state: State, words: list[bytes]) -> State:
    if words:
        state = replace(state, protocol=int(words[0]))
    at = 1
    while at < len(words):
        option = words[at].lower()
        if option == b"auth":
            state = _logged_in(state, words[at + 1 : at + 3])
            at += 3
        else:
            state = replace(state, name=words[at + 1])
            at += 2
    return state
