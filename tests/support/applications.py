"""Programs whose statistics the adapter's presets read, each on loopback in a folder of its own."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import lack, need

_NGINX = """
daemon off;
pid nginx.pid;
error_log stderr;
{user}
events {{}}
http {{
  log_format timed '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                   '"$http_referer" "$http_user_agent" $request_time';
  access_log access.log {log};
  client_body_temp_path body;
  fastcgi_temp_path fastcgi;
  proxy_temp_path proxy;
  scgi_temp_path scgi;
  uwsgi_temp_path uwsgi;
  server {{
    listen 127.0.0.1:{port};
    location = /stub_status {{ stub_status; access_log off; }}
    location / {{ return 200 "hello"; }}
    location /gone {{ return 410; }}
  }}
}}
"""
_HTTPD = """
ServerName localhost
ServerRoot "{folder}"
PidFile httpd.pid
ErrorLog /dev/stderr
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule status_module {modules}/mod_status.so
{user}
ExtendedStatus On
<Location "/server-status">
  SetHandler server-status
</Location>
"""
_HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen stats
  bind 127.0.0.1:{port}
  stats enable
  stats uri /stats
backend app
  server one 127.0.0.1:{dead} check inter 100ms fall 1
  server two 127.0.0.1:{port}
global
  stats socket {folder}/socket
"""
_ZOOKEEPER = """
tickTime=2000
dataDir={folder}/data
clientPort={port}
clientPortAddress=127.0.0.1
admin.enableServer=false
4lw.commands.whitelist=mntr
"""


def nginx(folder: Path, port: int, log: str = "combined") -> Process:
    """Start nginx with `/stub_status` and an `access.log` in the format *log*, combined or timed."""
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_NGINX.format(port=port, user=user, log=log))
    program = need("nginx", "nginx-light")
    return Process([program, "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"], cwd=folder)


def httpd(folder: Path, port: int) -> Process:
    """Start Apache with `/server-status`."""
    program = need("apache2", "apache2-bin")
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""  # httpd refuses to serve as root
    text = _HTTPD.format(folder=folder, modules="/usr/lib/apache2/modules", user=user, port=port)
    (folder / "httpd.conf").write_text(text)
    return Process([program, "-D", "FOREGROUND", "-f", str(folder / "httpd.conf")], cwd=folder)


def haproxy(folder: Path, port: int) -> Process:
    """Start HAProxy with `/stats;csv`, a `socket`, and a backend of two servers; one is not there."""
    program = need("haproxy", "haproxy")
    (folder / "haproxy.cfg").write_text(_HAPROXY.format(port=port, dead=free_port(), folder=folder))
    return Process([program, "-db", "-f", str(folder / "haproxy.cfg")], cwd=folder)


def memcached(port: int) -> Process:
    """Start memcached."""
    user = ["-u", "root"] if os.geteuid() == 0 else []
    return Process([need("memcached", "memcached"), "-l", "127.0.0.1", "-p", str(port), "-U", "0", *user])


def zookeeper(folder: Path, port: int) -> Process:
    """Start a ZooKeeper that stands alone and answers `mntr`."""
    java, jar = need("java", "default-jre-headless"), Path("/usr/share/java/zookeeper.jar")
    if not jar.exists():
        lack(f"{jar} is not there: it comes with the package libzookeeper-java")
    (folder / "zoo.cfg").write_text(_ZOOKEEPER.format(folder=folder, port=port))
    main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
    options = ["-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dzookeeper.jmx.log4j.disable=true"]
    return Process([java, *options, "-cp", str(jar), main, str(folder / "zoo.cfg")], cwd=folder)
