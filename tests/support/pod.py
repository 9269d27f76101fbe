"""Runs a Pod spec on a container engine the way a node does.

One network namespace, held by a container that only sleeps and that also holds the volumes. Init
containers go first and in order; a native sidecar's startup probe gates what follows. Probes are asked by
the runner, from outside. At the end the containers get SIGTERM together, then the sidecars in reverse.
Nothing is ever restarted: a test wants to see what ends.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.engine import Container, Ended, Network, attempt, built, docker
from tests.support.pod_probes import asked, wait
from tests.support.pod_spec import Object, Spec, environment, load, security_flags
from tests.support.pod_volumes import archive, make, mount
from tests.support.waiting import pause


class Pod:
    """A pod that runs; use it as a context manager.

    Args:
        path: a YAML file with a Pod or Deployment and the ConfigMaps and Secrets that it names.
        network: where it is found under its own name.
        replace: texts to put in place of others in the file, such as addresses and foreign images.
    """

    def __init__(self, path: Path, network: Network, replace: Mapping[str, str] | None = None) -> None:
        text = path.read_text()
        for old, new in (replace or {}).items():
            text = text.replace(old, new)
        self.spec: Spec = load(text)
        self.containers: dict[str, Container] = {}  # in the order of their start
        try:
            self._volumes = make(self.spec, f"{self.spec.name}-{secrets.token_hex(4)}")
            self._holder = self._hold(network)
            self.address = self._holder.address
            self._fill_volumes()
            self._start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove what is left, in whatever state it is."""
        for container in self.containers.values():
            container.remove()
        if hasattr(self, "_holder"):
            self._holder.remove()
        for volume in getattr(self, "_volumes", {}).values():
            attempt("volume", "rm", "--force", volume)

    def wait_ready(self) -> None:
        """Wait until every readiness probe says yes; containers without one are ready when they run."""
        for container in [*self._native(), *self.spec.pod["containers"]]:
            wait("readinessProbe", container, self.containers[container["name"]], self.address)

    def dead(self) -> list[str]:
        """Return the names of the containers that have ended or whose liveness probe says no."""
        dead = []
        for container in [*self._native(), *self.spec.pod["containers"]]:
            running = self.containers[container["name"]]
            probe = container.get("livenessProbe", {})
            if not (running.running and asked(probe, container, running, self.address)):
                dead.append(container["name"])
        return dead

    def stop(self) -> dict[str, Ended]:
        """End the pod as a node does and return how each container ended."""
        grace = float(self.spec.pod.get("terminationGracePeriodSeconds", 30))
        main = [container["name"] for container in self.spec.pod["containers"]]
        for container in self.spec.pod["containers"]:
            sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
            pause(float(sleep.get("seconds", 0)))
        with ThreadPoolExecutor(len(main)) as together:
            stops = {name: together.submit(self.containers[name].stop, timeout=grace) for name in main}
            ended = {name: stop.result() for name, stop in stops.items()}
        for sidecar in reversed(self._native()):
            ended[sidecar["name"]] = self.containers[sidecar["name"]].stop(timeout=grace)
        return ended

    def _native(self) -> list[Object]:
        return [c for c in self.spec.sidecars if c.get("restartPolicy") == "Always"]

    def _hold(self, network: Network) -> Container:
        mounts = [mount(source, f"/volumes/{name}") for name, source in self._volumes.items()]
        return Container(
            built("gitsync"),
            f"--network={network.name}",
            f"--network-alias={self.spec.name}",
            f"--hostname={self.spec.name}",
            "--entrypoint=sleep",
            *mounts,
            command=["infinity"],
        )

    def _fill_volumes(self) -> None:
        unpack = ("tar", "-x", "-p", "--same-owner", "-C", "/volumes")
        done = self._holder.execute(*unpack, flags=["--user=0:0"], stdin=archive(self.spec))
        assert done.status == 0, done.output

    def _start(self) -> None:
        for container in self.spec.sidecars:
            started = self._run(container)
            if container.get("restartPolicy") != "Always":
                status = docker("wait", started.id, timeout=300)
                assert status == "0", f"{container['name']} ended with {status}: {started.logs[-3000:]}"
            else:
                wait("startupProbe", container, started, self.address)
        for container in self.spec.pod["containers"]:
            self._run(container)
        for container in self.spec.pod["containers"]:
            wait("startupProbe", container, self.containers[container["name"]], self.address)

    def _run(self, container: Object) -> Container:
        fields = {
            "metadata.name": self.spec.name,
            "metadata.namespace": "default",
            "status.podIP": self.address,
            "spec.nodeName": "node",
        }
        flags = [f"--network=container:{self._holder.id}", *security_flags(container, self.spec)]
        for row in container.get("volumeMounts", []):
            source = self._volumes[row["name"]]
            flags.append(mount(source, row["mountPath"], read_only=row.get("readOnly", False)))
        if "workingDir" in container:
            flags.append(f"--workdir={container['workingDir']}")
        entry = container.get("command", [])
        if entry:
            flags.append(f"--entrypoint={entry[0]}")
        command = [*entry[1:], *container.get("args", [])]
        self._refuse_root(container)
        running = Container(
            container["image"], *flags, command=command, env=environment(container, self.spec, fields)
        )
        self.containers[container["name"]] = running
        return running

    def _refuse_root(self, container: Object) -> None:
        """Do as a node does with ``runAsNonRoot``: only a number other than 0 proves it."""
        context = {**self.spec.security, **container.get("securityContext", {})}
        if not context.get("runAsNonRoot"):
            return
        user = str(context.get("runAsUser", "")) or docker(
            "image", "inspect", "--format={{.Config.User}}", container["image"]
        )
        number = user.split(":")[0]
        assert number.isdigit() and number != "0", f"{container['name']} would run as {user!r}"
