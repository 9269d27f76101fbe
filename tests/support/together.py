"""Several things at the same time, of which one may fail."""

from __future__ import annotations

import threading
from collections.abc import Callable


def together(*work: Callable[[], None], timeout: float = 60) -> None:
    """Run *work* at the same time; the first failure of any of it fails the test."""
    faults: list[BaseException] = []

    def guarded(part: Callable[[], None]) -> None:
        try:
            part()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=guarded, args=(part,), daemon=True) for part in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
    if faults:
        raise faults[0]
    assert not any(thread.is_alive() for thread in threads), f"not done within {timeout} s"
