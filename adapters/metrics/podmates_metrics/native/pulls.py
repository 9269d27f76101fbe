"""The entries of sources that are asked at every scrape: http, socket, file, command."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from podmates_common.parse import check_host
from podmates_metrics.formats.base import Format
from podmates_metrics.golang import parse_duration
from podmates_metrics.native.formats import decode_format
from podmates_metrics.tree import Keys, Place, Scalar, Table, flag, keys, one_of, whole

_SCHEME = re.compile(r"https?://[^\s/]+(/\S*)?")
_URL = re.compile(
    r"https?://(?P<user>[^\s/?#]*@)?(?:\[[0-9A-Fa-f:.%]+\]|(?P<host>[^\s/?#@:\[\]]+))"
    r"(?::(?P<port>[0-9]{0,5}))?([/?#]\S*)?"
)
_TCP = re.compile(r"tcp://(?:\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<host>[^\s:/\[\]]+)):(?P<port>[0-9]{1,5})")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # in the value of a header
MAX_SEND = 1 << 20  # bytes of a request
MAX_PATHS = 100  # patterns of one source


@dataclass(frozen=True, slots=True)
class Said:
    """A text of the rules, or the content of the file that they name: for what is secret."""

    text: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Http:
    url: str
    method: str = "GET"
    headers: tuple[tuple[str, Said], ...] = ()
    body: Said = Said()
    ca_file: str = ""  # of authorities that may have signed the page's certificate; empty: the system's
    skip_verify: bool = False  # take any certificate


@dataclass(frozen=True, slots=True)
class Socket:
    """*path* of a unix socket, or *host* and *port*; *until* a terminator, or *size* bytes, or the end."""

    path: str
    host: str
    port: int
    send: Said = Said()
    until: bytes = b""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Files:
    paths: tuple[str, ...]  # with * ? [] and **


@dataclass(frozen=True, slots=True)
class Command:
    argv: tuple[str, ...]
    statuses: tuple[int, ...] = (0,)  # of exit, that mean success


@dataclass(frozen=True, slots=True)
class Pull:
    """A source that is asked at every scrape."""

    name: str
    kind: str  # as the file calls it
    via: Http | Socket | Files | Command
    format: Format
    timeout: float = 5.0  # seconds
    max_size: int = 16 << 20  # bytes of an answer
    stale_after: float = (
        0.0  # seconds that the last answer, or a file, counts; 0: an answer not at all, a file for ever
    )

    @property
    def fields(self) -> frozenset[str] | None:
        """The names that its records have; None: any may come."""
        own = self.format.fields
        return own | {"@file"} if own is not None and self.kind == "file" else own


def decode_pull(name: str, kind: str, entry: Keys) -> Pull:
    """Return the source *name* of one of `DECODERS`.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    via = DECODERS[kind](entry)
    format = decode_format(entry, "json" if kind == "http" else "")
    return Pull(
        name,
        kind,
        via,
        format,
        timeout=5.0 if kind == "file" else entry.scalar("timeout", seconds, 5.0),
        max_size=entry.scalar("max_size", whole, 16 << 20),
        stale_after=entry.scalar("stale_after", seconds, 0.0),
    )


def _http(entry: Keys) -> Http:
    url = required(entry, "url")
    user = _user(entry, url)
    body = _said(entry, "body")
    verbs = one_of({"GET": "GET", "POST": "POST"}, "method {} is not offered; want GET or POST")
    method = entry.scalar("method", verbs, "POST" if body != Said() else "GET")
    if body != Said() and method == "GET":
        raise entry.place("method").fault("GET has no body")
    inner = entry.table_at("headers", "headers")
    headers = []
    for header in inner.table.entries if inner else ():
        assert inner is not None  # noqa: S101
        if not _HEADER.fullmatch(header):
            raise inner.unnamed(header).fault("a name that is no header's")
        said = _said(inner, header)
        if UNSENDABLE.search(said.text):
            raise inner.place(header).fault("no header of HTTP")
        if user and header.lower() == "authorization":
            raise inner.place(header).fault("there is a user in the address: want one of the two")
        headers.append((header, said))
    skip = entry.scalar("insecure_skip_verify", flag, False)
    if skip and entry.text("ca_file"):
        raise entry.place("insecure_skip_verify").fault("there is a ca_file: want one of the two")
    return Http(url, method, tuple(headers), body, entry.text("ca_file"), skip)


def _user(entry: Keys, url: str) -> bool:
    """Tell whether an address has a user in it."""
    if not _SCHEME.fullmatch(url):
        raise entry.place("url").fault("want an address that begins with http:// or https://")
    found = _URL.fullmatch(url)
    if found is None or not 0 < int(found["port"] or 80) < 65536:
        raise entry.place("url").fault("there is no host in it, or no port that can be")
    _lookable(entry.place("url"), found["host"])
    return found["user"] is not None


def _lookable(place: Place, host: str | None) -> None:
    try:
        check_host(host or "")
    except ValueError as error:
        raise place.fault(str(error)) from None


def _socket(entry: Keys) -> Socket:
    connect = required(entry, "connect")
    path, host, port = "", "", 0
    if connect.startswith("unix:///"):
        path = connect.removeprefix("unix://")
    elif (found := _TCP.fullmatch(connect)) and 0 < int(found["port"]) < 65536:
        host, port = found["six"] or found["host"], int(found["port"])
        _lookable(entry.place("connect"), host)
    else:
        raise entry.place("connect").fault("want tcp://HOST:PORT or unix:///PATH")
    until, size = entry.text("until").encode(), entry.scalar("size", whole, 0)
    if until and size:
        raise entry.place("size").fault("there is until already: want one of the two")
    return Socket(path, host, port, _said(entry, "send"), until, size)


def _files(entry: Keys) -> Files:
    return Files(paths(entry))


def _command(entry: Keys) -> Command:
    argv = texts(entry, "argv", 1000)
    if not argv or not argv[0]:
        raise entry.place("argv").fault("want the program and its arguments, as a list")
    named = texts(entry, "statuses", 256) or ("0",)
    if not all(re.fullmatch(r"[0-9]{1,3}", text) and int(text) < 256 for text in named):
        raise entry.place("statuses").fault("want numbers from 0 to 255")
    return Command(argv, tuple(int(text) for text in named))


DECODERS: dict[str, Callable[[Keys], Http | Socket | Files | Command]] = {
    "http": _http,
    "socket": _socket,
    "file": _files,
    "command": _command,
}


def _said(entry: Keys, key: str) -> Said:
    """Return a text, or the file of ``{file: PATH}``."""
    found = entry.get(key)
    if isinstance(found, Table):
        inner = keys(found, entry.place(key), key)
        said = Said(file=required(inner, "file"))
        inner.finish()
        return said
    text = entry.text(key)
    if len(text) > MAX_SEND:
        raise entry.place(key).fault(f"longer than {MAX_SEND} characters")
    return Said(text)


def texts(entry: Keys, key: str, most: int) -> tuple[str, ...]:
    """Return a list of at most *most* single values."""
    items = entry.list_at(key)
    found = tuple(item.text for item in items if isinstance(item, Scalar))
    if len(found) != len(items) or len(found) > most or any("\0" in text for text in found):
        raise entry.place(key).fault(f"want a list of at most {most} texts")
    return found


def paths(entry: Keys) -> tuple[str, ...]:
    """Return the absolute paths of files, with wildcards."""
    found = texts(entry, "paths", MAX_PATHS)
    if not found or not all(path.startswith("/") for path in found):
        raise entry.place("paths").fault("want a list of absolute paths, with * where needed")
    return found


def seconds(scalar: Scalar) -> float:
    """Return a duration between 0 and a day."""
    found = parse_duration(scalar.text)
    if not 0 < found <= 86400:
        raise ValueError("want a time between 0 and 24h, with a unit")
    return found


def required(entry: Keys, key: str) -> str:
    """Return the text of *key*, which must be there."""
    text = entry.text(key)
    if not text:
        raise entry.place().fault(f"{key} is missing")
    return text
