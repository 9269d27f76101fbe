"""The body of a webhook, and the signature that lets its receiver trust it."""

from __future__ import annotations

import hashlib
import hmac
import json

from podmates_gitsync.hooks.change import Change

VERSION = 1  # of the body; a field may be added without a new one


def body(change: Change, *, repo: str, ref: str, link: str, sent_at: str) -> bytes:
    """Return the JSON of ``--webhook-format json``.

    Args:
        repo: without user and password.
        sent_at: RFC 3339, UTC: a receiver can refuse what is old.
    """
    fields = {
        "version": VERSION,
        "hash": change.commit,
        "previous_hash": change.previous or None,
        "ref": ref,
        "repo": repo,
        "link": link,
        "changed_files": change.count(),
        "sent_at": sent_at,
    }
    return json.dumps(fields, ensure_ascii=True).encode()


def signature(key: bytes, data: bytes) -> str:
    """Return the value of ``Gitsync-Signature-256`` for *data*, the raw body."""
    return f"sha256={hmac.new(key, data, hashlib.sha256).hexdigest()}"
