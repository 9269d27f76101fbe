"""Counts the work of a parser in Python by what it does, not by a clock: lines run and bytes touched.

`counted` puts classes that count into a module in place of ``bytes`` and ``bytearray``: searching, slicing,
joining and shifting of what was fed costs as many steps as bytes are looked at or copied.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import FrameType, ModuleType
from typing import Any

import pytest


class Steps:
    """The steps so far."""

    count = 0


class Bytes(bytes):
    """Bytes that count what is done with them."""

    def find(self, sub: Any, *span: Any) -> int:
        return _found(bytes.find(self, sub, *span), len(self), *span)

    def index(self, sub: Any, *span: Any) -> int:
        return _found(bytes.index(self, sub, *span), len(self), *span)

    def __getitem__(self, place: Any) -> Any:
        found = bytes.__getitem__(self, place)
        return _kept(Bytes, found)

    def __add__(self, other: Any) -> Any:
        return _kept(Bytes, bytes.__add__(self, other))


class Bytearray(bytearray):
    """The same for a buffer."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        Steps.count += len(self)

    def find(self, sub: Any, *span: Any) -> int:
        return _found(bytearray.find(self, sub, *span), len(self), *span)

    def __getitem__(self, place: Any) -> Any:
        found = bytearray.__getitem__(self, place)
        return _kept(bytearray, found)

    def __delitem__(self, place: Any) -> None:
        bytearray.__delitem__(self, place)
        Steps.count += len(self)

    def __iadd__(self, other: Any) -> Any:  # type: ignore[misc]  # a bytearray, as it is
        Steps.count += len(other)
        return bytearray.__iadd__(self, other)


def _found(place: int, size: int, start: int = 0, *_: Any) -> int:
    Steps.count += max(0, (size if place < 0 else place) - start) + 1
    return place


def _kept(kind: Callable[[Any], Any], found: Any) -> Any:
    if isinstance(found, int):
        Steps.count += 1
        return found
    Steps.count += len(found)
    return kind(found)


class _CountingType(type):
    """Stands for ``bytes`` in a module: makes counting bytes, and every bytes is an instance of it."""

    def __call__(cls, *given: Any) -> Any:
        made = Bytes(*given)
        Steps.count += len(made)
        return made

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, bytes)


class _BytesHere(metaclass=_CountingType):
    pass


def counted(
    patch: pytest.MonkeyPatch, module: ModuleType, feed: Callable[[bytes], object], parts: Iterable[bytes]
) -> int:
    """Return the steps that *module* takes to be fed *parts*."""
    file = module.__file__
    Steps.count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename != file:
            return None
        Steps.count += event == "line"
        return trace

    with patch.context() as here:
        here.setattr(module, "bytes", _BytesHere, raising=False)
        here.setattr(module, "bytearray", Bytearray, raising=False)
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            for part in parts:
                feed(Bytes(part))
        finally:
            sys.settrace(before)
    return Steps.count
