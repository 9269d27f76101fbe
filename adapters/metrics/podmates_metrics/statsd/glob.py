"""Which glob rule takes a name: a trie keyed by segment, searched with full backtracking.

The cost is bounded by the nodes of the trie, whatever the name is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Node:
    edges: dict[str, Node] = field(default_factory=dict)
    star: Node | None = None
    rule: int = -1  # position in the file of the rule that ends here; -1: none


class Globs:
    """The rules of one kind of metric.

    Args:
        patterns: position in the file and pattern; of equal patterns the first counts.
        ordered: the first rule in the file wins; else the most specific, compared from the left.
    """

    def __init__(self, patterns: Iterable[tuple[int, str]], *, ordered: bool) -> None:
        self._ordered = ordered
        self._roots: dict[int, Node] = {}  # by the number of segments, which must be equal
        for index, pattern in patterns:
            self._insert(index, pattern.split("."))

    def _insert(self, index: int, segments: list[str]) -> None:
        node = self._roots.setdefault(len(segments), Node())
        for segment in segments:
            if segment == "*":
                node.star = node.star or Node()
                node = node.star
            else:
                node = node.edges.setdefault(segment, Node())
        if node.rule < 0:
            node.rule = index

    def find(self, name: str) -> tuple[int, tuple[str, ...]] | None:
        """Return the rule that takes *name* and what its stars stand for, or None."""
        segments = name.split(".")
        root = self._roots.get(len(segments))
        if root is None:
            return None
        found: tuple[int, tuple[str, ...]] | None = None
        # Literal edge on top: popped first, so the first leaf is the most specific one.
        stack: list[tuple[Node, int, tuple[str, ...]]] = [(root, 0, ())]
        while stack:
            node, depth, captured = stack.pop()
            if depth == len(segments):
                if found is None or node.rule < found[0]:
                    found = (node.rule, captured)
                if not self._ordered:
                    return found
                continue
            segment = segments[depth]
            if node.star is not None:
                stack.append((node.star, depth + 1, (*captured, segment)))
            literal = node.edges.get(segment)
            if literal is not None:
                stack.append((literal, depth + 1, captured))
        return found
