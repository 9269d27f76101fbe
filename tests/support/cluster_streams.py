"""Streams of commands that a cluster can be asked like a plain server: see `redis_streams`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.support.redis_streams import Generator
from tests.support.resp import Command, Word

_KEY = re.compile(r"(\{\w+\})?[shltzxgnp]:\d+")
# has no place in a cluster, or looks at keys that it does not name
_STRANGE = frozenset(["SELECT", "MOVE", "SWAPDB", "DBSIZE", "OBJECT", "INFO", "CONFIG", "PUBSUB", "COMMAND"])
_STRANGE_WORDS = frozenset(["DB", "BY", "GET", "s:0"])


class ClusterGenerator(Generator):
    """Draws commands whose keys have *tag*; without one, keys of all shards, and commands of one key each."""

    def __init__(self, seed: int, families: Sequence[str], tag: str = "") -> None:
        super().__init__(seed, families)
        self._tag = tag

    def batch(self) -> list[Command]:
        found = super().batch()
        return found if self._tag else [command for command in found if command[0] not in ("MULTI", "EXEC")]

    def command(self, *, data: bool = False) -> Command:
        while True:
            found = super().command(data=data)
            if self._fits(found):
                return found

    def _fits(self, command: Command) -> bool:
        name, *words = (str(word) for word in command)
        if name in _STRANGE or (name.startswith("SORT") and _STRANGE_WORDS & set(words)):
            return False
        if (name == "COPY" and "DB" in words) or "nosuch" in words:
            return False
        if any(word == "s:0" or "'s:0'" in word for word in words) and self._tag:
            return False
        keys = {word for word in words if _KEY.fullmatch(word)}
        return bool(self._tag) or len(keys) < 2

    def _word(self, word: str) -> Word:
        found = super()._word(word)
        return f"{self._tag}{found}" if isinstance(found, str) and word.startswith("p:") else found

    def _filled(self, name: str) -> Word:
        found = super()._filled(name)
        return f"{self._tag}{found}" if isinstance(found, str) and _KEY.fullmatch(found) else found
