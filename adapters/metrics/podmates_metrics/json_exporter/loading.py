"""json_exporter's file from the disk."""

from __future__ import annotations

import logging

from podmates_metrics.json_exporter.core.modules import Modules, decode
from podmates_metrics.tree import Fault

log = logging.getLogger(__name__)


def read(path: str) -> Modules:
    """Return the modules of a file; what in it has no effect is logged.

    Raises:
        Fault: it cannot be read, or is wrong.
    """
    from podmates_metrics.documents import load  # late: --help needs no YAML

    tree = load(path)
    try:
        modules = decode(tree)
    except Fault as error:
        raise Fault(f"{path}: {error}") from None
    for note in modules.notes:
        log.warning("%s: %s", path, note)
    return modules
