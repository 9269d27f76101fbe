"""Which data path runs: the compiled engine, or its twin where it was not built, if it fits."""

from __future__ import annotations

import functools
import importlib
import random
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from podmates_redis import faults
from podmates_redis.wire import texts

if TYPE_CHECKING:
    from podmates_redis.engine._engine import Engine
    from podmates_redis.session.tally import Tally
    from podmates_redis.settings import Settings

_OUTPUT = 64 << 20  # bytes of replies that a client may leave unread while others wait behind it
COMPILED, PURE = "compiled", "asyncio"


def available(*, pure: bool) -> bool:
    """Tell whether the engine was built, and is not left out by *pure*."""
    if pure:
        return False
    try:
        importlib.import_module("podmates_redis.engine._engine")
    except ImportError:
        return False
    return True


def name(*, pure: bool) -> str:
    """Return how ``--version`` calls the data path."""
    return COMPILED if available(pure=pure) else PURE


def fits(settings: Settings) -> bool:
    """Tell whether the engine can do what *settings* ask for; what it cannot is done by Python alone."""
    plain_reads = settings.read_from in ("replica_preferred", "master") and settings.balance == "least"
    alike = settings.rewrite_ro == "off" and settings.shared_path == "on"
    no_limits = not settings.fallback_max_rps and settings.fallback == "master" and not settings.max_age
    no_clock = not settings.client_idle_timeout
    unlocked = settings.auth == "fixed" and not settings.zone
    return plain_reads and alike and no_limits and no_clock and unlocked


def manner(settings: Settings) -> dict[str, Any]:
    """Return what the settings say of single commands, as `Box.behave` takes it."""
    return {
        "close_unknown": settings.on_unknown == "close",
        "patience": settings.op_timeout,
        "grace": settings.switch_grace,
        "failover_wait": settings.failover_wait,
        "retries": settings.retries,
        "slow": settings.slowlog_slower_than,
    }


def engine(settings: Settings, memory: int, *, pure: bool) -> Engine:
    """Return the engine, not running yet, for clients that may take so many bytes of *memory* together.

    *pure*: its twin, whatever was built.
    """
    options = {
        "lost_text": texts.LOST,
        "late_text": texts.TIMED_OUT,
        "memory_limit": memory,
        "output_limit": min(_OUTPUT, memory // 4),
        **manner(settings),
    }
    if not available(pure=pure):  # imported where it is used, since it has much to prepare
        return cast("Engine", importlib.import_module("podmates_redis.twin.engine").Engine(**options))
    module = importlib.import_module("podmates_redis.engine._engine")
    return cast(
        "Engine", module.Engine(**options, full_text=texts.TOO_MANY_CLIENTS, seed=random.getrandbits(63))
    )


def heed_faults(engine: Engine, tally: Tally) -> None:
    """Have *engine* count errors of ours, if it can notice any: the compiled one raises none."""
    if hasattr(engine, "note"):
        engine.note = functools.partial(faults.note, tally)


def apart(engine: Engine) -> bool:
    """Tell whether *engine* serves in a thread of its own; its twin does so in the event loop."""
    return not hasattr(engine, "start")


def start(engine: Engine) -> Callable[[], None]:
    """Let *engine* serve, in a thread of its own if it can; return what stops it."""
    if hasattr(engine, "start"):
        engine.start()
        return engine.stop
    thread = threading.Thread(target=engine.run, name="shared-path", daemon=True)
    thread.start()

    def stop() -> None:
        engine.stop()
        thread.join()

    return stop
