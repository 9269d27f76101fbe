"""``podmates-redis``: the verbs of the family, and the service."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Do what the command line asks for and return the exit status."""
    from podmates_common.init import init_when_first
    from podmates_common.lean import lean
    from podmates_common.output import written

    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it asks for a reload: one that comes too soon is no end
    init_when_first()
    lean()
    return written(_dispatch)


def _dispatch() -> int:
    import os
    from collections.abc import Sequence

    from podmates_common.settings import Loaded, load, options
    from podmates_common.verbs import Service, dispatch
    from podmates_common.version import VERSION
    from podmates_redis.checks import checked
    from podmates_redis.engine.choice import name
    from podmates_redis.settings import PREFIX, Settings

    pure = os.environ.get("PODMATES_PURE") == "1"

    def loaded(argv: Sequence[str]) -> Loaded[Settings]:
        found = load(Settings, PREFIX, argv, os.environ)
        if sys.argv[1:2] != ["probe"]:  # which needs to know no more than where to ask
            checked(found.settings)
        return found

    def run(found: Loaded[Settings]) -> int:
        from podmates_redis.app import serve

        return serve(found, lambda: loaded(rest), pure=pure)

    rest = sys.argv[2:] if sys.argv[1:2] == ["run"] else sys.argv[1:]
    service = Service(
        program="podmates-redis",
        summary="One plain Redis on localhost; behind it a master, and replicas that take the reads.",
        load=loaded,
        rows=options(Settings, PREFIX),
        http=lambda settings: settings.admin_listen,
        version=lambda: f"podmates-redis {VERSION} engine={name(pure=pure)}",
        run=run,
    )
    return dispatch(service, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
