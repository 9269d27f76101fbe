"""Takes what a client's stream holds into its session. No I/O."""

from __future__ import annotations

from podmates_redis.session import routing, strangers, uploading
from podmates_redis.session.session import Session
from podmates_redis.wire.requests import Request, Requests


def take(session: Session, requests: Requests, batch: list[Request]) -> None:
    """Let in *batch*, which *requests* has just given, and what else it holds."""
    while batch or requests.begun is not None or requests.pieces:
        if requests.pieces:
            uploading.go_on(session, requests.passed(), ended=not requests.passing)
        if batch:
            routing.requests(session, batch)
        if requests.begun is not None:
            passes = uploading.begin(session, requests.begun)
            if passes is None:
                break
            requests.accept(passes)
        elif not requests.locked:
            break
        requests.locked = strangers.locked(session)  # a login changes how the next request is read
        if strangers.deciding(session):
            break
        batch = requests.feed(b"")
    if requests.broken is not None and not session.quitting:
        uploading.drop(session)
        session.shared.tally.broken += 1
        routing.broken(session, requests.broken)


def go_on(session: Session, requests: Requests) -> None:
    """Let in what has waited for a decision on what is before it."""
    if requests.begun is not None:
        take(session, requests, [])
    elif requests.locked and requests.waiting and not strangers.deciding(session):
        requests.locked = strangers.locked(session)
        take(session, requests, requests.feed(b""))
