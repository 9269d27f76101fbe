"""Java's regular expressions, rewritten so that Python's `re` and RE2 read them alike. No I/O.

No flag is left in what comes out: ``i``, ``s``, ``d``, ``x`` are worked into the characters, so that a flag
in the middle holds to the end of its group as in Java. Line ends are those of Java; ``$`` and both forms of
``\\z`` are one, because a pattern has to match the whole text anyway. Classes of characters are computed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from podmates_metrics.jmx_exporter import charsets
from podmates_metrics.jmx_exporter.charsets import Ranges
from podmates_metrics.jmx_exporter.javaclasses import escape, parse_class
from podmates_metrics.jmx_exporter.javareader import Reader

DOT = charsets.written(charsets.complement(charsets.LINE_ENDS))
MAX_LENGTH = 10_000  # characters of a pattern
MAX_DEPTH = 50  # of groups within each other
_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d{1,6}(?:,\d{0,6})?\})([?+]?)")
_NAMED = re.compile(r"\?<([a-zA-Z][a-zA-Z0-9]*)>")
_FLAGS = re.compile(r"\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])")
_REFERENCE = re.compile(r"k<([a-zA-Z][a-zA-Z0-9]*)>")
_ASSERTIONS = {"A": "^", "z": "$", "Z": "$", "b": r"\b", "B": r"\B"}
_LOOKS = ("?=", "?!", "?<=", "?<!", "?>")
_OFFERED_FLAGS = frozenset("imsdx")


@dataclass(slots=True)
class Piece:
    """A part of a pattern.

    Attributes:
        loose: the same for a linear engine: it takes at least what *text* takes.
        always: the character that it always is, if it is one.
        blank: it may take a blank.
        inside: of a group with one alternative: its parts, each matched once.
    """

    text: str
    loose: str
    always: str = ""
    blank: bool = False
    group: bool = False
    inside: tuple[Piece, ...] | None = None


def _plain(text: str, *, always: str = "", blank: bool = False) -> Piece:
    """Return a part that every engine understands."""
    return Piece(text, text, always, blank)


@dataclass(slots=True)
class Translated:
    """A pattern rewritten.

    Attributes:
        text: what to compile, without flags but `re.ASCII`.
        loose: what a linear engine understands; the same as *text*, or it matches all that that matches.
        names: named groups, by their number.
        needs: the longest text found that is in all that it matches.
        blind: in ``place: number`` it neither needs nor captures anything of the number.
    """

    text: str
    loose: str
    groups: int
    names: dict[str, int]
    needs: str = ""
    blind: bool = False

    @property
    def linear(self) -> bool:
        """It has nothing that only a backtracking engine understands."""
        return self.text == self.loose


def translate(pattern: str) -> Translated:
    """Return *pattern* rewritten.

    Raises:
        ValueError: Java would refuse it, or it uses what is not offered; the message says what.
    """
    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"the pattern is longer than {MAX_LENGTH} characters")
    parser = _Parser(pattern)
    alternatives = parser.alternatives(frozenset(), 0)
    if not parser.reader.ended:
        raise parser.reader.fault("unmatched )")
    made = Translated(_text(alternatives), _loose(alternatives), parser.groups, parser.names)
    if not made.linear and parser.repeats_groups:
        raise ValueError(
            "a group that repeats without end beside look-around, a back-reference or a possessive or atomic"
            " part: such a pattern can take forever"
        )
    if len(alternatives) == 1:
        pieces = _flat(alternatives[0])
        made.needs = _needs(pieces)
        made.blind = made.linear and _blind(pieces)
    return made


def _needs(pieces: list[Piece]) -> str:
    runs = [""]
    for piece in pieces:
        if piece.always:
            runs[-1] += piece.always
        else:
            runs.append("")
    return max(runs, key=len)


def _text(alternatives: list[list[Piece]]) -> str:
    return "|".join("".join(piece.text for piece in pieces) for pieces in alternatives)


def _loose(alternatives: list[list[Piece]]) -> str:
    return "|".join("".join(piece.loose for piece in pieces) for pieces in alternatives)


def _flat(pieces: list[Piece] | tuple[Piece, ...]) -> list[Piece]:
    made: list[Piece] = []
    for piece in pieces:
        made += [piece] if piece.inside is None else _flat(piece.inside)
    return made


def _blind(pieces: list[Piece]) -> bool:
    """Whether the match always ends before the blank that stands before the number.

    A number has no ``<`` and no ``>``: the last one that the pattern wants lies before it, and what
    follows in the pattern gets no further than the next blank.
    """
    last = max((i for i, piece in enumerate(pieces) if piece.always in ("<", ">")), default=-1)
    return last >= 0 and not any(piece.blank for piece in pieces[last + 1 :])


@dataclass(slots=True)
class _Parser:
    source: str
    reader: Reader = field(init=False)
    groups: int = 0
    names: dict[str, int] = field(default_factory=dict)
    repeats_groups: bool = False  # without end
    total: int = field(init=False)  # groups of the whole pattern, for references like \11

    def __post_init__(self) -> None:
        self.reader = Reader(self.source)
        self.total = self.reader.count_groups()

    def alternatives(self, flags: frozenset[str], depth: int) -> list[list[Piece]]:
        """Return the alternatives up to the end or to the ``)`` that closes this group."""
        if depth > MAX_DEPTH:
            raise self.reader.fault("groups are nested too deep")
        made: list[list[Piece]] = [[]]
        while not self.reader.ended and not self.reader.starts(")"):
            if self.reader.take("|"):
                made.append([])
            elif self.reader.starts("(?") and (found := self.reader.match(_FLAGS, 1)) and found[3] == ")":
                flags = self._flags(found, flags)
            elif piece := self._item(flags, depth):
                made[-1].append(piece)
        return made

    def _flags(self, found: re.Match[str], flags: frozenset[str]) -> frozenset[str]:
        strange = {*found[1], *(found[2] or "")} - _OFFERED_FLAGS
        if strange:
            raise self.reader.fault(f"flag {min(strange)} is not offered")
        self.reader.skip(len(found[0]) + 1)
        return (flags | set(found[1])) - set(found[2] or "")

    def _item(self, flags: frozenset[str], depth: int) -> Piece | None:
        """Return the next part with its quantifier; None for what means nothing."""
        reader = self.reader
        if "x" in flags and reader.skip_comment():
            return None
        letter = reader.next()
        if letter == "(":
            piece = self._group(flags, depth)
        elif letter == "[":
            piece = self._set(parse_class(reader, flags), flags)
        elif letter == ".":
            ends = () if "s" in flags else charsets.of("\n") if "d" in flags else charsets.LINE_ENDS
            piece = self._set(charsets.complement(ends), frozenset())
        elif letter == "^":
            return _plain("(?m:^)" if "m" in flags else "^")
        elif letter == "$":
            return _plain("(?m:$)" if "m" in flags else "$")
        elif letter == "\\":
            return self._escape(flags)
        elif letter in "*+?{":
            raise reader.fault(f"nothing that {letter} could repeat")
        else:
            piece = self._literal(ord(letter), flags)
        return self._repeated(piece)

    def _repeated(self, piece: Piece) -> Piece:
        found = self.reader.match(_QUANTIFIER)
        if not found:
            return piece
        self.reader.skip(len(found[0]))
        self.repeats_groups |= piece.group and found[0][0] != "?" and ("," in found[0] or found[0][0] != "{")
        loose = found[0][:-1] if found[1] == "+" else found[0]
        return Piece(piece.text + found[0], piece.loose + loose, blank=piece.blank)

    def _literal(self, code: int, flags: frozenset[str]) -> Piece:
        shown = chr(code)
        if "i" in flags and shown.isascii() and shown.isalpha():
            return _plain(f"[{shown.upper()}{shown.lower()}]")
        return _plain(charsets.letter(code), always=shown, blank=shown == " ")

    def _set(self, ranges: Ranges, flags: frozenset[str]) -> Piece:
        return _plain(charsets.written(ranges), blank=charsets.holds(ranges, 32))

    def _group(self, flags: frozenset[str], depth: int) -> Piece:
        reader, opening, loose = self.reader, "(", ""
        look = next((look for look in sorted(_LOOKS, key=len, reverse=True) if reader.starts(look)), "")
        if look:
            reader.skip(len(look))
            opening, loose = f"({look}", "(?:" if look == "?>" else "(?:)"
        elif found := reader.match(_NAMED):
            reader.skip(len(found[0]))
            self.groups += 1
            if found[1] in self.names:
                raise reader.fault(f"group {found[1]} is there already")
            self.names[found[1]], opening = self.groups, f"(?P<{found[1]}>"
        elif found := reader.match(_FLAGS):
            flags, opening = self._flags(found, flags), "(?:"
            reader.skip(-1)
        elif reader.starts("?"):
            raise reader.fault("unknown kind of group")
        else:
            self.groups += 1
        alternatives = self.alternatives(flags, depth + 1)
        if not reader.take(")"):
            raise reader.fault("unclosed group")
        loose = loose if loose == "(?:)" else f"{loose or opening}{_loose(alternatives)})"
        blank = any(piece.blank for pieces in alternatives for piece in pieces)
        inside = tuple(alternatives[0]) if len(alternatives) == 1 and not look else None
        return Piece(f"{opening}{_text(alternatives)})", loose, blank=blank, group=True, inside=inside)

    def _escape(self, flags: frozenset[str]) -> Piece | None:
        reader = self.reader
        if (quoted := reader.quoted()) is not None:
            return self._quoted(quoted, flags)
        if reader.ended:
            raise reader.fault("nothing after \\")
        letter = reader.peek()
        if letter in _ASSERTIONS:
            reader.skip(1)
            return _plain(_ASSERTIONS[letter])
        if letter == "R":
            reader.skip(1)
            ends = charsets.written(charsets.ESCAPES["v"])
            return self._repeated(_plain(rf"(?:\r\n|{ends})"))
        if letter == "k" or letter in "123456789":
            return self._repeated(self._reference())
        found = escape(reader)
        if isinstance(found, int):
            return self._repeated(self._literal(found, flags))
        ranges = charsets.either_case(found) if "i" in flags else found
        return self._repeated(self._set(ranges, flags))

    def _quoted(self, text: str, flags: frozenset[str]) -> Piece | None:
        if not text:
            return None
        pieces = [self._literal(ord(letter), flags) for letter in text]
        pieces[-1] = self._repeated(pieces[-1])
        whole, loose = (_text([pieces]), _loose([pieces]))
        return Piece(whole, loose, blank=any(piece.blank for piece in pieces), inside=tuple(pieces))

    def _reference(self) -> Piece:
        reader, anything = self.reader, rf"[\x00-{chr(charsets.LAST)}]*"
        if found := reader.match(_REFERENCE):
            reader.skip(len(found[0]))
            if found[1] not in self.names:
                raise reader.fault(f"there is no group {found[1]} before")
            return Piece(f"(?P={found[1]})", anything, blank=True)
        if reader.starts("k"):
            raise reader.fault("want \\k<name>")
        number = int(reader.next())
        while reader.peek().isdigit() and number * 10 + int(reader.peek()) <= self.total:
            number = number * 10 + int(reader.next())
        if number > self.total:
            raise reader.fault(f"there is no group {number}")
        return Piece(f"(?:\\{number})", anything, blank=True)
