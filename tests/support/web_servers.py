"""Web servers of others, each with the configuration that images/gitsync/recipes has for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import need
from tests.support.waiting import until
from tests.support.web import get

RECIPES = Path(__file__).parents[2] / "images" / "gitsync" / "recipes"
_NGINX = """
daemon off;
pid nginx.pid;
error_log stderr;
{user}
events {{}}
http {{
  access_log off;
  types {{ text/html html; }}
  client_body_temp_path body;
  fastcgi_temp_path fastcgi;
  proxy_temp_path proxy;
  scgi_temp_path scgi;
  uwsgi_temp_path uwsgi;
  include site.conf;
}}
"""
_HTTPD = """
ServerName localhost
ServerRoot "{folder}"
PidFile httpd.pid
ErrorLog /dev/stderr
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule mime_module {modules}/mod_mime.so
TypesConfig /dev/null
{user}
Include site.conf
"""
_WEB_XML = """<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
  <servlet>
    <servlet-name>default</servlet-name>
    <servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class>
    <load-on-startup>1</load-on-startup>
  </servlet>
  <servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
  <welcome-file-list><welcome-file>index.html</welcome-file></welcome-file-list>
</web-app>
"""


class WebServer(Process):
    """A server with its recipe, in a folder of its own; as a context manager it ends with the test.

    Attributes:
        url: without a slash at the end.
    """

    def __init__(self, argv: list[str], folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(argv, cwd=folder)

    def wait_up(self) -> None:
        """Return once it answers, whatever it says."""

        def answers() -> bool:
            assert self.returncode is None, self.output
            return get(f"{self.url}/").status > 0

        until(answers, 60, "the server to answer", ignoring=(OSError,))


def recipe(name: str, root: Path, port: int) -> str:
    """Return a recipe with the places of a test in it."""
    text = (RECIPES / name).read_text()
    assert "/srv/git" in text
    assert "8080" in text
    return text.replace("/srv/git", str(root)).replace("8080", str(port))


def nginx(folder: Path, root: Path) -> WebServer:
    port, program = free_port(), need("nginx", "nginx-light")
    folder.mkdir()
    (folder / "site.conf").write_text(
        recipe("nginx.conf", root, port).replace("listen ", "listen 127.0.0.1:")
    )
    (folder / "nginx.conf").write_text(_NGINX.format(user="user root;" if os.geteuid() == 0 else ""))
    return WebServer([program, "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"], folder, port)


def httpd(folder: Path, root: Path) -> WebServer:
    port, program = free_port(), need("apache2", "apache2-bin")
    folder.mkdir()
    (folder / "site.conf").write_text(
        recipe("httpd.conf", root, port).replace("Listen ", "Listen 127.0.0.1:")
    )
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""  # httpd refuses to serve as root
    text = _HTTPD.format(folder=folder, modules="/usr/lib/apache2/modules", user=user)
    (folder / "httpd.conf").write_text(text)
    return WebServer([program, "-D", "FOREGROUND", "-f", str(folder / "httpd.conf")], folder, port)


def python(folder: Path, root: Path) -> WebServer:
    port = free_port()
    folder.mkdir()
    argv = [sys.executable, str(RECIPES / "server.py"), str(root / "current"), str(port)]
    return WebServer(argv, folder, port)


def tomcat(folder: Path) -> WebServer:
    """Start Tomcat on ``folder/webapps``."""
    port, java = free_port(), need("java", "default-jre-headless")
    home = Path("/usr/share/tomcat10")
    need(str(home / "bin" / "catalina.sh"), "tomcat10-common")
    for name in ("conf", "webapps", "temp", "logs", "work"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "conf" / "server.xml").write_text((RECIPES / "tomcat-server.xml").read_text())
    (folder / "conf" / "web.xml").write_text(_WEB_XML)
    options = {"catalina.home": home, "catalina.base": folder, "java.io.tmpdir": folder / "temp"}
    options |= {"http.port": port, "http.address": "127.0.0.1"}  # type: ignore[dict-item]
    path = os.pathsep.join(str(home / "bin" / name) for name in ("bootstrap.jar", "tomcat-juli.jar"))
    given = [f"-D{name}={value}" for name, value in options.items()]
    argv = [java, "-XX:TieredStopAtLevel=1", *given, "-classpath", path]
    return WebServer([*argv, "org.apache.catalina.startup.Bootstrap", "start"], folder, port)
