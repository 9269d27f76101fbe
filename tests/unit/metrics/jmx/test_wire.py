"""JRMP and the objects that we send: read back by our own decoder, and as a JVM has sent them."""

from __future__ import annotations

import struct

import pytest

from podmates_metrics.jmx import jrmp, messages, references
from podmates_metrics.jmx.decoder import PENDING, Decoder, Limits, StreamError
from podmates_metrics.jmx.grammar import object_decoder
from podmates_metrics.jmx.javavalues import Value, items
from podmates_metrics.jmx.javawriter import byte_array, object_name, string, strings
from podmates_metrics.jmx.jrmp import RemoteError
from tests.unit.metrics.jmx.shapes import SHAPES, decode

KEY = bytes(range(14))


def replied(data: bytes, *, void: bool = False) -> Value:
    decoder: Decoder = object_decoder(Limits())
    decoder.begin(jrmp.replied(decoder, void=void))
    decoder.feed(data)
    return decoder.result()


def head(kind: int, key: bytes = KEY) -> bytes:
    return b"\x51" + jrmp.MAGIC + b"\x77" + bytes((1 + len(key), kind)) + key


@pytest.mark.parametrize("text", ["", "text", "é\0😀", "x" * 65_535, "y" * 65_536, "ü" * 40_000])
def test_a_string_is_read_back(text: str) -> None:
    assert decode(string(text)) == text


def test_what_we_send_is_read_back() -> None:
    assert decode(string(None)) is None
    assert items(decode(strings(["a", "b"]))) == ["a", "b"]
    assert decode(byte_array(b"\0\xff")).raw == b"\0\xff"
    assert messages.bean_name(decode(object_name('d:name="é"'))) == 'd:name="é"'
    assert decode(object_name(None)) is None


def test_an_object_name_is_written_as_java_writes_it() -> None:
    """But for the null where RMI wants the code base, after the class descriptor's fields."""
    ours = object_name('d:b="x,y",a=1')

    assert ours.replace(b"\x70\x78\x70\x74", b"\x78\x70\x74") == SHAPES["object name"]


def test_a_method_is_named_by_the_hash_that_java_computes() -> None:
    assert jrmp.method_hash("close()V") == -4742752445160157748


def test_a_reply_is_a_value_a_void_or_an_exception() -> None:
    assert replied(head(1) + SHAPES["integer"]) == (KEY, 5)
    assert replied(head(1), void=True) == (KEY, None)
    with pytest.raises(RemoteError, match="IllegalStateException: outer") as caught:
        replied(head(2) + SHAPES["exception"])
    assert caught.value.kind == "java.lang.IllegalStateException"


BAD_REPLIES = {
    "another tag": (b"\x50", "0x50 where a reply begins"),
    "no object stream": (b"\x51abcd", "no object stream"),
    "no head": (b"\x51" + jrmp.MAGIC + SHAPES["string"], "without a head"),
    "a short head": (head(1, b"short"), "without a head"),
    "a head of another kind": (head(3), "without a head"),
}


@pytest.mark.parametrize(("data", "reason"), BAD_REPLIES.values(), ids=BAD_REPLIES.keys())
def test_bad_replies_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(StreamError, match=reason):
        replied(data)


def test_replies_one_after_the_other_come_out_one_after_the_other() -> None:
    decoder: Decoder = object_decoder(Limits())
    data = (head(1) + SHAPES["child"]) * 3
    names = []
    for byte in range(len(data)):
        if byte % (len(data) // 3) == 0:
            decoder.begin(jrmp.replied(decoder, void=False))
        decoder.feed(data[byte : byte + 1])
        if (value := decoder.result()) is not PENDING:
            names.append((value.value.kind.name, decoder.unread))

    assert names == [("Shapes$Child", 0)] * 3


IDENTITY = bytes(range(22))


def stub(data: bytes, *objects: bytes, parent: str = "java.rmi.server.RemoteObject") -> Value:
    """Return a stub as a server would write it."""
    name = parent.encode()
    described = b"\x72" + struct.pack(">H", len(name)) + name + bytes(8) + b"\x03\0\0\x78\x70"
    return decode(b"\x73" + described + b"\x77" + bytes((len(data),)) + data + b"".join(objects) + b"\x78")


def utf(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


PORT = struct.pack(">i", 7199)
FACTORY = b"\x73\x72" + utf("javax.rmi.ssl.SslRMIClientSocketFactory") + bytes(8) + b"\x02\0\0\x78\x70"
FOREIGN = FACTORY.replace(b"\0\x27javax.rmi.ssl", b"\0\x27mx4jx.rmi.ssl")


def test_references_of_both_kinds_are_found() -> None:
    plain = stub(utf("UnicastRef") + utf("host") + PORT + IDENTITY + b"\0")
    second = stub(utf("UnicastRef2") + b"\0" + utf("host") + PORT + IDENTITY + b"\0")
    secured = stub(utf("UnicastRef2") + b"\1" + utf("host") + PORT + IDENTITY + b"\0", FACTORY)

    assert references.find(plain) == ("host", 7199, IDENTITY, False)
    assert references.find(second) == ("host", 7199, IDENTITY, False)
    assert references.find(secured) == ("host", 7199, IDENTITY, True)


BAD_STUBS = {
    "another kind": (utf("ActivatableRef") + utf("host"), "unknown kind"),
    "cut": (utf("UnicastRef") + utf("host") + b"\0", "ends early"),
    "without id": (utf("UnicastRef") + utf("host") + PORT + b"\0", "without a port or an id"),
    "without port": (utf("UnicastRef") + utf("host") + bytes(4) + IDENTITY, "without a port or an id"),
    "empty": (b"", "ends early"),
}


@pytest.mark.parametrize(("data", "reason"), BAD_STUBS.values(), ids=BAD_STUBS.keys())
def test_bad_stubs_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(StreamError, match=reason):
        references.find(stub(data))


def test_a_socket_factory_that_we_do_not_have_is_named() -> None:
    with pytest.raises(StreamError, match=r"socket factory of its own: mx4jx\.rmi"):
        references.find(stub(utf("UnicastRef2") + b"\1" + utf("host") + PORT + IDENTITY, FOREIGN))


@pytest.mark.parametrize("shape", SHAPES)
def test_no_other_value_is_taken_for_an_answer(shape: str) -> None:
    value = decode(SHAPES[shape])
    for read in (references.find, messages.readable, messages.attributes, references.granted):
        with pytest.raises(StreamError):
            read(value)


def test_names_come_out_of_a_set() -> None:
    assert sorted(messages.names(decode(SHAPES["names"]))) == ["d:a=1", "e:a=2"]
    with pytest.raises(StreamError, match="no set"):
        messages.names(decode(SHAPES["list"]))


def test_credentials_do_not_show() -> None:
    assert "secret" not in repr(messages.Credentials("me", "secret"))
