"""Errors that end the process, and the exit status each one stands for."""

from __future__ import annotations


class PodmatesError(Exception):
    """A failure the operator can act on: reported as one line, without a traceback."""

    exit_status = 1


class ConfigError(PodmatesError):
    """The configuration cannot be used; *problems* lists every fault found, not the first."""

    exit_status = 2

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UpstreamError(PodmatesError):
    """The server we stand next to refuses us for good; trying again was given up."""

    exit_status = 3
