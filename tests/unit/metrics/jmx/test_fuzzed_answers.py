"""What a JVM answers, damaged, and what operators write about JVMs: one kind of error, or a meaning.

SOAK=1 plays TIMES as much.
"""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from podmates_metrics.jmx import jrmp, messages, objectname, references
from podmates_metrics.jmx.decoder import PENDING, Decoder, Limits, StreamAborted, StreamError
from podmates_metrics.jmx.grammar import object_decoder
from podmates_metrics.jmx.javavalues import describe
from podmates_metrics.jmx.querytext import parse_query
from podmates_metrics.jmx.target import parse_target
from tests.support.fuzzing import often, refusal
from tests.unit.metrics.jmx.shapes import SHAPES
from tests.unit.metrics.jmx.test_wire import FACTORY, IDENTITY, PORT, head, utf

_STUB = b"\x73\x72" + utf("java.rmi.server.RemoteObject") + bytes(8) + b"\x03\0\0\x78\x70"
_TOLD = utf("UnicastRef2") + b"\1" + utf("host") + PORT + IDENTITY + b"\0"
VALUES = {**SHAPES, "stub": _STUB + b"\x77" + bytes((len(_TOLD),)) + _TOLD + FACTORY + b"\x78"}
READERS = (
    references.find,
    messages.readable,
    messages.attributes,
    messages.names,
    messages.bean_name,
    references.granted,
)


@st.composite
def replies(draw: st.DrawFn) -> bytes:
    data = bytearray(head(draw(st.sampled_from([1, 1, 2]))) + VALUES[draw(st.sampled_from(sorted(VALUES)))])
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data) - 1))
        if draw(st.booleans()):
            data[at] = draw(st.integers(0, 255))
        else:
            data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(data)


@settings(max_examples=often(200))
@given(data=replies(), cut=st.integers(0, 400))
def test_a_damaged_reply_ends_in_a_value_or_a_reason(data: bytes, cut: int) -> None:
    decoder: Decoder = object_decoder(Limits(size=4096))
    decoder.begin(jrmp.replied(decoder, void=False))

    def read() -> None:
        decoder.feed(data[:cut])
        reply = decoder.result()
        if reply is PENDING:
            decoder.feed(data[cut:])
            reply = decoder.result()
        if reply is PENDING:
            return
        describe(reply.value)
        for reader in READERS:
            with contextlib.suppress(StreamError):
                reader(reply.value)

    assert len(refusal(read, StreamError, StreamAborted, jrmp.RemoteError)) < 2000


NAMES = st.text(st.sampled_from([*'ab:=,"\\*?\né.']), max_size=14)


@settings(max_examples=often(200))
@given(text=NAMES)
def test_a_name_of_a_bean_is_read_and_quoted_texts_come_back(text: str) -> None:
    name = objectname.parse(text)

    assert objectname.unquote(objectname.quote(text)) == text
    assert objectname.parse(name.canonical).canonical == name.canonical
    assert objectname.parse(f"d:k={objectname.quote(text)},l=1").get("l") == "1"


PLACES = st.lists(
    st.sampled_from(
        [*"ab:=/@[]0159 é", "99999", "00", "::1", "service:jmx:rmi:///jndi/rmi://", "/jmxrmi", "²", "n="]
    ),
    max_size=8,
).map("".join)


@settings(max_examples=often(300))
@given(text=PLACES | st.text("0159", max_size=9).map("h:{}".format))
def test_a_target_has_a_port_that_exists_or_is_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        target = parse_target(text)
        assert 0 < target.registry.port < 65536, text
        assert target.registry.host
    with contextlib.suppress(ValueError):
        assert parse_query(text).bean
