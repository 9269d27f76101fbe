"""How a question ends that has no answer."""

from __future__ import annotations


class ExchangeError(OSError):
    """There is no usable answer; the text says why."""


class TooLong(ExchangeError):
    """The answer is longer than the limit."""
