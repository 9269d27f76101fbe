"""A web server of Python's own that follows the link: ``server.py LINK PORT``.

gitsync --root=/srv/git --link=current --keep=1, and then server.py /srv/git/current 8080.

The link is resolved once for each request, and all of the request is served from the tree that it named.
"""

from __future__ import annotations

import functools
import os
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Handler(SimpleHTTPRequestHandler):
    """Serves the tree that *link* names when the request comes."""

    def __init__(self, *arguments: object, link: str) -> None:
        super().__init__(*arguments, directory=link)  # type: ignore[arg-type]

    def translate_path(self, path: str) -> str:
        self.directory = os.path.realpath(self.directory)
        return super().translate_path(path)

    def send_head(self) -> object:  # type: ignore[override]
        if "/.git" in self.path:
            self.send_error(403)
            return None
        return super().send_head()


if __name__ == "__main__":
    link, port = sys.argv[1], int(sys.argv[2])
    handler = functools.partial(Handler, link=link)
    ThreadingHTTPServer(("127.0.0.1", port), handler).serve_forever()
