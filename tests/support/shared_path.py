"""The compiled shared path of the Redis ambassador, where it was built."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, cast

import pytest

from podmates_redis.commands.table import Table, builtin
from podmates_redis.engine import rules
from tests.support.programs import lack
from tests.support.twin_play import TwinPlay
from tests.support.twin_threaded import ThreadedTwin

if TYPE_CHECKING:
    from podmates_redis.engine._engine import Engine, Play

# the environments of the forms of the service, which have to be the same to its clients
PURE = {"PODMATES_PURE": "1", "PODMATES_REDIS_SHARED_PATH": "off"}
SHARED = {"PODMATES_REDIS_SHARED_PATH": "on"}
TWIN = {**PURE, **SHARED}  # without the compiler
SHARING = [pytest.param(SHARED, id="shared"), pytest.param(TWIN, id="twin")]
FORMS = [*SHARING, pytest.param(PURE, id="pure")]
EITHER = [FORMS[0], FORMS[-1]]  # for what would take too long in all
_BUILTIN = rules.rows(builtin())
LOST = b"-ERR lost, may have run\r\n"


def compiled() -> Any:
    """Return the module; without it skip the test, or fail it where everything is required."""
    try:
        return importlib.import_module("podmates_redis.engine._engine")
    except ImportError:
        lack("the engine was not built: that takes a C compiler, from the packages gcc and libc6-dev")


class Form:
    """Which of the two is tested at the moment."""

    twin = False


def play(table: Table | None = None, **options: Any) -> Play:
    """Return a core without sockets that knows the built-in commands."""
    found: Any = (TwinPlay if Form.twin else compiled().Play)(lost_text=LOST, **options)
    found.learn(rules.rows(table) if table else _BUILTIN)
    return cast("Play", found)


def engine(table: Table | None = None, **options: Any) -> Engine:
    """Return a loop, not running yet, that knows the built-in commands."""
    made = ThreadedTwin if Form.twin else compiled().Engine
    found: Any = made(lost_text=LOST, full_text=b"-ERR full\r\n", **options)
    found.learn(rules.rows(table) if table else _BUILTIN)
    return cast("Engine", found)
