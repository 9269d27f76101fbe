"""What each command does to keys, learnt from the master's COMMAND reply. No I/O.

The rule of classes: a command goes to a replica only if the master says `readonly` and nothing here
objects; whatever is not known goes to the master and counts as a write of everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from podmates_redis.commands import families
from podmates_redis.commands.builtin import ROWS


class Kind(Enum):
    """What the session has to do about a command."""

    READ = "read"  # may be served by a replica
    WRITE = "write"  # changes keys
    PLAIN = "plain"  # the master's answer, changes no key
    BLOCKING = "blocking"  # may not be answered for long; nothing else of that client runs meanwhile
    STATE = "state"  # changes the connection: SELECT, HELLO, AUTH, CLIENT SETNAME
    MULTI = "multi"
    EXEC = "exec"
    DISCARD = "discard"
    WATCH = "watch"
    UNWATCH = "unwatch"
    SUBSCRIBE = "subscribe"  # answered by one acknowledgement per channel
    TUNNEL = "tunnel"  # MONITOR and the like: from here on bytes are passed on unmatched
    PIN = "pin"  # changes the connection in a way that we do not mirror: master for life
    CLIENT = "client"  # about the clients of this process
    LOCAL = "local"  # PING, ECHO
    SECTION = "section"  # INFO ambassador
    REPLY = "reply"  # CLIENT REPLY
    KILL = "kill"  # ends a script, wherever it runs
    QUIT = "quit"
    RESET = "reset"
    FOREIGN = "foreign"  # POST and Host: of a browser that was tricked into talking to us

    __hash__ = object.__hash__  # several times for each request; that of Enum is written in Python


class Use(Enum):
    """What a command has to do with scripts."""

    NONE = ""
    BODY = "brings one: EVAL"
    DIGEST = "names one: EVALSHA"
    LOAD = "SCRIPT LOAD"
    FLUSH = "SCRIPT FLUSH"


@dataclass(frozen=True, slots=True)
class Command:
    """One command or `container|sub`, in lower case."""

    name: str
    kind: Kind
    arity: int = -1  # words, the name included; negative: at least
    first: int = 0  # place of the first key; 0: none that we know of
    last: int = 0  # of the last; negative: from the end
    step: int = 1
    movable: bool = False  # the places depend on other arguments
    container: bool = False
    acquires: bool = False  # its reply may tell about writes of other pods
    why_master: str = ""  # a read that is kept from replicas, and why
    everything: bool = False  # a write whose keys cannot be known
    administrative: bool = False  # refused unless --admin-commands allow
    script: Use = Use.NONE
    denied: bool = False  # refused in any case
    module: bool = False  # of a module
    no_multi: bool = False  # the master refuses it in a transaction
    anywhere: bool = False  # a replica may serve it although it names no key
    counts: bool = False  # waits for servers, not for data
    apart: bool = False  # a module's, or one that may block: not for a connection that clients share

    label: bytes = field(init=False, repr=False)  # the name as servers show it of a client's last command

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", b"NULL" if self.name == "other" else self.name.encode())

    def accepts(self, count: int) -> bool:
        """Tell whether *count* words are the right number."""
        return count == self.arity if self.arity >= 0 else count >= -self.arity


_KINDS = {
    "ping": Kind.LOCAL,
    "echo": Kind.LOCAL,
    "multi": Kind.MULTI,
    "exec": Kind.EXEC,
    "discard": Kind.DISCARD,
    "watch": Kind.WATCH,
    "unwatch": Kind.UNWATCH,
    "quit": Kind.QUIT,
    "reset": Kind.RESET,
    "client|reply": Kind.REPLY,
    **dict.fromkeys(families.OWN_CLIENT, Kind.CLIENT),
    "script|kill": Kind.KILL,
    "function|kill": Kind.KILL,
    **dict.fromkeys(families.STATE, Kind.STATE),
    **dict.fromkeys(families.STREAMS, Kind.TUNNEL),
    **dict.fromkeys(families.SUBSCRIBING, Kind.SUBSCRIBE),
    **dict.fromkeys(families.BLOCKING, Kind.BLOCKING),
}
_USES = {
    **dict.fromkeys(families.SCRIPT_BODIES, Use.BODY),
    **dict.fromkeys(families.SCRIPT_DIGESTS, Use.DIGEST),
    "script|load": Use.LOAD,
    "script|flush": Use.FLUSH,
}


def _command(name: str, arity: int, flags: frozenset[str], places: Sequence[int]) -> Command:
    family = name.partition("|")[0]
    kind = _kind(name, family, flags)
    first, last, step = places
    return Command(
        name=name,
        kind=kind,
        arity=arity,
        first=first,
        last=last,
        step=max(step, 1),
        movable="movablekeys" in flags,
        acquires=name in families.ACQUIRING,
        why_master=_why_master(name, family, flags),
        everything=kind is Kind.WRITE and _unknown_keys(name, first, flags),
        administrative=name in families.ADMINISTRATIVE,
        script=_USES.get(name, Use.NONE),
        module="module" in flags,
        no_multi="no_multi" in flags,
        counts=name in families.COUNTING,
        apart="module" in flags or "blocking" in flags,
    )


def _unknown_keys(name: str, first: int, flags: frozenset[str]) -> bool:
    return name in families.EVERYTHING or "module" in flags or (first == 0 and "movablekeys" not in flags)


def _kind(name: str, family: str, flags: frozenset[str]) -> Kind:
    if name in _KINDS:
        return _KINDS[name]
    if name == "script|debug":  # a debugger speaks from then on
        return Kind.PIN
    if family == "client" and name != family:
        return Kind.PLAIN if name.partition("|")[2] in families.PLAIN_CLIENT else Kind.PIN
    if "write" in flags:
        return Kind.WRITE
    if "readonly" in flags:
        return Kind.READ
    return Kind.PLAIN if family in families.HARMLESS else Kind.WRITE


def _why_master(name: str, family: str, flags: frozenset[str]) -> str:
    if name in families.CURSORS:
        return "cursor"
    local = name in families.NODE_LOCAL or family in families.NODE_LOCAL_CONTAINERS or "module" in flags
    return "policy" if local else ""


_BROWSER = ("post", "host:")
_UNKNOWN = Command("other", Kind.WRITE, everything=True)
_FOREIGN = Command("other", Kind.FOREIGN)
_FLAG_LETTERS = {
    "r": "readonly",
    "w": "write",
    "k": "movablekeys",
    "b": "blocking",
    "n": "no_multi",
    "m": "module",
    "-": "",
}


class Table:
    """Every command that the master knows, by the name a client may write in any case."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._known = {c.name.encode(): c for c in commands}
        for name in [n for n in self._known if b"|" in n]:
            family = name.partition(b"|")[0]
            if family in self._known:
                self._known[family] = replace(self._known[family], container=True)
        # most clients write a name in one case only
        self._known |= {name.upper(): c for name, c in self._known.items()}

    def __iter__(self) -> Iterator[Command]:
        """Yield each command once."""
        return (command for name, command in self._known.items() if name == command.name.encode())

    def lists(self, name: bytes) -> bool:
        """Tell whether the master knows the lower-case *name* (`container|sub`)."""
        return name in self._known

    def find(self, args: list[bytes]) -> Command:
        """Return the command that *args* call; one that is not known counts as a write of everything."""
        found = self._known.get(args[0]) or self._known.get(args[0].lower())
        if found is None:
            return _FOREIGN if args[0].lower().decode("latin-1") in _BROWSER else _UNKNOWN
        if found.container and len(args) > 1:
            sub = self._known.get(found.name.encode() + b"|" + args[1].lower())
            return sub or self._strange(found)
        return found

    @staticmethod
    def _strange(container: Command) -> Command:
        """A subcommand that nobody has told us of: its container, at the master."""
        if container.name == "client":
            return replace(container, kind=Kind.PIN)
        return replace(container, why_master="policy")


def builtin() -> Table:
    """Return the table for the time before a master has been asked."""
    return Table(_builtin_commands())


def _builtin_commands() -> list[Command]:
    found = []
    for row in ROWS.splitlines():
        name, arity, letters, *places = row.split()
        flags = frozenset(_FLAG_LETTERS[letter] for letter in letters)
        found.append(_command(name, int(arity), flags, [int(p) for p in places]))
    return found


def learnt(reply: Sequence[Sequence[Any]]) -> Table:
    """Return the table that a server's reply to COMMAND describes.

    Servers before 7.0 say nothing of subcommands: those come from the built-in table. Nor of QUIT, which they
    know; and they list what a web browser says as commands.
    """
    told: dict[str, Command] = {"quit": _command("quit", -1, frozenset(), (0, 0, 0))}
    for entry in reply:
        told |= {c.name: c for c in _told(entry) if c.name not in _BROWSER}
    extra = {c.name: c for c in _builtin_commands() if "|" in c.name and _silent(c.name, told)}
    return Table([*extra.values(), *told.values()])


def _silent(name: str, told: Mapping[str, Command]) -> bool:
    """Tell whether the server may have the subcommand *name* and did not say so."""
    if name in families.NOT_BEFORE_SEVEN:
        return False
    family = name.partition("|")[0]
    return family in told and not any(other.startswith(family + "|") for other in told)


def _told(entry: Sequence[Any]) -> list[Command]:
    name = _text(entry[0]).lower()
    flags = frozenset(_text(flag) for flag in entry[2])
    places = [int(place) for place in entry[3:6]]
    subs = entry[9] if len(entry) > 9 else []
    return [_command(name, int(entry[1]), flags, places), *(c for sub in subs for c in _told(sub))]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
