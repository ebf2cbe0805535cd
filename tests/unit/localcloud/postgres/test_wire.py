from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.postgres import wire

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(st.dictionaries(words, words, max_size=5))
def test_a_startup_message_is_read_as_it_was_built(parameters: dict[str, str]) -> None:
    message = wire.startup_message(196608, parameters)
    length, code = wire.parse_header(message[: wire.HEADER_BYTES])
    assert (length, code) == (len(message), 196608)
    assert wire.parse_parameters(message[wire.HEADER_BYTES :]) == parameters


@given(st.binary(max_size=200))
def test_noise_in_place_of_parameters_is_survived(body: bytes) -> None:
    wire.parse_parameters(body)


@pytest.mark.parametrize("length", [0, 7, 10_001, 2**32 - 1])
def test_an_impossible_length_is_refused(length: int) -> None:
    with pytest.raises(wire.ProtocolError):
        wire.parse_header(struct.pack("!II", length, wire.SSL_REQUEST))


def test_a_cancel_request_passes_a_key_of_any_length_on() -> None:
    body = struct.pack("!I", 42) + b"k" * 32
    message = wire.cancel_request(body)
    assert wire.parse_header(message[:8]) == (len(message), wire.CANCEL_REQUEST)
    assert message[8:] == body


def test_an_error_has_its_length_state_and_words() -> None:
    message = wire.error_response("no", "08004")
    assert message[:1] == b"E"
    assert struct.unpack("!I", message[1:5]) == (len(message) - 1,)
    assert message.endswith(b"C08004\0Mno\0\0")


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", 4 + len(body)) + body


messages = st.builds(message, st.sampled_from([b"Q", b"P", b"d", b"p"]), st.binary(max_size=40))


@given(st.lists(messages, max_size=8), st.integers(1, 30), st.sampled_from([b"", b"Q", b"QP"]))
def test_messages_are_found_however_the_stream_is_cut(
    sent: list[bytes], size: int, kinds: bytes
) -> None:
    stream = b"".join(sent)
    finder = wire.Messages()
    parts: list[bytes] = []
    for at in range(0, len(stream), size):
        parts += finder.feed(stream[at : at + size], kinds)
    assert b"".join(parts) + finder.rest() == stream
    found = [part for part in parts if isinstance(part, wire.Message)]
    assert found == [each for each in sent if each[0] in kinds]


@given(st.lists(messages, min_size=1, max_size=8), st.integers(1, 30), st.integers(0, 20))
def test_messages_are_found_from_the_moment_on_when_they_are_asked_for(
    sent: list[bytes], size: int, before: int
) -> None:
    stream = b"".join(sent)
    finder = wire.Messages()
    parts: list[bytes] = []
    for number, at in enumerate(range(0, len(stream), size)):
        parts += finder.feed(stream[at : at + size], b"QP" if number >= before else b"")
    assert b"".join(parts) == stream
    found = [part for part in parts if isinstance(part, wire.Message)]
    wanted = [each for each in sent if each[:1] in {b"Q", b"P"}]
    assert found == wanted[len(wanted) - len(found) :]


def test_nothing_of_a_message_is_kept_back_that_nobody_asked_for() -> None:
    finder = wire.Messages()
    whole = message(b"Q", b"SELECT 1\0")
    assert finder.feed(whole[:3]) == []
    assert finder.feed(whole[3:8]) == [whole[:8]]
    assert finder.feed(whole[8:]) == [whole[8:]]


def test_the_strings_of_a_message_are_filled_up() -> None:
    assert wire.Message(message(b"P", b"name\0SELECT 1\0\0\0")).strings(2) == ["name", "SELECT 1"]
    assert wire.Message(message(b"Q", b"")).strings(2) == ["", ""]
