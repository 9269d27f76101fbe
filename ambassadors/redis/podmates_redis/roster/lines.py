"""Lines of CLIENT LIST and INFO: the master's own fields in its order, with what we know. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Line = Sequence[tuple[bytes, bytes]]

# of Redis 7.0, for the time before a master has said what its own lines look like
BUILTIN = (
    b"id=0 addr= laddr= fd=0 name= age=0 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=0"
    b" qbuf-free=20474 argv-mem=0 multi-mem=0 rbs=16384 rbp=16384 obl=0 oll=0 omem=0 tot-mem=37632"
    b" events=r cmd=NULL user=default redir=-1 resp=2"
)


def learnt(text: bytes) -> Line:
    """Return the fields of a line of a server, with its values for those that we do not know."""
    pairs = (word.partition(b"=") for word in text.split())
    return [(name, value) for name, sign, value in pairs if sign]


def line(template: Line, facts: Mapping[bytes, bytes]) -> bytes:
    """Return the line of the client of whom *facts* is known."""
    return b" ".join(b"%b=%b" % (name, facts.get(name, value)) for name, value in template)
