"""Protocol version 2's question "what do these refs name?": what a server can, the request, its answer.

Source: gitprotocol-v2(5), "Capability Advertisement" and "ls-refs"; gitprotocol-http(5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from podmates_gitsync.polling.pktline import Marker, ProtocolError, packet, split

_SERVICE = b"# service=git-upload-pack"
_DIGITS = {"sha1": 40, "sha256": 64}  # hexadecimal digits of a hash, by object format
_HASH = re.compile(r"[0-9a-f]+")
_PEELED = "peeled:"


class NotVersion2(ProtocolError):
    """The server speaks an older version only: its every answer would list all of its refs."""


class Capabilities(NamedTuple):
    """What of an advertisement matters for the question."""

    object_format: str | None = None  # None: not advertised, and so not to be asked with
    agent: bool = False

    @property
    def digits(self) -> int:
        return _DIGITS[self.object_format or "sha1"]


def advertised(body: bytes) -> Capabilities:
    """Return what the answer to ``info/refs?service=git-upload-pack`` says of the server.

    Raises:
        NotVersion2: it is an advertisement of refs, as of version 0 or 1.
        ProtocolError: it is no advertisement, or one of a server that cannot be asked.
    """
    lines = split(body)
    if lines[:2] == [_SERVICE, Marker.FLUSH]:
        lines = lines[2:]
    if not lines:
        raise ProtocolError("an empty advertisement")
    if lines[0] != b"version 2":
        raise NotVersion2("the server does not speak version 2 of the protocol")
    known: dict[str, str] = {}
    for line in _texts(lines[1:]):
        name, _, value = line.partition("=")
        known[name] = value
    if "ls-refs" not in known:
        raise ProtocolError("the server does not answer ls-refs")
    kind = known.get("object-format")
    if kind is not None and kind not in _DIGITS:
        raise ProtocolError(f"unknown object format: {kind[:40]!r}")
    return Capabilities(kind, "agent" in known)


def question(able: Capabilities, names: Sequence[str], agent: str) -> bytes:
    """Return the body of the request for everything that begins with one of *names*, tags peeled."""
    head = [packet("command=ls-refs")]
    if able.agent:
        head.append(packet(f"agent={agent}"))
    if able.object_format is not None:
        head.append(packet(f"object-format={able.object_format}"))
    arguments = [packet("peel"), *(packet(f"ref-prefix {name}") for name in names)]
    return b"".join([*head, Marker.DELIMITER.value, *arguments, Marker.FLUSH.value])


def answered(body: bytes, able: Capabilities) -> Mapping[str, str]:
    """Return full name of a ref → hash of what it names, a tag's peeled one.

    Raises:
        ProtocolError: the body is no such answer, or only a part of one.
    """
    found: dict[str, str] = {}
    for line in _texts(split(body)):
        words = line.split(" ")
        if words[0] == "unborn":  # a HEAD whose branch is not there yet names nothing
            continue
        if len(words) < 2 or not words[1] or words[1] in found:
            raise ProtocolError(f"no ref, or one twice: {line[:200]!r}")
        peeled = [word.removeprefix(_PEELED) for word in words[2:] if word.startswith(_PEELED)]
        hashes = [words[0], *peeled]
        if not all(_is_hash(text, able.digits) for text in hashes):
            raise ProtocolError(f"no hash: {line[:200]!r}")
        found[words[1]] = hashes[-1]
    return found


def _is_hash(text: str, digits: int) -> bool:
    return len(text) == digits and _HASH.fullmatch(text) is not None and text.strip("0") != ""


def _texts(lines: Sequence[bytes | Marker]) -> list[str]:
    """Return the lines before the flush that must be the last packet, and the only one without data."""
    if not lines or lines[-1] is not Marker.FLUSH:
        raise ProtocolError("the answer has no end")
    texts = [line for line in lines[:-1] if isinstance(line, bytes)]
    if len(texts) != len(lines) - 1:
        raise ProtocolError("a packet without data in the middle of the answer")
    return [text.decode("utf-8", "surrogateescape") for text in texts]
