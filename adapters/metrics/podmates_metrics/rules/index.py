"""Which rules may take a record, without trying all of them: a trie over the field that most rules match.

The trie only leaves out rules that cannot match; those that stay are tried in file order, so the result is
the one that trying all of them would have had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from podmates_metrics.native.rules import NativeRule

FEW = 6  # rules that are faster tried than looked up


@dataclass(slots=True)
class _Node:
    edges: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None  # a segment with a wildcard or a capture in it
    here: list[int] = field(default_factory=list)  # rules whose pattern ends here
    below: list[int] = field(default_factory=list)  # rules that may take whatever follows


class Index:
    """The rules of a source for records that are not chosen by ``each``, in file order."""

    def __init__(self, rules: Sequence[NativeRule]) -> None:
        self.rules = tuple(rules)
        keys = Counter(key for rule in rules for key, _ in rule.match)
        self._key = keys.most_common(1)[0][0] if keys and len(rules) > FEW else ""
        self._root = _Node()
        self._always: list[int] = []  # rules that do not look at the field
        self._dotted = False
        if self._key:
            for position, rule in enumerate(rules):
                self._insert(position, rule)

    def __len__(self) -> int:
        return len(self.rules)

    def _insert(self, position: int, rule: NativeRule) -> None:
        pattern = dict(rule.match).get(self._key)
        if pattern is None:
            self._always.append(position)
            return
        self._dotted, node = pattern.dotted, self._root
        for segment in pattern.segments:
            if segment is None:
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.edges.setdefault(segment, _Node())
        (node.below if pattern.open else node.here).append(position)

    def candidates(self, look: Callable[[str], str | None]) -> Sequence[NativeRule]:
        """Return the rules that may take the record whose fields *look* answers, in file order."""
        if not self._key:
            return self.rules
        text = look(self._key)
        found = list(self._always)
        if text is not None:
            self._walk(text.split(".") if self._dotted else [text], found)
            found.sort()
        return [self.rules[position] for position in found]

    def _walk(self, segments: list[str], found: list[int]) -> None:
        """Add the rules whose pattern *segments* may fit; it visits no node twice."""
        stack = [(self._root, 0)]
        while stack:
            node, depth = stack.pop()
            found += node.below
            if depth == len(segments):
                found += node.here
                continue
            literal = node.edges.get(segments[depth])
            if literal is not None:
                stack.append((literal, depth + 1))
            if node.any is not None:
                stack.append((node.any, depth + 1))
