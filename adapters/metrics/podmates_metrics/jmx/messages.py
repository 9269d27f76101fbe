"""The calls that a JMX client makes, and what their replies mean. No I/O.

Source: `javax.management.remote.rmi.RMIServer` and `RMIConnection`; JSR 160.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from podmates_metrics.jmx import jrmp
from podmates_metrics.jmx.decoder import StreamError
from podmates_metrics.jmx.javavalues import JavaArray, JavaObject, Value, items, kind_of
from podmates_metrics.jmx.javawriter import NULL, object_name, string, strings

_NAME, _TEXT = "Ljavax/management/ObjectName;", "Ljava/lang/String;"
_SUBJECT, _FILTER = "Ljavax/security/auth/Subject;", "Ljava/rmi/MarshalledObject;"
_REGISTRY, _LOOKUP, _LOOKUP_HASH = jrmp.well_known(0), 2, 4905912898345647071
_NEW_CLIENT = jrmp.method_hash("newClient(Ljava/lang/Object;)Ljavax/management/remote/rmi/RMIConnection;")
_CLOSE = jrmp.method_hash("close()V")
_DOMAIN = jrmp.method_hash(f"getDefaultDomain({_SUBJECT}){_TEXT}")
_QUERY = jrmp.method_hash(f"queryNames({_NAME}{_FILTER}{_SUBJECT})Ljava/util/Set;")
_INFO = jrmp.method_hash(f"getMBeanInfo({_NAME}{_SUBJECT})Ljavax/management/MBeanInfo;")
_READ_ONE = jrmp.method_hash(f"getAttribute({_NAME}{_TEXT}{_SUBJECT})Ljava/lang/Object;")
_READ = jrmp.method_hash(f"getAttributes({_NAME}[{_TEXT}{_SUBJECT})Ljavax/management/AttributeList;")


class Credentials(NamedTuple):
    """What a server with password authentication asks for."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.username!r}, ***)"


@dataclass(frozen=True, slots=True)
class AttributeInfo:
    """A readable attribute as its bean declares it; *kind* is a Java type name."""

    name: str
    kind: str
    description: str | None


def lookup(name: str) -> bytes:
    """Ask a registry for the stub bound to *name*."""
    return jrmp.call(_REGISTRY, _LOOKUP, _LOOKUP_HASH, string(name))


def new_client(server: bytes, credentials: Credentials | None) -> bytes:
    """Ask an RMIServer for a session."""
    return _call(server, _NEW_CLIENT, strings(credentials) if credentials else NULL)


def close(session: bytes) -> bytes:
    """End a session; the reply is void."""
    return _call(session, _CLOSE)


def ping(session: bytes) -> bytes:
    """Ask for something small that resets the server's idle timer; asking for the connection id does not."""
    return _call(session, _DOMAIN, NULL)


def query_names(session: bytes, pattern: str | None) -> bytes:
    """Ask for the names of the beans that match *pattern*, None for all."""
    return _call(session, _QUERY, object_name(pattern), NULL, NULL)


def bean_info(session: bytes, bean: str) -> bytes:
    """Ask for the description of a bean."""
    return _call(session, _INFO, object_name(bean), NULL)


def read(session: bytes, bean: str, attributes: Sequence[str]) -> bytes:
    """Ask for several attributes; those whose getter throws are left out by the server."""
    return _call(session, _READ, object_name(bean), _names(tuple(attributes)), NULL)


@lru_cache(maxsize=1024)
def _names(attributes: tuple[str, ...]) -> bytes:
    return strings(attributes)  # the same for all beans of a class, at every scrape


def read_one(session: bytes, bean: str, attribute: str) -> bytes:
    """Ask for one attribute; what its getter throws is the reply."""
    return _call(session, _READ_ONE, object_name(bean), string(attribute), NULL)


def _call(identity: bytes, number: int, *arguments: bytes) -> bytes:
    return jrmp.call(identity, jrmp.DEFAULT_OPERATION, number, *arguments)


def names(value: Value) -> list[str]:
    """Return the names in the reply to `query_names`, each as it was registered."""
    found = [name for name in map(bean_name, items(value)) if name]
    if kind_of(value) not in ("java.util.HashSet", "java.util.LinkedHashSet", "java.util.TreeSet"):
        raise StreamError("the answer to queryNames is no set")
    return found


def bean_name(value: Value) -> str:
    """Return the text of an ObjectName; empty for everything else."""
    written = value.written.get("javax.management.ObjectName") if isinstance(value, JavaObject) else None
    return written[-1] if written and isinstance(written[-1], str) else ""


def readable(value: Value) -> list[AttributeInfo]:
    """Return the readable attributes in the reply to `bean_info`, in its order."""
    listed = value.fields.get("attributes") if isinstance(value, JavaObject) else None
    if not isinstance(listed, JavaArray):
        raise StreamError("the answer to getMBeanInfo is none")
    found = [entry.fields for entry in listed.elements if isinstance(entry, JavaObject)]
    return [
        AttributeInfo(f["name"], _text(f.get("attributeType")) or "", _text(f.get("description")))
        for f in found
        if f.get("isRead") is True and isinstance(f.get("name"), str)
    ]


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def attributes(value: Value) -> dict[str, Value]:
    """Return the attributes in the reply to `read`, by name."""
    if kind_of(value) != "javax.management.AttributeList":
        raise StreamError("the answer to getAttributes is no list of attributes")
    return salvage(items(value))[0]


def salvage(handles: list[Value]) -> tuple[dict[str, Value], str]:
    """Return the complete attributes among *handles*, and the name of one that broke off; else empty."""
    complete: dict[str, Value] = {}
    broken = ""
    for value in handles:
        if kind_of(value) == "javax.management.Attribute" and isinstance(value.fields.get("name"), str):
            if "value" in value.fields:
                complete[value.fields["name"]] = value.fields["value"]
            else:
                broken = value.fields["name"]
    return complete, broken
