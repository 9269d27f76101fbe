"""Announced addresses to reachable ones, for servers that know themselves by others. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PLACE = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:\s/@]+)):([0-9]{1,5})")
Place = tuple[str, int]  # host and port


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the map; port 0 stands for any port, *prefix* for all hosts that begin with `host`."""

    host: str
    port: int
    to_host: str
    to_port: int
    prefix: bool = False

    def apply(self, announced: Place) -> Place | None:
        """Return where *announced* is reached, or nothing when the rule is not about it."""
        host, port = announced
        if self.port and self.port != port:
            return None
        if self.prefix and host.startswith(self.host):
            return self.to_host + host[len(self.host) :], port
        return (self.to_host, self.to_port or port) if host == self.host else None


def rule(value: str) -> Rule:
    """Return the rule ``host:port=host:port``, ``host=host`` (any port) or ``10.1.*=172.16.*`` (a prefix).

    Raises:
        ValueError: in words for the operator.
    """
    announced, equals, reachable = value.partition("=")
    if not equals or not announced or not reachable:
        raise ValueError("want announced=reachable")
    if announced.endswith("*") or reachable.endswith("*"):
        if not (announced.endswith("*") and reachable.endswith("*")):
            raise ValueError("want * at the end of both sides, or of neither")
        return Rule(announced[:-1], 0, reachable[:-1], 0, prefix=True)
    host, port = _place(announced)
    to_host, to_port = _place(reachable)
    if bool(port) != bool(to_port):
        raise ValueError("want a port on both sides, or on neither")
    return Rule(host, port, to_host, to_port)


def reachable(rules: Sequence[Rule], announced: Place) -> Place:
    """Return where *announced* is reached: by the first rule that is about it, else as it is."""
    return next((found for each in rules if (found := each.apply(announced))), announced)


def _place(text: str) -> Place:
    if text.count(":") != 1 and not text.startswith("["):
        return text, 0
    match = _PLACE.fullmatch(text)
    if not match or not 0 < int(match[3]) < 65536:
        raise ValueError("want host:port, or a host alone")
    return match[1] or match[2], int(match[3])
