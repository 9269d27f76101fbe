"""Packages of others without what a service does not use of them.

``import aiohttp.web`` first runs the ``__init__`` of aiohttp, and with it a client that reads every CA
certificate of the system: 4 MB, which each pod pays for. Here a package is there without its ``__init__``,
which runs when somebody asks for one of the names that it defines.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
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
    vars(package).update(known, __getattr__=_Filling(package, spec))
    return package


class _Filling:
    """Runs the ``__init__`` of *package* for the first who asks for a name of its own; others wait."""

    def __init__(self, package: ModuleType, spec: ModuleSpec) -> None:
        self._package, self._spec = package, spec
        self._lock = threading.RLock()  # what is run asks for names as well
        self._running = False

    def __call__(self, name: str) -> Any:
        if not name.startswith("__") and find_spec(f"{self._spec.name}.{name}") is None:
            with self._lock:
                self._fill()
            if name in vars(self._package):
                return vars(self._package)[name]
            if (own := vars(self._package).get("__getattr__")) not in (None, self):
                return own(name)
        # Imports go on then.
        raise AttributeError(f"module {self._spec.name!r} has no attribute {name!r}")

    def _fill(self) -> None:
        there = vars(self._package)
        if self._running or self._spec.loader is None or there.get("__getattr__") is not self:
            return
        self._running = True
        try:
            self._spec.loader.exec_module(self._package)
        finally:
            self._running = False
        if there.get("__getattr__") is self:
            del there["__getattr__"]
