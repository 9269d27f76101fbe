"""Asks ports of this machine what they are: all at once, a second in all, a bounded answer each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from podmates_metrics.detecting.fingerprints import QUESTIONS, Question, entry, listening

TIME = 1.0  # seconds for everything
_SHARE = 0.25  # of it, for one answer
MAX_PORTS = 200
_AT_ONCE = 64  # connections
_ANSWER = 1 << 16  # bytes that are looked at
HOST = "localhost"


class Found(NamedTuple):
    """A source: a name for it, and its entry in a native file."""

    port: int
    name: str
    entry: str


def ports() -> list[int]:
    """Return the ports that somebody listens on; usual ones where the system does not tell."""
    tables = []
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            tables.append(Path(f"/proc/net/{name}").read_text())
    usual = {80, 8080, 8404, 9090} | {port for question in QUESTIONS for port in question.ports}
    return sorted(listening(tables) if tables else usual)[:MAX_PORTS]


async def detect(ports: Sequence[int], *, everywhere: bool, limit: float = TIME) -> list[Found]:
    """Return the sources at *ports*, by port; one for each.

    Args:
        ports: of this machine.
        everywhere: ask every question at every port, also what is usual at others only.
        limit: seconds for everything.
    """
    turns = asyncio.Semaphore(_AT_ONCE)
    share, asked = limit * _SHARE, dict.fromkeys(ports)
    jobs = [_port(port, turns, everywhere=everywhere, patience=share) for port in asked]
    tasks = [asyncio.create_task(job) for job in jobs]
    if tasks:
        await asyncio.wait(tasks, timeout=limit)
    found = [task.result() for task in tasks if task.done() and not task.exception()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return sorted(one for one in found if one is not None)


async def _port(port: int, turns: asyncio.Semaphore, *, everywhere: bool, patience: float) -> Found | None:
    speaks_http = True
    for question in sorted(QUESTIONS, key=lambda question: port not in question.ports):
        web = question.kind == "http"
        if (web and not speaks_http) or not (everywhere or not question.ports or port in question.ports):
            continue
        async with turns:
            answer = await _ask(question, port, patience)
        speaks_http = speaks_http and (not web or answer[:5] == b"HTTP/")
        told = question.tell(_body(answer) if web else answer)
        if told is not None:
            return Found(port, told[0], entry(question, HOST, port, told[1]))
    return None


async def _ask(question: Question, port: int, patience: float) -> bytes:
    """Return the answer as far as it came."""
    web = question.kind == "http"
    request = f"GET {question.path} HTTP/1.0\r\nHost: {HOST}\r\nAccept: */*\r\n\r\n".encode()
    answer = bytearray()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(request if web else question.send)
                while len(answer) < _ANSWER and (part := await reader.read(_ANSWER - len(answer))):
                    answer += part
                    if not b"HTTP/".startswith(answer[:5]) if web else question.tell(bytes(answer)):
                        break
            finally:
                writer.close()
    return bytes(answer)


def _body(answer: bytes) -> bytes:
    head, _, body = answer.partition(b"\r\n\r\n")
    return body if b" 200" in head[:16] else b""
