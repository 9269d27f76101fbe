"""Probes as a node asks them, but patiently: a loaded test machine is no reason to say no."""

from __future__ import annotations

import socket

from tests.support.engine import Container, fetch
from tests.support.pod_spec import Object
from tests.support.waiting import until

PATIENCE = 60.0  # seconds for a probe that a loaded machine may need beyond the spec's own limit


def asked(probe: Object, container: Object, running: Container, address: str) -> bool:
    """Ask once; a container without a probe says yes."""
    limit = float(probe.get("timeoutSeconds", 1)) + 5  # seconds
    match probe:
        case {"httpGet": {"port": port, **rest}}:
            url = f"http://{address}:{_port(container, port)}{rest.get('path', '/')}"
            return 200 <= fetch(url, limit).status < 400
        case {"tcpSocket": {"port": port}}:
            try:
                socket.create_connection((address, _port(container, port)), limit).close()
            except OSError:
                return False
            return True
        case {"exec": {"command": command}}:
            return running.execute(*command).status == 0
    return True


def wait(kind: str, container: Object, running: Container, address: str) -> None:
    """Wait until the probe *kind* (``startupProbe`` …) of *container* says yes, if it has one.

    Raises:
        AssertionError: the container ended, or the time is up; with its log.
    """
    probe = container.get(kind, {})
    attempts = probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)

    def yes() -> bool:
        assert running.running, f"{container['name']} ended: {running.logs[-3000:]}"
        return asked(probe, container, running, address)

    try:
        until(yes, max(attempts, PATIENCE), f"the {kind} of {container['name']}")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{running.logs[-3000:]}") from None


def _port(container: Object, port: int | str) -> int:
    if isinstance(port, int):
        return port
    return next(int(row["containerPort"]) for row in container["ports"] if row.get("name") == port)
