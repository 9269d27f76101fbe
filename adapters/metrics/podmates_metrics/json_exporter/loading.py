"""json_exporter's file from the disk."""

from __future__ import annotations

import logging
from typing import NamedTuple

from podmates_common.watching import Watched
from podmates_metrics.changes import Named, listed
from podmates_metrics.json_exporter.core.modules import Module, decode
from podmates_metrics.tree import Fault

log = logging.getLogger(__name__)


class Loaded(NamedTuple):
    """A file that was read. *watched* is the file as it was before that."""

    modules: dict[str, Module]
    named: Named
    watched: Watched


def read(path: str) -> Loaded:
    """Return the modules of a file; what in it has no effect is logged.

    Raises:
        Fault: it cannot be read, or is wrong.
    """
    from podmates_metrics.documents import load  # late: --help needs no YAML

    watched = Watched(path)
    tree = load(path)
    try:
        told = decode(tree)
    except Fault as error:
        raise Fault(f"{path}: {error}") from None
    for note in told.notes:
        log.warning("%s: %s", path, note)
    return Loaded(told.by_name, listed(tree), watched)
