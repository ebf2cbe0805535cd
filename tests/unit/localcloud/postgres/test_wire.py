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
