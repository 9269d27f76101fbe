"""Who sent a request to the push receiver, what proves it, and what is to be done.

The law of this file: the table says in its order who sent a request, and that provider's own proof decides.
What comes after the proof can only turn a push away that cannot be ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from podmates_gitsync.push import checks, payloads
from podmates_gitsync.push.checks import Ask, Headers
from podmates_gitsync.push.payloads import Change

_DATA_CENTER = ("repo:refs_changed", "diagnostics:", "pr:", "mirror:")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One kind of sender.

    Attributes:
        sent: whether a request is one of its, by the headers.
        check: its proof.
        event: the header that names the event; empty where it is in the body, or nowhere.
        pushes, pings: names of events; no *pushes* means that every event is one.
        named: where the body names the event.
        deliveries: headers that tell one delivery from another, and repeat with it.
        changes: what the body says.
        head: where the body names the default branch; empty where it does not.
        forms: the body may be a form, too.
    """

    name: str
    sent: Callable[[Headers], bool]
    check: Ask
    event: str = ""
    pushes: frozenset[str] = frozenset()
    pings: frozenset[str] = frozenset()
    named: str = ""
    deliveries: tuple[str, ...] = ()
    changes: Callable[[Any], Iterator[Change]] = payloads.simple
    head: tuple[str, ...] = ()
    forms: bool = False


def _has(header: str) -> Callable[[Headers], bool]:
    return lambda headers: header in headers


def _cloud(headers: Headers) -> bool:
    return "x-event-key" in headers and not _data_center(headers)


def _data_center(headers: Headers) -> bool:
    return headers.get("x-event-key", "").startswith(_DATA_CENTER)


def _azure(headers: Headers) -> bool:
    """It has no header of its own; nobody else on the list sends a password."""
    others = "x-github-event" in headers or "x-signature-256" in headers
    return headers.get("authorization", "").lower().startswith("basic ") and not others


def _relative(name: str) -> Provider:
    """Forgejo, Gitea and Gogs descend from each other; the younger ones send GitHub's headers, too."""
    return Provider(
        name=name,
        sent=_has(f"x-{name}-event"),
        event=f"x-{name}-event",
        pushes=frozenset({"push"}),
        check=checks.signature(f"x-{name}-signature", ""),
        deliveries=(f"x-{name}-delivery",),
        head=("repository", "default_branch"),
    )


TABLE = (
    _relative("forgejo"),
    _relative("gitea"),
    _relative("gogs"),
    Provider(
        name="gitlab",
        sent=_has("x-gitlab-event"),
        event="x-gitlab-event",
        pushes=frozenset({"Push Hook", "Tag Push Hook", "System Hook"}),
        check=checks.gitlab,
        deliveries=("idempotency-key", "webhook-id", "x-gitlab-event-uuid"),
        head=("project", "default_branch"),
    ),
    Provider(
        name="bitbucket",
        sent=_cloud,
        event="x-event-key",
        pushes=frozenset({"repo:push"}),
        check=checks.signature("x-hub-signature", "sha256="),
        deliveries=("x-request-uuid",),
        changes=payloads.bitbucket,
    ),
    Provider(
        name="bitbucket-dc",
        sent=_data_center,
        event="x-event-key",
        pushes=frozenset({"repo:refs_changed"}),
        pings=frozenset({"diagnostics:ping"}),
        check=checks.signature("x-hub-signature", "sha256="),
        deliveries=("x-request-id",),
        changes=payloads.bitbucket_dc,
    ),
    Provider(
        name="azure",
        sent=_azure,
        named="eventType",
        pushes=frozenset({"git.push"}),
        check=checks.basic,
        changes=payloads.azure,
        head=("resource", "repository", "defaultBranch"),
    ),
    Provider(
        name="github",
        sent=_has("x-github-event"),
        event="x-github-event",
        pushes=frozenset({"push"}),
        pings=frozenset({"ping"}),
        check=checks.signature("x-hub-signature-256", "sha256="),
        deliveries=("x-github-delivery",),
        head=("repository", "default_branch"),
        forms=True,
    ),
    Provider(
        name="generic",
        sent=lambda _: True,
        check=checks.either(checks.signature("x-signature-256", "sha256="), checks.bearer),
    ),
)
GENERIC = TABLE[-1]
_SYSTEM_EVENTS = frozenset({"push", "tag_push", "repository_update"})


class Verdict(NamedTuple):
    """What to answer, and what was announced."""

    status: int
    result: str  # for the metric, the log and the answer's text
    ref: str = ""
    commit: str = ""
    delivery: str = ""  # what tells this delivery from others; empty when the sender does not say
    wait: int = 0  # seconds until a caller that was turned away may come back


def recognise(headers: Headers, wanted: str = "auto") -> Provider:
    """Return who sent a request; *wanted* is ``--push-provider``."""
    if wanted != "auto":
        return next(provider for provider in TABLE if provider.name == wanted)
    return next(provider for provider in TABLE if provider.sent(headers))


def takes(provider: Provider, headers: Headers) -> bool:
    """Return whether a body of this type can be read; the generic sender's is not looked at."""
    if provider is GENERIC:
        return True
    content_type = _content_type(headers)
    if content_type == _FORM:
        return provider.forms
    return content_type == "application/json" or content_type.endswith("+json")


def _content_type(headers: Headers) -> str:
    """Return it without parameters: aiohttp reads those as well, for a second where a stranger wants it."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def judge(provider: Provider, headers: Headers, body: bytes | None, ref: str) -> Verdict:
    """Return what to do about a request whose sender has proved itself.

    Args:
        provider: from `recognise`.
        headers: of the request.
        body: None when it was too large to keep: then its refs are not looked at.
        ref: what ``--ref`` says.
    """
    event = headers.get(provider.event, "")
    if event in provider.pings:
        return Verdict(200, "ping")
    if provider.event and event not in provider.pushes:
        return Verdict(200, "other_event")
    delivery = next((headers[name] for name in provider.deliveries if headers.get(name)), "")
    if body is None or provider is GENERIC:
        return Verdict(202, "queued", delivery=delivery)
    document = payloads.decoded(body, form=_content_type(headers) == _FORM)
    if provider.named:
        delivery = str(payloads.get(document, "id") or "")
    return _judge_document(provider, event, document, ref)._replace(delivery=delivery)


def _judge_document(provider: Provider, event: str, document: Any, ref: str) -> Verdict:
    if provider.named and payloads.get(document, provider.named) not in (*provider.pushes, None):
        return Verdict(200, "other_event")
    system = payloads.get(document, "event_name")
    if event == "System Hook" and system not in (*_SYSTEM_EVENTS, None):
        return Verdict(200, "other_event")
    changes = list(provider.changes(document))
    if not changes:
        return Verdict(202, "queued")
    if ref == "HEAD":
        ref = payloads.head(document, *provider.head)
    ours = [change for change in changes if payloads.concerns(change.ref, ref)]
    if not ours:
        return Verdict(200, "other_ref", changes[-1].ref)
    moved = [change for change in ours if not change.deleted]
    if not moved:
        return Verdict(200, "deleted_ref", ours[-1].ref)
    last = moved[-1]
    # A commit is waited for that is sure to come; for another a sync has to be enough.
    commit = last.commit if payloads.is_meant(last.ref, ref) else ""
    return Verdict(202, "queued", last.ref, commit)


def is_unsigned_ping(provider: Provider, headers: Headers) -> bool:
    """Return whether it is Bitbucket Data Center's test of a connection, which it does not always sign."""
    event = headers.get(provider.event, "")
    return provider.name == "bitbucket-dc" and event in provider.pings and "x-hub-signature" not in headers
