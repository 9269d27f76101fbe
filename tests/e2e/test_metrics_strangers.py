"""The web port beside strangers: idle connections, hanging targets, clients that go away."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.e2e.adapters import Adapter
from tests.e2e.test_metrics_access import Encrypted, context
from tests.support.certificates import Authority
from tests.support.memory import peak
from tests.support.moving import descriptors
from tests.support.waiting import until
from tests.support.web_server import Reply, WebServer

MODULES = "modules: {default: {metrics: [{name: ok, path: '{.n}'}]}}\n"
SAID = {"nothing": b"", "half a head": b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Long: ", "one": b"G"}
_MOST = 512
_SERIES = 20_000


@contextmanager
def strangers(port: int, number: int, said: bytes = b"") -> Iterator[list[socket.socket]]:
    """Have connections that say *said* and then nothing."""
    with ExitStack() as stack:
        lines = []
        for _ in range(number):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", port), 30))
            line.sendall(said)
            lines.append(line)
        yield lines


def connections(pid: int) -> int:
    """Return how many sockets the process has open."""
    return sum(name.startswith("socket:") for name in descriptors(pid))


@pytest.mark.parametrize("said", SAID)
def test_idle_connections_keep_nobody_out_and_are_limited(said: str) -> None:
    with Adapter() as adapter, strangers(adapter.web, _MOST + 200, SAID[said]):
        assert adapter.get("/metrics").status == 200
        assert adapter.get("/-/healthy").status == 200
        until(lambda: connections(adapter.pid) <= _MOST + 20, what="the oldest to go")


def test_a_kept_connection_is_used_again_beside_idle_ones() -> None:
    with Adapter() as adapter:
        mine = http.client.HTTPConnection("127.0.0.1", adapter.web, timeout=30)
        with strangers(adapter.web, 100):
            for _ in range(2):
                mine.request("GET", "/livez")
                assert mine.getresponse().read() == b"ok\n"
        mine.close()


def test_connections_that_never_begin_tls_keep_nobody_out_either(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("server")
    file = tmp_path / "web.yaml"
    file.write_text("tls_server_config: {cert_file: authority-server.pem, key_file: authority-server.key}\n")
    with Encrypted(f"--web.config.file={file}") as adapter, strangers(adapter.web, _MOST + 200):
        until(lambda: connections(adapter.pid) <= _MOST + 20, what="the oldest to go")
        assert adapter.ask(context(authority))[0] == 200
        with pytest.raises((OSError, http.client.HTTPException)):
            adapter.get("/livez")
        with socket.create_connection(("127.0.0.1", adapter.web)) as line:
            secure = context(authority)
            secure.check_hostname = False
            with secure.wrap_socket(line) as wrapped:  # the request in one piece with the end of the greeting
                wrapped.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
                assert wrapped.recv(9) == b"HTTP/1.0 "


class Hanging:
    """A target that takes connections and says nothing, or a part of an answer."""

    def __init__(self, said: bytes = b"") -> None:
        self._said = said
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self._socket.getsockname()[1]
        self.here: set[socket.socket] = set()
        self.come = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            self.come += 1
            self.here.add(line)
            threading.Thread(target=self._hold, args=(line,), daemon=True).start()

    def _hold(self, line: socket.socket) -> None:
        with line:
            line.sendall(self._said)
            while line.recv(1 << 16):
                pass
        self.here.discard(line)

    def __enter__(self) -> Hanging:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for line in list(self.here):
            line.shutdown(socket.SHUT_RDWR)


HANGING = {"nothing": b"", "a part": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{"}


@pytest.mark.parametrize("said", HANGING)
def test_a_hanging_target_holds_no_other_up_and_probes_end_with_their_client(
    tmp_path: Path, said: str
) -> None:
    file = tmp_path / "modules.yaml"
    file.write_text(MODULES)
    with (
        WebServer(lambda _: Reply(body=b'{"n": 3}')) as good,
        Hanging(HANGING[said]) as hanging,
        Adapter(f"--config.file={file}") as adapter,
    ):
        request = f"GET /probe?target=http://127.0.0.1:{hanging.port}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        with strangers(adapter.web, 40, request):
            until(lambda: hanging.come >= 16, what="the target to be asked")
            assert adapter.get(f"/probe?target={good.url}/").text.endswith("ok 3\n")
            assert hanging.come == 16, "of one target so many at once"
            assert adapter.get("/metrics").status == 200
        until(lambda: not hanging.here, what="all questions to end")
        adapter.wait_for({'podmates_probes_total{module="default",outcome="abandoned"}': 40})


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_scrapers_that_do_not_read_cost_little_and_keep_nobody_out(coding: str) -> None:
    request = f"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {coding}\r\n\r\n".encode()
    with Adapter() as adapter:
        with socket.create_connection(("127.0.0.1", adapter.lines)) as line:
            line.sendall(
                b"".join(b"a_long_name_of_a_counter_%d:1|c|#key:%d\n" % (n, n) for n in range(_SERIES))
            )
        adapter.wait_for({"statsd_exporter_lines_total": _SERIES})
        before = peak(adapter.pid)
        with strangers(adapter.web, 200, request):
            assert adapter.get("/metrics").status == 200
            assert peak(adapter.pid) < before + (40 << 20)
