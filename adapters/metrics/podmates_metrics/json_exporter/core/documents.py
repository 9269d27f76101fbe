"""JSON text to values, as Go takes it: every number a `float`, nothing that JSON has not."""

from __future__ import annotations

import json
import math
import re
from typing import Any

# Only with so many digits, or such an exponent, can a number be too large.
_LARGE = re.compile(rb"[0-9]{300}|[eE]\+?0*[1-9][0-9]{2}")


class NotJson(Exception):
    """The text is no JSON; the reason is for the operator, without any of the text."""


def parse(body: bytes) -> Any:
    """Return the value that *body* writes; what is no UTF-8 in it becomes U+FFFD.

    Raises:
        NotJson: there is none, or it is nested too deep, or a number is too large.
    """
    number = _finite if _LARGE.search(body) else float
    try:
        text = body.decode("utf-8", "replace")
        return json.loads(text, parse_int=number, parse_float=number, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise NotJson("nested too deep") from None
    except ValueError as error:
        raise NotJson(str(error)) from None


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no JSON")
