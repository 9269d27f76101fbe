"""``podmates-redis``: the verbs of the family, and the service."""

from __future__ import annotations

import sys


def main() -> int:
    """Do what the command line asks for and return the exit status."""
    from podmates_common.init import init_when_first

    init_when_first()
    return _dispatch()


def _dispatch() -> int:
    import os
    from collections.abc import Sequence

    from podmates_common.settings import Loaded, load, options
    from podmates_common.verbs import Service, dispatch
    from podmates_common.version import VERSION
    from podmates_redis.checks import checked
    from podmates_redis.settings import PREFIX, Settings

    def loaded(argv: Sequence[str]) -> Loaded[Settings]:
        found = load(Settings, PREFIX, argv, os.environ)
        if sys.argv[1:2] != ["probe"]:  # which needs to know no more than where to ask
            checked(found.settings)
        return found

    def run(found: Loaded[Settings]) -> int:
        from podmates_redis.app import serve

        return serve(found.settings)

    service = Service(
        program="podmates-redis",
        summary="One plain Redis on localhost; behind it a master, and replicas that take the reads.",
        load=loaded,
        rows=options(Settings, PREFIX),
        http=lambda settings: settings.admin_listen,
        version=lambda: f"podmates-redis {VERSION} engine=asyncio",
        run=run,
    )
    return dispatch(service, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
