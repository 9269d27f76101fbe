"""The glob rules of a mapping file drawn as the tree that a name walks down, in Graphviz' language."""

from __future__ import annotations

from collections.abc import Iterator

from podmates_metrics.statsd.mapper import KINDS
from podmates_metrics.statsd.mapping import Mapping

Node = tuple[str, ...]  # the kind of metric, then the segments so far


def graph(mapping: Mapping) -> str:
    """Return a tree for each kind of metric: edges are segments, boxes rules with their place in the file."""
    return "digraph globs {\n  rankdir=LR;\n" + "".join(_lines(mapping)) + "}\n"


def _lines(mapping: Mapping) -> Iterator[str]:
    numbers: dict[Node, int] = {}
    ends: set[Node] = set()
    for kind in KINDS:
        for rule in mapping.rules:
            if rule.regex is not None or rule.kind not in ("", kind):
                continue
            node: Node = (kind,)
            if node not in numbers:
                numbers[node] = len(numbers)
                yield f"  n{numbers[node]} [label={_quoted(kind)}];\n"
            # Only names with as many segments are compared, so that each length has a tree of its own.
            segments = rule.match.split(".")
            node = (kind, str(len(segments)))
            if node not in numbers:
                numbers[node] = len(numbers)
                label = f"{len(segments)} segment{'s' if len(segments) > 1 else ''}"
                yield f"  n{numbers[node]} [label={_quoted(label)}];\n"
                yield f"  n{numbers[node[:1]]} -> n{numbers[node]};\n"
            for segment in segments:
                before, node = node, (*node, segment)
                if node not in numbers:
                    numbers[node] = len(numbers)
                    yield f'  n{numbers[node]} [label=""];\n'
                    yield f"  n{numbers[before]} -> n{numbers[node]} [label={_quoted(segment)}];\n"
            if node not in ends:  # of equal rules the first counts
                ends.add(node)
                yield f"  n{numbers[node]} [shape=box, label={_quoted(f'{rule.index}: {rule.name}')}];\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
