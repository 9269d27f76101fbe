"""What servers of one kind and age say otherwise than others, where we answer in their place. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Dialect:
    """The manners of one kind of server; those of Redis 7.0 unless it is told otherwise."""

    subcommands: bool = True  # have names of their own: client|list, not client
    unknown: tuple[bytes, bytes] = (b"'%.128b'", b"'%b' ")  # how a command and its arguments are shown
    greets_by_version: bool = True  # names the version among the words of HELLO
    locked_first: bool = False  # a stranger hears NOAUTH even of a command that is unknown, or wrong
    lends_buffer: bool = False  # a client's query buffer is shown empty while its command runs
    drops_spoilt: bool = False  # a transaction forgets what was queued when it is spoilt
    strict: bool = False  # MULTI or WATCH inside a transaction spoil it
    lasting_multi: bool = False  # who was in a transaction once is shown with an empty one ever after
    in_order_of_ids: bool = True  # clients asked for by ids are listed as often and in the order asked
    clusterless: frozenset[str] = frozenset()  # what is about clusters, and answered also without one
    greets_piecemeal: bool = False  # does each word of HELLO before it looks at the next one
    names_denied: bool = True  # says which user may not run a command
    keeps_protection: bool = False  # RESET leaves CLIENT NO-EVICT in force

    @property
    def old(self) -> bool:
        """Whether it is Redis 6."""
        return not self.subcommands


REDIS_7 = Dialect(greets_by_version=False, greets_piecemeal=True, names_denied=False, keeps_protection=True)
_EITHER = frozenset(["readonly", "readwrite"])


def dialect(greeting: Sequence[bytes | object]) -> Dialect:
    """Return the dialect of the server whose reply to HELLO is *greeting*, names and values in turn."""
    said = dict(zip(greeting[::2], greeting[1::2], strict=False))
    server, version = said.get(b"server"), said.get(b"version")
    version = version if isinstance(version, bytes) else b"7.0.0"
    major = int(version.partition(b".")[0])
    if server == b"valkey":
        return Dialect(
            locked_first=major >= 9,
            lends_buffer=True,
            drops_spoilt=True,
            strict=True,
            lasting_multi=True,
            in_order_of_ids=False,
            clusterless=_EITHER | {"cluster|keyslot"} if major >= 9 else _EITHER,
        )
    if major < 7:
        return replace(
            REDIS_7,
            subcommands=False,
            unknown=(b"`%b`", b"`%b`, "),
            clusterless=frozenset(["readwrite"]),
        )
    if major == 7:
        return REDIS_7 if version.startswith(b"7.0.") else Dialect(greets_by_version=False)
    return Dialect()
