"""Pushes as hosting services send them: their headers and the shape of their bodies, shortened.

Shapes: the webhook chapters of each service's documentation.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode

OLD, ZEROS = "6113728f27ae82c7b1a177c8d03f9e96e0adf246", "0" * 40
PROVIDERS = ("forgejo", "gitea", "gogs", "gitlab", "bitbucket", "bitbucket-dc", "azure", "github", "generic")
_WHO = {"name": "A U Thor", "email": "author@example.com", "username": "author"}


class Sent(NamedTuple):
    """A request."""

    headers: dict[str, str]
    body: bytes


def digest(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def push(
    provider: str, secret: str, *, ref: str = "refs/heads/main", commit: str = "a" * 40, **more: Any
) -> Sent:
    """Return a push of *provider* that moves *ref* to *commit* (ZEROS deletes it); *more* is of its body."""
    body = json.dumps({**_BODIES[provider](ref, commit), **more}).encode()
    return Sent(
        {
            "Content-Type": "application/json",
            "User-Agent": f"{provider}-hook",
            **_HEADERS[provider](secret, body),
        },
        body,
    )


def form(sent: Sent, secret: str) -> Sent:
    """Return GitHub's push as a form, signed anew."""
    body = urlencode({"payload": sent.body.decode()}).encode()
    headers = {**sent.headers, "Content-Type": "application/x-www-form-urlencoded"}
    return Sent({**headers, "X-Hub-Signature-256": f"sha256={digest(secret, body)}"}, body)


def standard(sent: Sent, secret: str, *, age: float = 0, key: bytes | None = None) -> Sent:
    """Return GitLab's push with a signature of the Standard Webhooks in the place of the token."""
    identity, moment = str(uuid.uuid4()), str(int(time.time() - age))
    code = hmac.new(key or secret.encode(), f"{identity}.{moment}.".encode() + sent.body, hashlib.sha256)
    headers = {name: value for name, value in sent.headers.items() if name != "X-Gitlab-Token"}
    signed = {"webhook-id": identity, "webhook-timestamp": moment, "Idempotency-Key": identity}
    return Sent(
        {**headers, **signed, "webhook-signature": f"v1,{base64.b64encode(code.digest()).decode()}"},
        sent.body,
    )


def _github(ref: str, commit: str) -> dict[str, Any]:
    gone = commit == ZEROS
    return {
        "ref": ref,
        "before": OLD,
        "after": commit,
        "created": False,
        "deleted": gone,
        "forced": False,
        "compare": "https://git.example.com/docs/site/compare/6113728f27ae...aaaaaaaaaaaa",
        "commits": [] if gone else [{"id": commit, "message": "Say more", "author": _WHO, "added": ["a"]}],
        "head_commit": None if gone else {"id": commit, "message": "Say more", "author": _WHO},
        "repository": {"id": 35129377, "name": "site", "full_name": "docs/site", "default_branch": "main"},
        "pusher": _WHO,
        "sender": {"login": "author", "id": 6752317},
    }


def _gitlab(ref: str, commit: str) -> dict[str, Any]:
    tag = ref.startswith("refs/tags/")
    return {
        "object_kind": "tag_push" if tag else "push",
        "event_name": "tag_push" if tag else "push",
        "before": OLD,
        "after": commit,
        "ref": ref,
        "checkout_sha": None if commit == ZEROS else commit,
        "user_username": "author",
        "project_id": 15,
        "project": {"id": 15, "name": "site", "default_branch": "main", "path_with_namespace": "docs/site"},
        "commits": [{"id": commit, "message": "Say more", "author": _WHO}],
        "total_commits_count": 1,
    }


def _bitbucket(ref: str, commit: str) -> dict[str, Any]:
    kind, name = ("tag" if ref.startswith("refs/tags/") else "branch"), ref.split("/", 2)[2]
    new = {"type": kind, "name": name, "target": {"type": "commit", "hash": commit, "message": "Say more"}}
    old = {"type": kind, "name": name, "target": {"type": "commit", "hash": OLD}}
    gone = commit == ZEROS
    change = {"new": None if gone else new, "old": old, "closed": gone, "forced": False, "truncated": False}
    return {
        "actor": {"type": "user", "nickname": "author"},
        "repository": {"type": "repository", "full_name": "docs/site"},
        "push": {"changes": [change]},
    }


def _bitbucket_dc(ref: str, commit: str) -> dict[str, Any]:
    change = {
        "ref": {"id": ref, "displayId": ref.split("/", 2)[2], "type": "BRANCH"},
        "refId": ref,
        "fromHash": OLD,
        "toHash": commit,
        "type": "DELETE" if commit == ZEROS else "UPDATE",
    }
    return {
        "eventKey": "repo:refs_changed",
        "date": "2026-01-12T10:48:36+0000",
        "actor": {"name": "author", "id": 1, "active": True},
        "repository": {"slug": "site", "id": 84, "project": {"key": "DOCS"}},
        "changes": [change],
    }


def _azure(ref: str, commit: str) -> dict[str, Any]:
    return {
        "subscriptionId": "00000000-0000-0000-0000-000000000000",
        "notificationId": 3,
        "id": str(uuid.uuid4()),
        "eventType": "git.push",
        "publisherId": "tfs",
        "message": {"text": "A U Thor pushed updates to site:main"},
        "resource": {
            "commits": [{"commitId": commit, "author": _WHO, "comment": "Say more"}],
            "refUpdates": [{"name": ref, "oldObjectId": OLD, "newObjectId": commit}],
            "repository": {"name": "site", "defaultBranch": "refs/heads/main"},
            "pushId": 14,
        },
        "resourceVersion": "1.0",
    }


def _like_github(secret: str, body: bytes) -> dict[str, str]:
    return {
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature": "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": f"sha256={digest(secret, body)}",
    }


def _family(*names: str) -> Callable[[str, bytes], dict[str, str]]:
    """The youngest name first; each sends what its ancestors sent, and GitHub's headers."""

    def headers(secret: str, body: bytes) -> dict[str, str]:
        made, delivery = _like_github(secret, body) if names != ("Gogs",) else {}, str(uuid.uuid4())
        for name in names:
            made |= {f"X-{name}-Event": "push", f"X-{name}-Delivery": delivery}
            made[f"X-{name}-Signature"] = digest(secret, body)
        return made

    return headers


def _bitbucket_headers(event: str, identity: str) -> Callable[[str, bytes], dict[str, str]]:
    return lambda secret, body: {
        "X-Event-Key": event,
        identity: str(uuid.uuid4()),
        "X-Hub-Signature": f"sha256={digest(secret, body)}",
    }


_BODIES: dict[str, Callable[[str, str], dict[str, Any]]] = {
    **dict.fromkeys(("forgejo", "gitea", "gogs", "github"), _github),
    **{"gitlab": _gitlab, "bitbucket": _bitbucket, "bitbucket-dc": _bitbucket_dc, "azure": _azure},
    "generic": lambda ref, commit: {"anything": [ref, commit]},
}
_HEADERS: dict[str, Callable[[str, bytes], dict[str, str]]] = {
    "forgejo": _family("Forgejo", "Gitea", "Gogs"),
    "gitea": _family("Gitea", "Gogs"),
    "gogs": _family("Gogs"),
    "gitlab": lambda secret, body: {
        "X-Gitlab-Event": "Tag Push Hook" if b'"tag_push"' in body else "Push Hook",
        "X-Gitlab-Event-UUID": str(uuid.uuid4()),
        "X-Gitlab-Token": secret,
    },
    "bitbucket": _bitbucket_headers("repo:push", "X-Request-UUID"),
    "bitbucket-dc": _bitbucket_headers("repo:refs_changed", "X-Request-Id"),
    "azure": lambda secret, body: {
        "Authorization": "Basic " + base64.b64encode(f"anybody:{secret}".encode()).decode()
    },
    "github": _like_github,
    "generic": lambda secret, body: {"X-Signature-256": f"sha256={digest(secret, body)}"},
}
