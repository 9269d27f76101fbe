"""Git over HTTP as hosting services run it: nginx before git's own ``git http-backend``, by FastCGI."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.ports import free_port
from tests.support.processes import Process, run
from tests.support.programs import need
from tests.support.waiting import until
from tests.support.web import get

_WORKERS = 4  # of fcgiwrap: as many requests at once
# Relative paths are below nginx's prefix. What the backend may read of git's configuration comes along as
# parameters, because fcgiwrap hands it no other environment.
_CONFIG = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr notice;
{user}
events {{ worker_connections 256; }}
http {{
  log_format request '$status $request_method $request_uri';
  access_log access.log request;
  client_body_temp_path body;
  fastcgi_temp_path fastcgi;
  proxy_temp_path proxy;
  scgi_temp_path scgi;
  uwsgi_temp_path uwsgi;
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port};
    {authentication}
    location = /alive {{ auth_basic off; return 204; }}
    location / {{
      fastcgi_pass unix:{folder}/fcgi;
      fastcgi_buffering off;
      fastcgi_param SCRIPT_FILENAME {backend};
      fastcgi_param PATH_INFO $uri;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_USER $remote_user;
      fastcgi_param REMOTE_ADDR $remote_addr;
      fastcgi_param GIT_PROJECT_ROOT "{root}";
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_param GIT_CONFIG_NOSYSTEM 1;
      fastcgi_param GIT_CONFIG_GLOBAL /dev/null;
      fastcgi_param GIT_CONFIG_COUNT 2;
      fastcgi_param GIT_CONFIG_KEY_0 safe.directory;
      fastcgi_param GIT_CONFIG_VALUE_0 *;
      fastcgi_param GIT_CONFIG_KEY_1 http.receivepack;
      fastcgi_param GIT_CONFIG_VALUE_1 true;
    }}
  }}
}}
"""


class NginxGit:
    """Serves every repository below *root*, to fetch from and to push to; use it as a context manager.

    Args:
        root: the directory of the repositories.
        credentials: (user, password) that every request must bring; None lets everybody in.

    Attributes:
        url: of *root*, without a slash at the end; the repository ``bare.git`` is ``f"{url}/bare.git"``.
    """

    def __init__(self, root: Path, credentials: tuple[str, str] | None = None) -> None:
        nginx, wrapper = need("nginx", "nginx-light"), need("fcgiwrap", "fcgiwrap")
        # Not below the test's folder: the address of a socket has room for a hundred bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="podmates-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (self.folder / "nginx.conf").write_text(self._config(root, credentials))
        self._wrapper = Process([wrapper, "-c", str(_WORKERS), "-s", f"unix:{self.folder}/fcgi"])
        command = [nginx, "-p", f"{self.folder}/", "-c", "nginx.conf", "-e", "stderr"]
        self._nginx = Process(command)
        try:
            until(self._serves, 30, "nginx to answer", ignoring=(OSError,))
        except BaseException:
            self.close()
            raise

    def _config(self, root: Path, credentials: tuple[str, str] | None) -> str:
        authentication = ""
        if credentials:
            (self.folder / "users").write_text("{}:{{PLAIN}}{}\n".format(*credentials))
            authentication = f'auth_basic git; auth_basic_user_file "{self.folder}/users";'
        return _CONFIG.format(
            root=root,
            folder=self.folder,
            port=self.port,
            authentication=authentication,
            backend=Path(run(["git", "--exec-path"]).stdout.strip()) / "git-http-backend",
            user="user root;" if os.geteuid() == 0 else "",
        )

    def _serves(self) -> bool:
        assert self._nginx.returncode is None, self._nginx.output
        assert self._wrapper.returncode is None, self._wrapper.output
        return (self.folder / "fcgi").is_socket() and get(f"{self.url}/alive").status == 204

    @property
    def requests(self) -> list[str]:
        """Return "status METHOD path" of each request so far that asked for git."""
        lines = (self.folder / "access.log").read_text().splitlines()
        return [line for line in lines if not line.endswith(" /alive")]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End both servers at once."""
        self._nginx.close()
        self._wrapper.close()
        shutil.rmtree(self.folder, ignore_errors=True)
