"""Packages of others without what a service does not use of them.

``import aiohttp.web`` first runs the ``__init__`` of aiohttp, and with it a client that reads every CA
certificate of the system: 4 MB, which each pod pays for. Here a package is there without its ``__init__``,
which runs when somebody asks for one of the names that it defines.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from itertools import pairwise
from opcode import opmap
from types import CodeType, ModuleType
from typing import Any

LARGE = ("aiohttp", "prometheus_client")
_NAME = "__version__"


def lean(*names: str) -> None:
    """Have the packages *names*, or all of `LARGE`, import their modules one by one; call it first of all.

    What is imported already or not installed is left as it is, as is a package that says its version in a way
    that we do not know: its modules may want it. A name that the package itself defines is there as ever, and
    costs the whole package.
    """
    for name in names or LARGE:
        spec = None if name in sys.modules else find_spec(name)
        if spec is None:
            continue
        # Not from the text: images have only what was compiled of it.
        compiled = getattr(spec.loader, "get_code", None)
        code = compiled(name) if compiled is not None else None
        if code is None:
            continue
        version = _version(code)
        if version or _NAME not in code.co_names:
            sys.modules[name] = _package(spec, {_NAME: version} if version else {})


def _version(code: CodeType) -> str:
    """Return what is assigned to ``__version__`` if that is a text by itself; empty for all else."""
    words = list(zip(code.co_code[::2], code.co_code[1::2], strict=True))  # what is done, and with which
    for (first, constant), (second, name) in pairwise(words):
        if first == opmap["LOAD_CONST"] and second == opmap["STORE_NAME"] and code.co_names[name] == _NAME:
            value = code.co_consts[constant]
            return value if isinstance(value, str) else ""
    return ""


def _package(spec: ModuleSpec, known: Mapping[str, str]) -> ModuleType:
    package = module_from_spec(spec)
    vars(package).update(known, __getattr__=_filling(package, spec))
    return package


def _filling(package: ModuleType, spec: ModuleSpec) -> Callable[[str], Any]:
    def fill(name: str) -> Any:
        if name.startswith("__") or find_spec(f"{spec.name}.{name}") is not None:
            raise AttributeError(f"module {spec.name!r} has no attribute {name!r}")  # imports go on then
        vars(package).pop("__getattr__", None)
        if spec.loader is not None:
            spec.loader.exec_module(package)
        return getattr(package, name)

    return fill
