"""A position in the text of a regular expression. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.|\(\?<(?![=!])|\(\?|\(|\[|\]", re.DOTALL)


@dataclass(slots=True)
class Reader:
    """Reads on through *source*."""

    source: str
    at: int = 0

    @property
    def ended(self) -> bool:
        return self.at >= len(self.source)

    def fault(self, reason: str) -> ValueError:
        """Return the error to raise: the reason and the place."""
        return ValueError(f"{reason}, at character {min(self.at, len(self.source)) + 1} of the pattern")

    def peek(self) -> str:
        """Return the next character; empty at the end."""
        return self.source[self.at : self.at + 1]

    def next(self) -> str:
        """Return the next character and move behind it."""
        if self.ended:
            raise self.fault("the pattern ends too early")
        self.at += 1
        return self.source[self.at - 1]

    def starts(self, text: str, ahead: int = 0) -> bool:
        return self.source.startswith(text, self.at + ahead)

    def take(self, text: str) -> bool:
        """Move behind *text* if it comes next."""
        if not self.starts(text):
            return False
        self.at += len(text)
        return True

    def skip(self, count: int) -> None:
        self.at += count

    def match(self, pattern: re.Pattern[str], ahead: int = 0) -> re.Match[str] | None:
        return pattern.match(self.source, self.at + ahead)

    def skip_comment(self) -> bool:
        """Move behind one blank or one comment, as flag ``x`` wants it."""
        if self.take("#"):
            end = self.source.find("\n", self.at)
            self.at = len(self.source) if end < 0 else end + 1
            return True
        if self.peek() and self.peek() in " \t\n\v\f\r":
            self.at += 1
            return True
        return False

    def quoted(self) -> str | None:
        r"""Return what stands in ``\Q…\E``, when the backslash was read and Q comes next; else None."""
        if self.take("E"):
            return ""
        if not self.take("Q"):
            return None
        end = self.source.find("\\E", self.at)
        text = self.source[self.at :] if end < 0 else self.source[self.at : end]
        self.at = len(self.source) if end < 0 else end + 2
        return text

    def count_groups(self) -> int:
        """Return how many groups the whole pattern captures."""
        count = inside = 0
        for token in _TOKEN.finditer(self.source):
            if token[0] == "[":
                inside += 1
            elif token[0] == "]":
                inside = max(0, inside - 1)
            elif not inside:
                count += token[0] in ("(", "(?<")
        return count
