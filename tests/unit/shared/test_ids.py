from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulcrum.core import ids


def test_the_known_vector() -> None:
    assert ids.encode(b"my-string") == "CO5mtg126i3l"
    assert ids.decode("CO5mtg126i3l") == b"my-string"


@given(st.binary())
def test_encode_is_base62_by_its_definition(data: bytes) -> None:
    number, letters = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 62)
        letters = ids.ALPHABET[rest] + letters
    assert ids.encode(data) == letters
    assert ids.encode(data, 40) == letters.rjust(40, "0")


@given(st.binary(min_size=1).filter(lambda data: data[0] != 0))
def test_encode_and_decode_are_inverse(data: bytes) -> None:
    assert ids.decode(ids.encode(data)) == data


def test_a_new_id_is_a_version_4_uuid_in_22_characters() -> None:
    text = ids.new_id()
    assert len(text) == ids.UUID_LENGTH
    made = uuid.UUID(bytes=ids.decode(text).rjust(16, b"\0"))
    assert (made.version, made.variant) == (4, uuid.RFC_4122)
    assert ids.new_id() != text


def test_a_foreign_character_is_named() -> None:
    with pytest.raises(ValueError, match="'-' is not a base62 character"):
        ids.decode("ab-c")


def test_a_digest_depends_on_where_parts_end() -> None:
    assert ids.digest("ab", "c") != ids.digest("a", "bc")
    assert ids.digest("ab", "c") == ids.digest(b"ab", "c")
    assert len(ids.digest("")) == ids.UUID_LENGTH
