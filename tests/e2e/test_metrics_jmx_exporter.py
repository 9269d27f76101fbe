"""In place of jmx_exporter: its command line, its files and its names on the page of the running process."""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.adapters import Adapter
from tests.support.jvm import Jvm
from tests.support.moving import put
from tests.support.ports import free_port
from tests.support.processes import Process, run
from tests.support.programs import script
from tests.support.waiting import until

BEANS = str(Path(__file__).parents[1] / "support" / "jmx_beans.tsv")
RULES = {
    "includeObjectNames": ["awk.dup:*"],
    "rules": [{"pattern": "name=(.*)><>Count", "name": "seen", "labels": {"who": "$1"}}],
}


def test_the_standalone_command_serves_what_the_file_says_and_nothing_else(tmp_path: Path) -> None:
    path, port = tmp_path / "file.yaml", free_port()
    program = tmp_path / "jmx_exporter"
    program.symlink_to(script("podmates-metrics"))
    with Jvm("Constant", arguments=[BEANS]) as jvm:
        path.write_text(json.dumps({"hostPort": jvm.address, **RULES}))
        with Process([str(program), f"127.0.0.1:{port}", str(path)]):
            page = until(lambda: _page(port), 60, "the page", ignoring=(OSError,))
            assert _get(port, "/-/healthy") == "Exporter is healthy."

    assert 'seen{who="three"} -5' in page
    assert "\njmx_scrape_error 0" in page
    assert '\njmx_exporter_build_info{name="podmates-metrics",version=' in page
    assert "\njvm_" not in page and "java_lang" not in page and "statsd" not in page


def test_the_standalone_command_asks_for_the_password_of_its_file(tmp_path: Path) -> None:
    path, port = tmp_path / "file.yaml", free_port()
    login = {"username": "me", "password": "${PAGE_PASSWORD}"}
    server = {"authentication": {"basic": login}, "metrics": {"path": "/custom"}}
    with Jvm("Constant", arguments=[BEANS]) as jvm:
        path.write_text(json.dumps({"hostPort": jvm.address, "httpServer": server, **RULES}))
        argv = [script("podmates-metrics"), "jmx", f"127.0.0.1:{port}", str(path)]
        with Process(argv, env={**os.environ, "PAGE_PASSWORD": "pencil42"}) as process:
            until(lambda: _get(port, "/livez"), 60, "the port", ignoring=(OSError,))
            for user in ("", "me:pencil43", "you:pencil42"):
                with pytest.raises(urllib.error.HTTPError, match="401"):
                    _get(port, "/custom", user)
            assert "seen{" in _get(port, "/custom", "me:pencil42")
            assert "seen{" in _get(port, "/metrics", "me:pencil42")
            with pytest.raises(urllib.error.HTTPError, match="401"):
                _get(port, "/elsewhere")
            for stray in ("/", "/elsewhere", "/a/b", "/probe"):
                assert '<a href="/custom">' in _get(port, stray, "me:pencil42"), stray
            assert "pencil42" not in process.output


def _page(port: int) -> str:
    text = _get(port, "/metrics")
    return text if "seen{" in text else ""


def _get(port: int, path: str, user: str = "") -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    if user:
        request.add_header("Authorization", f"Basic {base64.b64encode(user.encode()).decode()}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def test_a_file_of_the_agent_is_for_the_jvms_of_the_flags(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(json.dumps(RULES))
    flags = f"--config.file={path}", "--jmx.target=shop="
    with Jvm("Constant", arguments=[BEANS]) as jvm, Adapter(flags[0], flags[1] + jvm.address) as adapter:
        page = adapter.wait_for({'seen{who="one"}': 1, 'podmates_source_up{source="shop"}': 1}, 60)
        assert page['jvm_memory_used_bytes{area="heap"}'] > 0
        put(path, json.dumps({**RULES, "rules": [{"pattern": "one", "name": "changed"}]}))
        adapter.wait_for({"jmx_config_reload_success_total": 1}, 60)
        adapter.wait_line("jmx_exporter file loaded")


def test_names_and_passwords_open_a_jvm_that_wants_them(tmp_path: Path) -> None:
    users, rights = tmp_path / "users", tmp_path / "rights"
    users.write_text("reader letMeIn42\n")
    users.chmod(0o600)
    rights.write_text("reader readonly\n")
    properties = {
        "com.sun.management.jmxremote.authenticate": "true",
        "com.sun.management.jmxremote.password.file": str(users),
        "com.sun.management.jmxremote.access.file": str(rights),
    }
    path = tmp_path / "file.yaml"
    with Jvm("Constant", properties=properties, arguments=[BEANS]) as jvm:
        known = {"hostPort": jvm.address, "username": "reader", "password": "${JMX_PASSWORD}", **RULES}
        path.write_text(json.dumps(known))
        with Adapter(f"--config.file={path}", env={**os.environ, "JMX_PASSWORD": "letMeIn42"}) as adapter:
            adapter.wait_for({'seen{who="one"}': 1}, 60)
            assert "letMeIn42" not in adapter.output + adapter.get("/metrics").text
        with Adapter(f"--config.file={path}", env={**os.environ, "JMX_PASSWORD": "wrongOne42"}) as adapter:
            adapter.wait_for({"jmx_scrape_error": 1, f'jmx_up{{target="{jvm.address}"}}': 0}, 60)
            report = until(lambda: _refused(adapter), 60, "the reason")
            assert "wrongOne42" not in adapter.output + report


def _refused(adapter: Adapter) -> str:
    text = adapter.get("/readyz").text
    return text if "SecurityException" in text else ""


@pytest.mark.parametrize(
    ("content", "reason"),
    {
        "hostPort: a:1\nrules:\n- {pattern: '(', name: x}": "line 3: rules[0].pattern: unclosed group",
        "rules: [{pattern: a}]": "hostPort or jmxUrl is missing",
        "hostPort: a:1\nhttpServer: {ssl: {}}": "line 2: httpServer.ssl.keyStore.filename: is missing",
        "hostPort: a:1\nopenTelemetry: {protocol: grpc}": "line 2: openTelemetry.protocol: grpc is not",
    }.items(),
)
def test_a_file_that_is_wrong_ends_the_start_with_1_and_the_reason(
    content: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(content)

    ended = run([script("podmates-metrics"), "jmx", str(free_port()), str(path)])

    assert ended.status == 1
    assert reason in ended.stderr and str(path) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_command_line_that_is_none_ends_the_start_with_1() -> None:
    for argv in ([], ["9404"], ["1", "config.yaml", "x"]):
        ended = run([script("podmates-metrics"), "jmx", *argv])

        assert (ended.status, "want [HOST:]PORT FILE" in ended.stderr) == (1, True)
