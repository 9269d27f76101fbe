"""Which file a store is, and which form its content has. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from podmates_metrics.keystores import jks
from podmates_metrics.tree import Fault

JKS, PKCS12, PEM = "JKS", "PKCS12", "PEM"
FORMS = (JKS, PKCS12, PEM)


@dataclass(frozen=True, slots=True)
class Store:
    """A file with certificates, and a key where it is one's own; no file: there is none.

    Attributes:
        form: one of `FORMS`, or empty: the content tells.
        alias: of the key to take; empty: the first one.
    """

    filename: str = ""
    password: str = field(default="", repr=False)
    form: str = ""
    alias: str = ""


NOWHERE = Store()


def form(data: bytes, wanted: str = "") -> str:
    """Return which of `FORMS` *data* has; Java takes JKS and PKCS12 for each other.

    Raises:
        Fault: none, or not the *wanted* one.
    """
    if data.startswith(jks.OTHER_MAGIC):
        raise Fault(
            "JCEKS is not offered; `keytool -importkeystore -deststoretype PKCS12` makes another of it"
        )
    if data.startswith(jks.MAGIC):
        found = JKS
    elif b"-----BEGIN " in data:
        found = PEM
    elif data.startswith(b"\x30"):
        found = PKCS12
    else:
        raise Fault(f"is no store: want {', '.join(FORMS)}")
    if wanted and PEM in (found, wanted) and found != wanted:
        raise Fault(f"is {found}, and its type says {wanted}")
    return found
