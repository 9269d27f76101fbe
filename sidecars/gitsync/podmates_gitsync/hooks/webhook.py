"""A request to a URL of the user's for each published commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from podmates_common.files import TooLarge, read_small
from podmates_gitsync.govalues import show_duration
from podmates_gitsync.hooks import message
from podmates_gitsync.hooks.change import Change
from podmates_gitsync.hooks.runner import HookError
from podmates_gitsync.outbound.message import target_of
from podmates_gitsync.reports.logs import Log

_LONGEST_KEY = 1 << 16  # bytes of the file
_ANY = (0, -1)  # statuses that stand for every status


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is called.

    Attributes:
        status: what the answer must have; 0 and -1 for any.
        timeout: seconds, for one call with all its redirects.
        body: makes the body, or None for calls without one.
        key_file: holds the key to sign the body with; read for each call.
    """

    url: str
    method: str
    status: int
    timeout: float
    body: Callable[[Change, str], bytes] | None = None
    key_file: Path | None = None


class Webhook:
    """A call for a commit.

    Args:
        environ: for the proxy variables.
    """

    def __init__(self, call: Call, environ: Mapping[str, str], log: Log) -> None:
        self._call, self._environ, self._log = call, environ, log

    def run(self, change: Change) -> None:
        """Call once.

        Raises:
            HookError: no answer in time, another status than the wanted, or no key to sign with.
        """
        from podmates_gitsync.outbound.client import OutboundError, request  # late: it brings ssl

        call = self._call
        body = call.body(change, datetime.now(UTC).isoformat(timespec="seconds")) if call.body else b""
        headers = [("Gitsync-Hash", change.commit), *self._headers(body)]
        self._log.info(
            0,
            "sending webhook",
            hash=change.commit,
            url=shown(call.url),
            method=call.method,
            timeout=show_duration(call.timeout),
        )
        try:
            answer = request(
                call.method or "GET",
                call.url,
                timeout=call.timeout,
                environ=self._environ,
                headers=headers,
                body=body,
                follow=True,
            )
        except OutboundError as error:
            raise HookError(str(error)) from None
        if call.status not in (*_ANY, answer.status):
            raise HookError(f"{shown(call.url)} answered {answer.status}, expected {call.status}")

    def _headers(self, body: bytes) -> list[tuple[str, str]]:
        if self._call.body is None:
            return []
        headers = [("Content-Type", "application/json")]
        if self._call.key_file is not None:
            headers.append(("Gitsync-Signature-256", message.signature(_key(self._call.key_file), body)))
        return headers


def _key(path: Path) -> bytes:
    try:
        key = read_small(path, _LONGEST_KEY).rstrip(b"\r\n")
    except (OSError, TooLarge) as error:
        raise HookError(f"cannot read the key to sign with: {error}") from None
    if not key:
        raise HookError(f"there is no key in {path}")
    return key


def shown(url: str) -> str:
    """Return what of *url* may be in a log: its path and query may be all that protects it."""
    try:
        return target_of(url).origin
    except ValueError:
        return "(not a URL)"
