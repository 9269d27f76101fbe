"""What the probes answer. State only; the HTTP server that serves it is `admin`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["live", "started", "ready"]


@dataclass(slots=True)
class Component:
    """One thing that must keep reporting: the sync loop, the connection to the master."""

    name: str
    within: float  # seconds; silence longer than this is a failure
    critical: bool  # False: shown in the report, but does not make the service unready
    reported: float = float("-inf")
    problem: str = "has not reported yet"
    succeeded: bool = False


@dataclass(slots=True)
class Health:
    """Live, started and ready, from the reports of the components that registered.

    live     the process answers at all; nothing here can make it false
    started  every critical component has succeeded once
    ready    started, not draining, and no critical component is failing or silent

    A component that hangs never reports a failure, so each promises how often it will report.
    Safe to use from several threads.
    """

    clock: Callable[[], float] = time.monotonic
    draining: bool = False
    _components: dict[str, Component] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, name: str, *, within: float, critical: bool = True) -> None:
        """Count on *name* to report at least every *within* seconds from now on."""
        with self._lock:
            self._components[name] = Component(name, within, critical)

    def forget(self, name: str) -> None:
        """Stop counting on *name*."""
        with self._lock:
            self._components.pop(name, None)

    def ok(self, name: str) -> None:
        """Note that *name* does its job."""
        with self._lock:
            component = self._components[name]
            component.reported, component.problem, component.succeeded = self.clock(), "", True

    def fail(self, name: str, problem: str) -> None:
        """Note that *name* does not do its job, and why, in words for the operator, which become one line."""
        with self._lock:
            component = self._components[name]
            component.reported, component.problem = self.clock(), " ".join(problem.split())

    def started(self) -> bool:
        """Return whether every critical component has succeeded once."""
        return all(component.succeeded for component in self._all() if component.critical)

    def ready(self) -> bool:
        """Return whether the service does its job now."""
        return self.started() and not self.draining and not any(self.problems().values())

    def problems(self) -> dict[str, str]:
        """Return component → reason for the critical ones; an empty reason means fine."""
        return {c.name: self._problem(c) for c in self._all() if c.critical}

    def report(self, kind: Kind) -> tuple[bool, str]:
        """Return the answer to a probe, and a body that says what is wrong, a line each."""
        answer = {"live": True, "started": self.started(), "ready": self.ready()}[kind]
        if kind == "live":
            return True, "ok\n"
        lines = ["draining"] if self.draining else []
        for component in self._all():
            problem = self._problem(component)
            remark = "" if component.critical or not problem else " (does not count)"
            lines.append(f"{component.name}: {problem or 'ok'}{remark}")
        return answer, "\n".join([("ok" if answer else f"not {kind}"), *lines]) + "\n"

    def _all(self) -> list[Component]:
        with self._lock:
            return list(self._components.values())

    def _problem(self, component: Component) -> str:
        silence = self.clock() - component.reported
        if not component.problem and silence > component.within:
            return f"silent for {silence:.0f} s, expected within {component.within:.0f} s"
        return component.problem
