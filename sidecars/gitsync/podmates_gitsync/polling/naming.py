"""Which ref of a server a name means: git's own order over full names, never the first that looks like it.

Source: gitrevisions(7), "<refname>"; git-check-ref-format(1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from podmates_gitsync.polling.pktline import ProtocolError

_ORDER = ("{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD")
_HASH = re.compile(r"(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})")
_LISTED = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\t(\S+)")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|^[./]|[./]$")


def can_be_asked(ref: str) -> bool:
    """Return whether *ref* is a name of a ref to git, and nothing else.

    Not a hash, not ``@``, and without what a fetch would read as more than a name: ``+name``, ``a:b``.
    """
    return bool(ref) and ref != "@" and ref[0] not in "+-" and not _FORBIDDEN.search(ref) and not is_hash(ref)


def is_hash(ref: str) -> bool:
    """Return whether git takes *ref* for a full hash, in whatever case."""
    return _HASH.fullmatch(ref) is not None


def candidates(ref: str) -> list[str]:
    """Return the full names that *ref* may mean, the one that counts first."""
    return [form.format(ref) for form in _ORDER]


def resolve(ref: str, refs: Mapping[str, str]) -> str | None:
    """Return what *ref* means among *refs* (full name → hash); None when it means nothing."""
    return next((refs[name] for name in candidates(ref) if name in refs), None)


def listed(text: str) -> Mapping[str, str]:
    """Return what `git ls-remote` printed as full name → hash, a tag's peeled one.

    Raises:
        ProtocolError: it printed something else, or the text is cut.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _LISTED.fullmatch(line)
        if match is None:
            raise ProtocolError(f"no line of ls-remote: {line[:200]!r}")
        found[match[2]] = match[1]
    peeled = {name[:-3]: commit for name, commit in found.items() if name.endswith("^{}")}
    return {name: peeled.get(name, commit) for name, commit in found.items() if not name.endswith("^{}")}
