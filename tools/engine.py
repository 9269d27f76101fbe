"""A container engine of this repository's own, on a machine that runs none: ``python -m tools.engine``.

``start`` runs Debian's dockerd by hand and prints ``DOCKER_HOST=…`` for the shell, ``stop`` ends that
daemon and no other, ``purge`` also removes its images. It installs nothing: dockerd comes with the package
docker.io. Socket, data, exec root and pid file lie in one folder outside the repository, so neither a
system daemon nor another clone is disturbed. Needs root; knows no default bridge: builds use the host's
network, tests make networks of their own.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(os.environ.get("PODMATES_ENGINE_DIR", "/var/tmp/podmates-engine"))
SOCKET, PID, LOG = FOLDER / "docker.sock", FOLDER / "pid", FOLDER / "log"
START_SECONDS = 90.0
STOP_SECONDS = 60.0
CACHE_KEPT = "72h"
POOL = "base=10.213.0.0/16,size=24"  # what test networks get; seldom used elsewhere


def address() -> str:
    """Return what DOCKER_HOST has to be for our daemon, whether it runs or not."""
    return f"unix://{SOCKET}"


def answers(host: str | None = None) -> bool:
    """Say whether an engine answers at *host*, by default wherever DOCKER_HOST or the system points."""
    environ = {**os.environ, **({"DOCKER_HOST": host} if host else {})}
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        return subprocess.run(command, env=environ, capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def find() -> bool:
    """Say whether an engine answers; if it is ours that does and no other, point this process at it."""
    if not os.environ.get("DOCKER_HOST") and _running() and not answers():
        os.environ["DOCKER_HOST"] = address()
    return answers()


def start() -> None:
    """Start the daemon, or find it running; return when it answers.

    Raises:
        SystemExit: it did not come up; the end of its log is in the message.
    """
    if _running() and answers(address()):
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in (PID, FOLDER / "exec" / "containerd" / "containerd.pid"):  # left by a daemon that was killed
        if not _running(file):
            file.unlink(missing_ok=True)
    with LOG.open("wb") as log:
        daemon = subprocess.Popen(
            [_dockerd(), *_flags()], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    deadline = time.monotonic() + START_SECONDS
    while not answers(address()):
        if daemon.poll() is not None or time.monotonic() > deadline:
            daemon.terminate()
            tail = LOG.read_text(errors="replace").splitlines()[-15:]
            raise SystemExit("the engine did not start:\n" + "\n".join(tail))
        with contextlib.suppress(subprocess.TimeoutExpired):
            daemon.wait(0.2)
    # Layers that no image has any more are the cache of builds; old ones would fill the disk.
    prune = ["docker", "--host", address(), "image", "prune", "--force", f"--filter=until={CACHE_KEPT}"]
    subprocess.run(prune, stdout=subprocess.DEVNULL, check=False)


def stop() -> None:
    """End our daemon and its containers; nothing happens where it does not run."""
    pid = _running()
    if not pid:
        return
    with os.fdopen(os.pidfd_open(pid)) as process:  # readable once the process has ended
        os.kill(pid, signal.SIGTERM)
        ended, _, _ = select.select([process], [], [], STOP_SECONDS)
    if not ended:
        raise SystemExit(f"the engine (pid {pid}) did not stop within {STOP_SECONDS:.0f} s")


def purge() -> None:
    """Stop the daemon and remove its folder with all images."""
    stop()
    shutil.rmtree(FOLDER, ignore_errors=True)


def _flags() -> list[str]:
    return [
        f"--host={address()}",
        f"--data-root={FOLDER / 'data'}",
        f"--exec-root={FOLDER / 'exec'}",
        f"--pidfile={PID}",
        "--bridge=none",  # docker0 would be shared with a system daemon
        f"--default-address-pool={POOL}",
    ]


def _dockerd() -> str:
    found = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise SystemExit("dockerd is not installed: install the package docker.io")
    return found


def _running(file: Path = PID) -> int:
    """Return the pid in *file*, 0 if none or if it now belongs to a program that is not of our folder."""
    try:
        pid = int(file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return 0
    return pid if str(FOLDER).encode() in command else 0


VERBS = {"start": start, "stop": stop, "purge": purge}


def main() -> int:
    verb = sys.argv[1] if len(sys.argv) == 2 else ""
    if verb not in VERBS:
        print(f"usage: python -m tools.engine {'|'.join(VERBS)}", file=sys.stderr)
        return 2
    VERBS[verb]()
    if verb == "start":
        print(f"DOCKER_HOST={address()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
