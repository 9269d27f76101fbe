"""YAML files to trees: strict (no duplicate key), bounded, and with the line of every part."""

from __future__ import annotations

import re

import yaml

from podmates_common.files import TooLarge, read_small, why_unread
from podmates_metrics.tree import Fault, Listing, Place, Scalar, Table, Tree

MAX_FILE = 16 << 20  # bytes
_MAX_DEPTH = 40
_MAX_PARTS = 2_000_000  # what aliases may multiply a file to
_EXPONENT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)[eE][+-]?\d{1,3}", re.ASCII)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(path: str) -> Tree | None:
    """Return the first document of the file at *path*; None when it is empty.

    Raises:
        Fault: it cannot be read, or is not YAML, or names a key twice.
    """
    try:
        return parse(read_small(path, MAX_FILE).decode())
    except (OSError, TooLarge) as error:
        raise Fault(f"{path}: {why_unread(error)}") from None
    except UnicodeDecodeError:
        raise Fault(f"{path}: not UTF-8") from None
    except Fault as error:
        raise Fault(f"{path}: {error}") from None


def parse(text: str, *, most: int = _MAX_PARTS) -> Tree | None:
    """Return the first document of *text*; None when there is none.

    Raises:
        Fault: it is not YAML, or names a key twice, or has more than *most* parts.
    """
    try:
        node = _node(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Fault(f"line {line}: {error.problem}") from None
    except UnicodeEncodeError as error:  # half a surrogate pair, which JSON can bring
        line = text.count("\n", 0, error.start) + 1
        raise Fault(f"line {line}: {text[error.start]!r} is no character") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise Fault(str(error).replace("\n", " ")) from None
    tree = None if node is None else _Converter(most).tree(node, 0)
    return None if isinstance(tree, Scalar) and tree.tag == "null" else tree


def _node(text: str) -> yaml.Node | None:
    loader = _LOADER(text)
    try:
        loader.check_node()
        return loader.get_node()
    finally:
        loader.dispose()


class _Converter:
    def __init__(self, most: int) -> None:
        self._parts, self._most = 0, most

    def tree(self, node: yaml.Node, depth: int) -> Tree:
        self._parts += 1
        line = node.start_mark.line + 1
        if depth > _MAX_DEPTH or self._parts > self._most:
            raise Place("", line).fault("nested too deep, or too large")
        if isinstance(node, yaml.ScalarNode):
            tag = node.tag.rpartition(":")[2]
            # PyYAML wants a point in a number that has an exponent; Go does not.
            number = tag == "str" and not node.style and _EXPONENT.fullmatch(node.value)
            return Scalar(node.value, "float" if number else tag, line)
        if isinstance(node, yaml.SequenceNode):
            return Listing(tuple(self.tree(item, depth + 1) for item in node.value), line)
        assert isinstance(node, yaml.MappingNode)  # noqa: S101  (there is no fourth kind)
        return self._table(node, depth)

    def _table(self, node: yaml.MappingNode, depth: int) -> Table:
        table = Table({}, {}, node.start_mark.line + 1)
        merged: list[Tree] = []
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                merged.append(self.tree(value, depth + 1))
                continue
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise Place("", line).fault("a key must be a single value")
            if key.value in table.entries:
                raise Place("", line).fault(f"field {key.value} already set")
            table.entries[key.value] = self.tree(value, depth + 1)
            table.lines[key.value] = line
        for other in merged:
            for part in other.items if isinstance(other, Listing) else (other,):
                if isinstance(part, Table):
                    for name, entry in part.entries.items():
                        table.entries.setdefault(name, entry)
                        table.lines.setdefault(name, part.lines[name])
        return table
