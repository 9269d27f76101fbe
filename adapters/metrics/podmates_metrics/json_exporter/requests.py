"""What a module says to its target: headers with secrets read afresh, and which of them another host gets."""

from __future__ import annotations

import base64
import re

from podmates_common.files import TooLarge, read_small, why_unread
from podmates_metrics.json_exporter.core.client import Authorization, Basic, Client
from podmates_metrics.json_exporter.core.modules import Module
from podmates_metrics.json_exporter.core.secrets import Hidden

_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Unsendable(Exception):
    """A secret cannot be had, or not be sent; the text never tells it."""


def reveal(hidden: Hidden) -> str:
    """Return a secret; one in a file is read now, without the blanks around it.

    Raises:
        Unsendable: the file cannot be read.
    """
    if not hidden.file:
        return hidden.text
    try:
        return read_small(hidden.file).decode().strip()
    except (OSError, TooLarge) as error:
        raise Unsendable(f"unable to read file {hidden.file}: {why_unread(error)}") from None
    except UnicodeDecodeError:
        raise Unsendable(f"unable to read file {hidden.file}: not UTF-8") from None


def own_headers(module: Module) -> list[tuple[str, str]]:
    """Return the headers of the file, with the default of Accept."""
    headers = list(module.headers)
    names = {name.lower() for name, _ in headers}
    if "accept" not in names:
        headers.append(("Accept", "application/json"))
    if "user-agent" not in names:
        headers.append(("User-Agent", "podmates-metrics"))
    if "accept-encoding" not in names:
        headers.append(("Accept-Encoding", "gzip"))
    return headers


def secret_headers(client: Client) -> list[tuple[str, str]]:
    """Return what only the target itself gets.

    Raises:
        Unsendable: a secret is not there, or would break the request.
    """
    headers = []
    if isinstance(client.auth, Basic):
        pair = f"{reveal(client.auth.name)}:{reveal(client.auth.password)}"
        headers.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
    elif isinstance(client.auth, Authorization):
        headers.append(("Authorization", f"{client.auth.scheme} {reveal(client.auth.credentials)}"))
    headers += [(name, reveal(value)) for name, values in client.headers for value in values]
    for name, value in headers:
        if _UNSENDABLE.search(value):
            raise Unsendable(f"the value of {name} cannot be sent in a header")
    return headers
